import { describe, expect, test } from 'vitest'
import { PROFILES } from '../../../src/framework/membership/check-timings.ts'
import {
  answerMs,
  type FenceLook,
  fencesMax,
  fenceVerdict,
  isProvedOff,
  nextSuspicionMs,
  suspects,
} from '../../../src/framework/membership/fencing.ts'
import { EMPTY_WATCH, observe } from '../../../src/framework/membership/observation.ts'
import type { Fence } from '../../../src/framework/model/fencing.ts'
import { LATER_DEFAULTS } from '../../../src/framework/model/later-defaults.ts'
import type { PhysicalHostName } from '../../../src/framework/model/names.ts'
import { host, members } from './names.ts'

const [alpha, beta, gamma] = [host('alpha'), host('beta'), host('gamma')]
const heartbeats = { intervalMs: 50, suspectMs: 250 }

/** Beta, as alpha sees it: heard and stamped last at the given times. */
function lookAt(nowMs: number, signs: { heard?: number; stamped: number }, change: Partial<FenceLook> = {}): FenceLook {
  const stamp = { host: beta, incarnation: 3, sequence: 5, revision: 70, expiryMs: 2_200 }
  return {
    me: alpha,
    members: members({ alpha: 1, beta: 3 }),
    order: [alpha, beta],
    masters: new Map(),
    fenceable: new Map([[beta, 5_000]]),
    watch: observe(EMPTY_WATCH, stamp, signs.stamped),
    heardMs: signs.heard === undefined ? new Map() : new Map([[beta, signs.heard]]),
    vacantMs: new Map(),
    wellSinceMs: 0,
    nowMs,
    nowWallMs: 1_000_000,
    timings: PROFILES.default,
    heartbeats,
    limits: LATER_DEFAULTS.fencing,
    fences: new Map(),
    fencesSeenMs: new Map(),
    ...change,
  }
}

const isSuspect = (look: FenceLook): boolean => suspects(look).length > 0

describe('a host is suspected', () => {
  test('not while its machine says that clustd does not run: its guard stops it, or clustd comes back', () => {
    const vacant = { vacantMs: new Map([[beta, 10_050]]) }
    const { guardMs } = PROFILES.default
    expect(isSuspect(lookAt(10_050 + guardMs, { heard: 10_000, stamped: 9_800 }, vacant))).toBe(false)
    expect(isSuspect(lookAt(10_050 + guardMs + 250, { heard: 10_000, stamped: 9_800 }, vacant))).toBe(true)
  })

  test('when it is not heard, early enough for an answer within suspectMs', () => {
    expect(answerMs({ heartbeats })).toBe(100)
    expect(isSuspect(lookAt(10_149, { heard: 10_000, stamped: 9_800 }))).toBe(false)
    const [suspect] = suspects(lookAt(10_150, { heard: 10_000, stamped: 9_800 }))
    expect(suspect).toEqual({ host: beta, incarnation: 3, stampRevision: 70, silentMs: 150 })
  })

  test('also when its last stamp came a moment after its last heartbeat', () => {
    expect(isSuspect(lookAt(10_180, { heard: 10_000, stamped: 10_030 }))).toBe(true)
  })

  test('but not while it stamps, though it is not heard any more: then it has as long as its guard', () => {
    expect(isSuspect(lookAt(11_000, { heard: 10_000, stamped: 10_400 }))).toBe(false)
    expect(isSuspect(lookAt(10_400 + 1_499, { heard: 10_000, stamped: 10_400 }))).toBe(false)
    expect(isSuspect(lookAt(10_400 + 1_500, { heard: 10_000, stamped: 10_400 }))).toBe(true)
  })

  test('by its stamps where there are no heartbeats', () => {
    expect(isSuspect(lookAt(11_499, { stamped: 10_000 }))).toBe(false)
    expect(isSuspect(lookAt(11_500, { stamped: 10_000 }))).toBe(true)
  })

  test('never while it is heard, whatever its stamps do: it may rest on promises', () => {
    expect(isSuspect(lookAt(60_000, { heard: 59_990, stamped: 10_000 }))).toBe(false)
  })

  test('never by a host that was sick itself since', () => {
    expect(isSuspect(lookAt(10_500, { heard: 10_000, stamped: 9_800 }, { wellSinceMs: 10_450 }))).toBe(false)
  })

  test.each([
    ['it has no device', { fenceable: new Map() }],
    ['it is no member', { members: members({ alpha: 1 }) }],
    ['the looker is no member', { members: members({ beta: 3 }) }],
  ] as [string, Partial<FenceLook>][])('never when %s', (_why, change) => {
    const look = lookAt(20_000, { heard: 10_000, stamped: 9_800 }, change)
    expect(isSuspect(look)).toBe(false)
    expect(nextSuspicionMs(look)).toBeUndefined()
  })

  test('by the first living host at once, by the others a turn later', () => {
    const three = {
      members: members({ alpha: 1, beta: 3, gamma: 4 }),
      order: [alpha, beta, gamma],
      heardMs: new Map([
        [beta, 10_000],
        [alpha, 10_140],
      ]),
    }
    const byGamma = (nowMs: number) => lookAt(nowMs, { stamped: 9_800 }, { ...three, me: gamma })
    expect(isSuspect(byGamma(10_199))).toBe(false)
    expect(isSuspect(byGamma(10_200))).toBe(true)
    expect(nextSuspicionMs(byGamma(10_160))).toBe(10_200)
  })

  test('of two by the less preferred one after the delay, if one is configured', () => {
    const limits = { ...LATER_DEFAULTS.fencing, delayMs: 500 }
    const masters = new Map<PhysicalHostName, number>([[beta, 2]])
    const signs = { heard: 10_000, stamped: 9_800 }
    expect(isSuspect(lookAt(10_150, signs, { limits }))).toBe(true)
    expect(isSuspect(lookAt(10_649, signs, { limits, masters }))).toBe(false)
    expect(isSuspect(lookAt(10_650, signs, { limits, masters }))).toBe(true)
    expect(isSuspect(lookAt(10_150, signs, { masters }))).toBe(true)
  })
})

describe('a fence', () => {
  const suspect = { host: beta, incarnation: 3 }
  const verdict = (fences: readonly Fence[], change: Partial<FenceLook> = {}) => {
    const seen = new Map(fences.map((fence) => [fence.host, 19_900]))
    const records = new Map(fences.map((fence) => [fence.host, fence]))
    const look = lookAt(20_000, { stamped: 9_800 }, { fences: records, fencesSeenMs: seen, ...change })
    return fenceVerdict(look, suspect).kind
  }
  const fence = (change: Partial<Fence> = {}): Fence => ({
    host: beta,
    incarnation: 3,
    by: gamma,
    operator: '',
    why: 'no sign of life',
    atWallMs: 999_900,
    byItselfWallMs: 999_900,
    outcome: { kind: 'asked' },
    ...change,
  })
  const withGamma = { members: members({ alpha: 1, beta: 3, gamma: 4 }), order: [alpha, beta, gamma] }

  test('is asked for when nobody has', () => {
    expect(verdict([])).toBe('may-fence')
  })

  test('is left to the host that has asked for it', () => {
    expect(verdict([fence()], withGamma)).toBe('wait')
  })

  test('is asked for again when whoever asked is no member any more, or is not heard of again', () => {
    expect(verdict([fence()])).toBe('may-fence')
    expect(verdict([fence()], { ...withGamma, fencesSeenMs: new Map([[beta, 15_000]]) })).toBe('may-fence')
  })

  test('is not asked for by a host that is being fenced itself', () => {
    const aboutAlpha = fence({ host: alpha, incarnation: 1, by: beta })
    expect(verdict([aboutAlpha], { fenceable: new Map([[alpha, 5_000]]) })).toBe('wait')
    expect(verdict([{ ...aboutAlpha, incarnation: 0 }], { limits: { ...LATER_DEFAULTS.fencing, shareMax: 1 } })).toBe(
      'may-fence',
    )
  })

  test('is tried again a while after it failed', () => {
    const failed = fence({ by: alpha, outcome: { kind: 'failed', message: 'no', tookMs: 5 } })
    expect(verdict([failed])).toBe('wait')
    expect(verdict([failed], { fencesSeenMs: new Map([[beta, 18_000]]) })).toBe('may-fence')
  })

  test('of a new life is another fence', () => {
    expect(verdict([fence({ incarnation: 2 })], withGamma)).toBe('may-fence')
  })

  test('is refused beyond the share of hosts within the window, unless operators asked for the others', () => {
    const other = fence({ host: gamma, by: alpha, outcome: { kind: 'confirmed', devices: [], tookMs: 1 } })
    expect(verdict([other], withGamma)).toBe('refused')
    expect(verdict([{ ...other, operator: 'root', byItselfWallMs: null }], withGamma)).toBe('may-fence')
    expect(verdict([{ ...other, byItselfWallMs: 1_000_000 - 600_000 }], withGamma)).toBe('may-fence')
    expect(verdict([other], { ...withGamma, limits: { ...LATER_DEFAULTS.fencing, shareMax: 0.67 } })).toBe('may-fence')
  })

  test.each([
    [2, 0.34, 1],
    [3, 0.34, 1],
    [6, 0.34, 2],
    [64, 0.34, 21],
    [3, 0, 1],
  ])('of %d hosts with the share %d may hit %d', (count, shareMax, most) => {
    const order = Array.from({ length: count }, (_, index) => host(`h${index}`))
    expect(fencesMax({ order, limits: { ...LATER_DEFAULTS.fencing, shareMax } })).toBe(most)
  })

  test('proves the life off that it was about, once it is confirmed', () => {
    expect(isProvedOff(fence({ outcome: { kind: 'confirmed', devices: [], tookMs: 1 } }), 3)).toBe(true)
    expect(isProvedOff(fence({ outcome: { kind: 'confirmed-by-operator' } }), 3)).toBe(true)
    expect(isProvedOff(fence({ outcome: { kind: 'confirmed', devices: [], tookMs: 1 } }), 4)).toBe(false)
    expect(isProvedOff(fence(), 3)).toBe(false)
    expect(isProvedOff(undefined, undefined)).toBe(false)
  })
})
