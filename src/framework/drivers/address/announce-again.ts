import type { Effects } from '../../ports/effects.ts'

/** A client or switch that missed the first announcement hears one of these; after the last, its own table has aged out anyway. */
export const AGAIN_AFTER_MS: readonly number[] = [200, 800, 1_000, 3_000]

/** Repeats announcements in the background, a bounded number of times. */
export class Announcer {
  readonly #effects: Pick<Effects, 'sleep'>
  readonly #afterMs: readonly number[]
  readonly #running = new Map<string, AbortController>()

  constructor(effects: Pick<Effects, 'sleep'>, afterMs: readonly number[]) {
    this.#effects = effects
    this.#afterMs = afterMs
  }

  /** Calls `announce` after each of the pauses, instead of what was running under this key. `announce` tells whether to go on. */
  start(key: string, announce: (signal: AbortSignal) => Promise<boolean>): void {
    this.stop(key)
    const running = new AbortController()
    this.#running.set(key, running)
    // A repetition that fails leaves a client with its old table a little longer; the address itself is up, and nobody waits for this.
    this.#repeat(announce, running.signal)
      .catch(() => undefined)
      .finally(() => {
        if (this.#running.get(key) === running) this.#running.delete(key)
      })
  }

  stop(key: string): void {
    this.#running.get(key)?.abort(new Error('no longer announced'))
    this.#running.delete(key)
  }

  stopAll(): void {
    for (const key of [...this.#running.keys()]) this.stop(key)
  }

  async #repeat(announce: (signal: AbortSignal) => Promise<boolean>, signal: AbortSignal): Promise<void> {
    for (const ms of this.#afterMs) {
      await this.#effects.sleep(ms, signal)
      if (!(await announce(signal))) return
    }
  }
}
