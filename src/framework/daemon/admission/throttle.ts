import { HaError } from '../../errors/ha-error.ts'
import type { Effects } from '../../ports/effects.ts'

/** Refused attempts to join within the window: more than an operator mistypes, far fewer than a guess needs. */
const REFUSED_MAX = 20
const WINDOW_MS = 60_000

/** Limits how often this host lets itself be asked in vain. */
export class Throttle {
  readonly #effects: Pick<Effects, 'nowMonotonicMs'>
  /** When attempts were refused, oldest first; at most `REFUSED_MAX`. */
  #refusedAtMs: readonly number[] = []

  constructor(effects: Pick<Effects, 'nowMonotonicMs'>) {
    this.#effects = effects
  }

  /** Throws `LIMIT_REACHED` while too many attempts were refused lately. */
  refuseTooMany(): void {
    const sinceMs = this.#effects.nowMonotonicMs() - WINDOW_MS
    this.#refusedAtMs = this.#refusedAtMs.filter((atMs) => atMs > sinceMs)
    if (this.#refusedAtMs.length < REFUSED_MAX) return
    throw new HaError('LIMIT_REACHED', `${REFUSED_MAX} attempts to join were refused within a minute`, {
      hint: 'Wait a minute, or ask another host of the cluster.',
    })
  }

  /** Counts a refused attempt. */
  count(): void {
    this.#refusedAtMs = [...this.#refusedAtMs, this.#effects.nowMonotonicMs()].slice(-REFUSED_MAX)
  }
}
