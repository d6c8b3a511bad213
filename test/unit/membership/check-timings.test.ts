import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expiryMs, marginMsMin, PROFILES, timingProblems } from '../../../src/framework/membership/check-timings.ts'

const good = PROFILES.default

describe('timingProblems', () => {
  test.each(Object.entries(PROFILES))('profile %s has none', (_name, timings) => {
    expect(timingProblems(timings)).toEqual([])
    // The reserve for unmounting that the profiles promise.
    expect(timings.marginMs).toBeGreaterThan(marginMsMin(timings))
  })

  test.each([
    ['a stamp must be shorter than a third of the guard', { ...good, stampMs: 500 }, /stampMs is 500.*third.*1500/],
    ['a stamp has a least length', { ...good, stampMs: 10 }, /stampMs is 10.*at least 50/],
    ['the guard has a greatest length', { ...good, guardMs: 200_000, marginMs: 9000 }, /guardMs is 200000.*at most/],
    ['abort has a least length', { ...good, abortMs: 0 }, /abortMs is 0.*at least/],
    ['abort has a greatest length', { ...good, abortMs: 61_000, marginMs: 5000 }, /abortMs is 61000.*at most/],
    ['the margin covers drift and force', { ...good, marginMs: 100 }, /marginMs is 100.*at least 141/],
    ['the margin has a greatest length', { ...good, marginMs: 60_001 }, /marginMs is 60001.*at most/],
    ['parts of milliseconds are refused', { ...good, marginMs: 300.5 }, /marginMs is 300.5.*whole number/],
    ['rubbish is refused', { ...good, guardMs: Number.NaN }, /guardMs is NaN.*whole number/],
  ] as const)('%s', (_rule, timings, problem) => {
    const problems = timingProblems(timings)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(problem)
  })

  test('several problems are told at once', () => {
    expect(timingProblems({ stampMs: 1, guardMs: 2, abortMs: 3, marginMs: 4 })).toHaveLength(4)
  })
})

test('a host has stopped before its observer calls it lost, with clocks 1 % off either way', () => {
  const guardMs = fc.integer({ min: 200, max: 120_000 })
  const abortMs = fc.integer({ min: 50, max: 60_000 })
  const drift = fc.double({ min: -0.01, max: 0.01, noNaN: true })
  fc.assert(
    fc.property(guardMs, abortMs, drift, drift, (guard, abort, ofTheLost, ofTheObserver) => {
      const margin = marginMsMin({ guardMs: guard, abortMs: abort })
      // Real time: a clock that runs slow makes its owner's milliseconds longer.
      const stoppedAfter = (guard + abort + 100) / (1 + ofTheLost)
      const expiredAfter =
        expiryMs({ stampMs: 50, guardMs: guard, abortMs: abort, marginMs: margin }) / (1 + ofTheObserver)
      expect(expiredAfter).toBeGreaterThanOrEqual(stoppedAfter)
    }),
  )
})
