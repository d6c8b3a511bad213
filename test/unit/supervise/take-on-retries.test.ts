import { describe, expect, it } from 'vitest'
import { isUsedUp, mayTryAgain } from '../../../src/framework/supervise/take-on-retries.ts'

describe('a take-on that failed', () => {
  it.each([
    { tries: 1, afterMs: 9_999, again: false },
    { tries: 1, afterMs: 10_000, again: true },
    { tries: 2, afterMs: 19_999, again: false },
    { tries: 2, afterMs: 20_000, again: true },
    { tries: 5, afterMs: 159_999, again: false },
    { tries: 5, afterMs: 160_000, again: true },
    { tries: 6, afterMs: 10_000_000, again: false },
    { tries: 1, afterMs: -10_000, again: true },
  ])('$tries times is tried again after $afterMs ms: $again', ({ tries, afterMs, again }) => {
    expect(mayTryAgain({ tries, atWallMs: 1_000_000 }, 1_000_000 + afterMs)).toBe(again)
  })

  it('is given up after six tries', () => {
    expect([1, 5, 6, 7].map((tries) => isUsedUp({ tries, atWallMs: 0 }))).toEqual([false, false, true, true])
  })
})
