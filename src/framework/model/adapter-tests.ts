/** Figures of the tests of public adapters, milliseconds. What they are called in the classic tunables of pnmd stands behind them. */
export interface AdapterTests {
  /** An adapter on which nothing came in for so long is asked about (`pnmd.inactive_time`). */
  readonly inactiveMs: number
  /** How long an answer may take (`pnmd.ping_timeout`). */
  readonly pingTimeoutMs: number
  /** So many questions in a row without an answer, and it is silent (`pnmd.repeat_test`). */
  readonly repeatTests: number
  /** A bad adapter that works again is trusted after this long: one that comes and goes must not take the addresses along. */
  readonly backMs: number
  /** When nothing of a group works, the others are given this long to say whether the network works for them (`pnmd.slow_network`). */
  readonly compareMs: number
}

/**
 * The classic figures (5 s, 4 s, 3) are those of networks that are no more. A host of the same network answers within a millisecond, and silence costs
 * little to ask about: a dead adapter is found within 2 + 3 x 0.3 s.
 */
export const ADAPTER_TESTS_DEFAULT: AdapterTests = {
  inactiveMs: 2_000,
  pingTimeoutMs: 300,
  repeatTests: 3,
  backMs: 3_000,
  compareMs: 1_000,
}
