import { describe, expect, test } from 'vitest'
import { PROFILES } from '../../../src/framework/membership/check-timings.ts'
import { evictionVerdict } from '../../../src/framework/membership/eviction-budget.ts'
import { mayTakeOnUncleanFrom, takeOnUncleanFromMs } from '../../../src/framework/membership/join-wait.ts'
import { clockJump, ownHealth } from '../../../src/framework/membership/own-health.ts'

const timings = PROFILES.default

describe('ownHealth', () => {
  test.each([
    ['on time in everything', { lastTickMs: 9900, lastStampSentMs: 9700 }, undefined],
    ['a loop one interval late is well', { lastTickMs: 9600, lastStampSentMs: 9600 }, undefined],
    ['a loop later than that is sick', { lastTickMs: 9500, lastStampSentMs: 9500 }, /loop was stopped for 500 ms/],
    ['a stamp of two intervals ago is well', { lastTickMs: 9990, lastStampSentMs: 9200 }, undefined],
    ['an older one is sick', { lastTickMs: 9990, lastStampSentMs: 9100 }, /committed is 900 ms old/],
    ['before the first stamp it is sick', { lastTickMs: 9990, lastStampSentMs: undefined }, /not stamped yet/],
  ] as const)('%s', (_rule, signs, reason) => {
    const health = ownHealth({ ...signs, nowMs: 10_000 }, timings)
    if (reason === undefined) expect(health).toEqual({ kind: 'well' })
    else expect(health).toEqual({ kind: 'sick', reason: expect.stringMatching(reason) })
  })
})

describe('clockJump', () => {
  const before = { monotonicMs: 1000, bootMs: 5000, wallMs: 1e12 }
  const later = (monotonic: number, boot: number, wall: number) => ({
    monotonicMs: 1000 + monotonic,
    bootMs: 5000 + boot,
    wallMs: 1e12 + wall,
  })
  test.each([
    ['all clocks run alike', later(400, 400, 400), 'none'],
    ['a long pause of the process alone is no jump', later(60_000, 60_000, 60_000), 'none'],
    ['the machine slept for more than guardMs', later(400, 2000, 2000), 'slept'],
    ['the machine slept for less', later(400, 1900, 1900), 'none'],
    ['the wall clock ran ahead', later(400, 400, 2000), 'wall-jumped'],
    ['the wall clock was set back', later(400, 400, -90_000), 'none'],
  ] as const)('%s', (_rule, moment, jump) => {
    expect(clockJump(before, moment, timings)).toBe(jump)
  })
})

describe('evictionVerdict', () => {
  const budget = { evictionsMax: 2, evictionWindowMs: 1000 }
  test.each([
    ['within the budget', [], ['a', 'b'], ['a', 'b'], [], [5000, 5000]],
    ['the first ones of too many', [], ['a', 'b', 'c'], ['a', 'b'], ['c'], [5000, 5000]],
    ['what is left of the budget', [4500], ['a', 'b'], ['a'], ['b'], [4500, 5000]],
    ['nothing left', [4500, 4600], ['a'], [], ['a'], [4500, 4600]],
    ['the window has moved on', [4000, 4600], ['a'], ['a'], [], [4600, 5000]],
    ['nobody lost', [4500], [], [], [], [4500]],
  ] as const)('%s', (_rule, former, lost, allowed, refused, evictionsMs) => {
    expect(evictionVerdict(former, lost, 5000, budget)).toEqual({ allowed, refused, evictionsMs })
  })
})

test('who joined waits one expiry before it takes on from a lost host', () => {
  expect(takeOnUncleanFromMs(1000, timings)).toBe(3200)
  expect(mayTakeOnUncleanFrom(1000, 3200, timings)).toBe(false)
  expect(mayTakeOnUncleanFrom(1000, 3201, timings)).toBe(true)
})
