import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  extendDeadline,
  isPassed,
  leftMs,
  lookAtClocks,
  mayAct,
  newDeadline,
} from '../../../src/framework/membership/deadline.ts'

const timings = { guardMs: 1500 }
/** A moment at which the machine has slept `slept` ms since boot and the wall clock was pushed ahead by `pushed`. */
const at = (monotonicMs: number, { slept = 0, pushed = 0 } = {}) => ({
  monotonicMs,
  bootMs: monotonicMs + slept,
  wallMs: 1e12 + monotonicMs + slept + pushed,
})

/** A life that stamped at 1000: it may act until 2500. */
const stamped = extendDeadline(newDeadline(3, at(900)), { incarnation: 3, sentMs: 1000 }, at(1010), timings)

describe('deadline', () => {
  test('a life that has not stamped may not act', () => {
    expect(mayAct(newDeadline(3, at(900)), at(900), timings)).toBe(false)
  })

  test('a stamp gives it guardMs from when it was sent', () => {
    expect(stamped.untilMs).toBe(2500)
    expect(mayAct(stamped, at(2499), timings)).toBe(true)
    expect(mayAct(stamped, at(2500), timings)).toBe(false)
    expect(isPassed(stamped, at(2500))).toBe(true)
  })

  test.each([
    ['a later stamp extends it', { incarnation: 3, sentMs: 1400 }, at(1450), 2900],
    ['an earlier one does not move it back', { incarnation: 3, sentMs: 950 }, at(1450), 2500],
    ['a stamp of another life does not count', { incarnation: 2, sentMs: 1400 }, at(1450), 2500],
    ['nothing revives it once it has passed', { incarnation: 3, sentMs: 2400 }, at(2600), 2500],
    [
      'a stamp under way during a jump does not count',
      { incarnation: 3, sentMs: 1400 },
      at(1450, { pushed: 2000 }),
      2500,
    ],
    [
      'a stamp sent in the very moment in which a sleep shows does not count',
      { incarnation: 3, sentMs: 1450 },
      at(1450, { slept: 300 }),
      2200,
    ],
    ['time slept is taken off', { incarnation: 3, sentMs: 1400 }, at(1450, { slept: 300 }), 2200],
  ] as const)('%s', (_rule, stamp, now, untilMs) => {
    expect(extendDeadline(stamped, stamp, now, timings).untilMs).toBe(untilMs)
  })

  test('after a jump of the wall clock it may not act until a stamp sent after it', () => {
    const now = at(1400, { pushed: 2000 })
    expect(mayAct(stamped, now, timings)).toBe(false)
    const jumped = lookAtClocks(stamped, now, timings)
    expect(mayAct(jumped, at(1401, { pushed: 2000 }), timings)).toBe(false)
    const proved = extendDeadline(jumped, { incarnation: 3, sentMs: 1410 }, at(1420, { pushed: 2000 }), timings)
    expect(mayAct(proved, at(1430, { pushed: 2000 }), timings)).toBe(true)
  })

  test('a wall clock set ahead by less than guardMs, or back, changes nothing', () => {
    expect(mayAct(stamped, at(1400, { pushed: 1400 }), timings)).toBe(true)
    expect(mayAct(stamped, at(1400, { pushed: -1e7 }), timings)).toBe(true)
  })

  test('a sleep beyond the deadline has passed it', () => {
    expect(isPassed(lookAtClocks(stamped, at(1400, { slept: 2000 }), timings), at(1400, { slept: 2000 }))).toBe(true)
    expect(leftMs(stamped, at(1400, { slept: 2000 }))).toBe(-900)
  })

  test('the coarse clock since boot is no sleep', () => {
    expect(mayAct(stamped, at(1400, { slept: 12 }), timings)).toBe(true)
    expect(leftMs(stamped, at(1400, { slept: 12 }))).toBe(1100)
  })
})

test('whatever is told, a host never acts guardMs of real time after the last stamp that it sent', () => {
  const event = fc.record({
    afterMs: fc.integer({ min: 0, max: 900 }),
    sleepMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4000 })),
    pushMs: fc.oneof(fc.constant(0), fc.integer({ min: -4000, max: 4000 })),
    answeredAfterMs: fc.integer({ min: 0, max: 2000 }),
    looks: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let clock = { mono: 1000, slept: 0, pushed: 0 }
      const now = () => at(clock.mono, { slept: clock.slept, pushed: clock.pushed })
      let deadline = newDeadline(1, now())
      let inFlight: { sentMs: number; sentRealMs: number; due: number } | undefined
      let lastSentRealMs = Number.NEGATIVE_INFINITY
      for (const { afterMs, sleepMs, pushMs, answeredAfterMs, looks } of events) {
        clock = { mono: clock.mono + afterMs, slept: clock.slept + sleepMs, pushed: clock.pushed + pushMs }
        const realMs = clock.mono + clock.slept
        if (looks) deadline = lookAtClocks(deadline, now(), timings)
        if (inFlight !== undefined && inFlight.due <= clock.mono) {
          deadline = extendDeadline(deadline, { incarnation: 1, sentMs: inFlight.sentMs }, now(), timings)
          lastSentRealMs = inFlight.sentRealMs
          inFlight = undefined
        }
        // Sleeps below the resolution of the clocks are forgiven, as they are below the margin.
        if (mayAct(deadline, now(), timings)) expect(realMs - lastSentRealMs).toBeLessThan(timings.guardMs + 51)
        inFlight ??= { sentMs: clock.mono, sentRealMs: realMs, due: clock.mono + answeredAfterMs }
      }
    }),
    { numRuns: 5000 },
  )
})
