/**
 * Everything that makes two runs of the same code differ: clocks, randomness, waiting.
 * Nothing else reads a clock or a random source, so one simulator can stand in for all of it.
 */
export interface Effects {
  /** Milliseconds (with fractions) of CLOCK_MONOTONIC: the same for all processes of a machine, stops while it is suspended. For measuring. */
  nowMonotonicMs(): number
  /** Milliseconds since boot, suspended time included. Compared with `nowMonotonicMs` it shows that the machine slept. */
  nowBootMs(): number
  /** Milliseconds since the epoch. For people only; never to decide by. */
  nowWallMs(): number
  /** Resolves after `ms`; rejects with the signal's reason as soon as `signal` aborts (at once if it is aborted already). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Uniform in [0, 1). */
  random(): number
}
