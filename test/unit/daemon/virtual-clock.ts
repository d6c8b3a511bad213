import type { Effects } from '../../../src/framework/ports/effects.ts'

interface Timer {
  readonly atMs: number
  readonly number: number
  fire(): void
}

/** Time that passes only when a test lets it: all that is due runs in order, and everything that follows from it, before the clock moves on. */
export class VirtualClock {
  #nowMs = 1_000
  #count = 0
  #timers: Timer[] = []
  #seed = 1
  /** Added to the wall clock and to the clock since boot: a jump, or a sleep of the machine. */
  wallAheadMs = 1_700_000_000_000
  sleptMs = 0

  get nowMs(): number {
    return this.#nowMs
  }

  effects(): Effects {
    return {
      nowMonotonicMs: () => this.#nowMs,
      nowBootMs: () => this.#nowMs + this.sleptMs,
      nowWallMs: () => this.#nowMs + this.wallAheadMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
      random: () => {
        this.#seed = (this.#seed * 16_807) % 2_147_483_647
        return this.#seed / 2_147_483_647
      },
    }
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      await settle()
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs || a.number - b.number)[0]
      if (next === undefined || next.atMs > untilMs) break
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.#timers = this.#timers.filter((timer) => timer !== next)
      next.fire()
    }
    this.#nowMs = untilMs
    await settle()
  }

  /** Lets time pass until the condition holds; fails when it does not within the limit. Returns how long it took. */
  async passUntil(what: string, limitMs: number, holds: () => boolean): Promise<number> {
    const fromMs = this.#nowMs
    await settle()
    while (!holds()) {
      if (this.#nowMs - fromMs > limitMs) throw new Error(`${what}: not within ${limitMs} ms`)
      await this.pass(1)
    }
    return this.#nowMs - fromMs
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      this.#count += 1
      const onAbort = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer)
        reject(signal?.reason)
      }
      const fire = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), number: this.#count, fire }
      this.#timers.push(timer)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}

/** Lets every promise that can settle now settle. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
