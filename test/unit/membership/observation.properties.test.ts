import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expiryMs, PROFILES } from '../../../src/framework/membership/check-timings.ts'
import {
  EMPTY_WATCH,
  lostHosts,
  nextLossMs,
  observe,
  observeMembers,
  restartObservation,
  type StampWatch,
  tardiness,
  turnWaitMsMax,
} from '../../../src/framework/membership/observation.ts'
import type { Timings } from '../../../src/framework/model/cluster-config.ts'
import { host, members } from './names.ts'

const names = ['alpha', 'beta', 'gamma', 'delta'].map(host)
const me = host('gamma')
const membership = members({ alpha: 1, beta: 1, gamma: 1, delta: 1 })

/** What may happen to an observer, each some time after the one before. */
const happening = fc.record({
  afterMs: fc.integer({ min: 0, max: 1500 }),
  what: fc.oneof(
    // Revisions from a small range: many are repeated or old, as watch events may be.
    fc.record({
      kind: fc.constant('stamp' as const),
      host: fc.constantFrom(...names),
      incarnation: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: 1, max: 20 }),
      expiryMs: fc.constant(0),
      revision: fc.integer({ min: 1, max: 40 }),
    }),
    fc.constant({ kind: 'members' as const }),
    fc.constant({ kind: 'sick' as const }),
  ),
})
const history = fc.array(happening, { maxLength: 60 })
const profile = fc.constantFrom(...Object.values(PROFILES))

interface Told {
  readonly watch: StampWatch
  readonly nowMs: number
  /** By the definition in the design, kept apart from the code under test. */
  readonly lastNews: ReadonlyMap<string, number>
}

function tell(
  happenings: readonly (typeof happening extends fc.Arbitrary<infer T> ? T : never)[],
  timings: Timings,
): Told {
  let nowMs = 1000
  let watch = observeMembers(EMPTY_WATCH, membership, nowMs)
  const lastNews = new Map<string, number>(names.map((name) => [name, nowMs]))
  const greatest = new Map<string, number>()
  for (const { afterMs, what } of happenings) {
    nowMs += afterMs
    if (what.kind === 'members') watch = observeMembers(watch, membership, nowMs)
    else if (what.kind === 'sick') {
      watch = restartObservation(watch, nowMs, timings)
      // As if the last sign had come so late that two intervals are left.
      const latestMs = nowMs - expiryMs(timings) + 2 * timings.stampMs
      for (const name of names) lastNews.set(name, Math.max(lastNews.get(name) ?? 0, latestMs))
    } else {
      watch = observe(watch, what, nowMs)
      if (what.revision > (greatest.get(what.host) ?? 0)) {
        greatest.set(what.host, what.revision)
        lastNews.set(what.host, nowMs)
      }
    }
  }
  return { watch, nowMs, lastNews }
}

describe('under any order of late, repeated and old events', () => {
  test('nobody is lost before expiry after his last new stamp', () => {
    fc.assert(
      fc.property(history, profile, fc.integer({ min: 0, max: 10_000 }), (happenings, timings, laterMs) => {
        const { watch, nowMs: lastMs, lastNews } = tell(happenings, timings)
        const nowMs = lastMs + laterMs
        for (const lost of lostHosts(watch, { members: membership, me, order: names, nowMs, timings })) {
          expect(nowMs - (lastNews.get(lost.host) ?? Number.NaN)).toBeGreaterThan(expiryMs(timings))
          expect(tardiness(watch, lost.host, nowMs, timings)).toBe('lost')
        }
      }),
      { numRuns: 500 },
    )
  })

  test('everybody who is silent is lost within expiry and the bound of turns', () => {
    fc.assert(
      fc.property(history, profile, fc.constantFrom(...names), (happenings, timings, observer) => {
        const { watch, nowMs: lastMs, lastNews } = tell(happenings, timings)
        const others = names.filter((name) => name !== observer)
        const newest = Math.max(...others.map((name) => lastNews.get(name) ?? Number.NaN))
        const nowMs = Math.max(lastMs, newest + expiryMs(timings) + turnWaitMsMax(timings) + 1)
        const lost = lostHosts(watch, { members: membership, me: observer, order: names, nowMs, timings })
        expect(lost.map(({ host: name }) => name)).toEqual(others)
      }),
      { numRuns: 500 },
    )
  })

  test('who sleeps until nextLossMs misses nothing', () => {
    fc.assert(
      fc.property(history, profile, (happenings, timings) => {
        const { watch, nowMs } = tell(happenings, timings)
        const look = { members: membership, me, order: names, nowMs, timings }
        const at = nextLossMs(watch, look) ?? Number.NaN
        if (at > nowMs) expect(lostHosts(watch, look)).toEqual([])
        // Others may be lost by then, which only shortens the turn: then it is due all the more.
        expect(lostHosts(watch, { ...look, nowMs: Math.max(nowMs, at) + 1 })).not.toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})
