import { describe, expect, test } from 'vitest'
import { expiryMs, PROFILES } from '../../../src/framework/membership/check-timings.ts'
import {
  EMPTY_WATCH,
  type Look,
  lostHosts,
  nextLossMs,
  observe,
  observeMembers,
  restartObservation,
  type StampWatch,
  silentMs,
  tardiness,
  turnWaitMsMax,
} from '../../../src/framework/membership/observation.ts'
import { host, members } from './names.ts'

const timings = PROFILES.default
const expiry = expiryMs(timings)
const alpha = host('alpha')
const beta = host('beta')
const gamma = host('gamma')

const stamp = (sequence: number, revision: number, incarnation = 1) => {
  return { host: beta, incarnation, sequence, revision, expiryMs: expiry }
}
const seenAt = (nowMs: number): StampWatch => observe(EMPTY_WATCH, stamp(1, 10), nowMs)

describe('timings that change while a host is silent', () => {
  const short = PROFILES.fast
  const long = PROFILES.relaxed

  test('do not make what its last stamp allows run out earlier', () => {
    expect(tardiness(seenAt(0), beta, expiryMs(short) + 1, short)).toBe('suspect')
    expect(tardiness(seenAt(0), beta, expiry, short)).toBe('suspect')
    expect(tardiness(seenAt(0), beta, expiry + 1, short)).toBe('lost')
  })

  test('count when they are longer: the host may have read them', () => {
    expect(tardiness(seenAt(0), beta, expiry + 1, long)).not.toBe('lost')
    expect(tardiness(seenAt(0), beta, expiryMs(long) + 1, long)).toBe('lost')
  })
})

describe('what restarts the clock of a host', () => {
  test.each([
    ['a new sequence', stamp(2, 11), 0],
    ['a new life', stamp(1, 12, 2), 0],
    ['not the same event again', stamp(1, 10), 500],
    ['not an older event', stamp(7, 9), 500],
    ['not an old event of another life', stamp(3, 4, 9), 500],
  ] as const)('%s', (_rule, seen, silent) => {
    expect(silentMs(observe(seenAt(1000), seen, 1500), beta, 1500)).toBe(silent)
  })

  test('the host is a member for the first time', () => {
    const watch = observeMembers(EMPTY_WATCH, members({ beta: 4 }), 1000)
    expect(silentMs(watch, beta, 1300)).toBe(300)
  })

  test('the host is a member with a new life, before its first stamp', () => {
    const watch = observeMembers(seenAt(1000), members({ beta: 2 }), 1500)
    expect(silentMs(watch, beta, 1600)).toBe(100)
  })

  test('not a change of the membership that is not its own', () => {
    const watch = observeMembers(seenAt(1000), members({ beta: 1, gamma: 5 }), 1500)
    expect(silentMs(watch, beta, 1600)).toBe(600)
  })

  test('not the member record that comes after the stamp of its life', () => {
    const watch = observeMembers(observe(EMPTY_WATCH, stamp(1, 10, 7), 1000), members({ beta: 7 }), 1500)
    expect(silentMs(watch, beta, 1600)).toBe(600)
  })

  test('the observer was sick', () => {
    const grace = 2 * timings.stampMs
    const restarted = restartObservation(seenAt(1000), 50_000, timings)
    expect(tardiness(restarted, beta, 50_000 + grace, timings)).toBe('suspect')
    expect(tardiness(restarted, beta, 50_000 + grace + 1, timings)).toBe('lost')
  })

  test('the observer was sick for so short that the silence before counts', () => {
    const restarted = restartObservation(seenAt(1000), 1500, timings)
    expect(silentMs(restarted, beta, 1600)).toBe(600)
  })
})

describe('tardiness', () => {
  test.each([
    ['a stamp just seen', 0, 'on-time'],
    ['two intervals ago', 2 * timings.stampMs, 'on-time'],
    ['more than two intervals ago', 2 * timings.stampMs + 1, 'suspect'],
    ['exactly expiry ago', expiry, 'suspect'],
    ['more than expiry ago', expiry + 1, 'lost'],
  ] as const)('%s', (_rule, ago, verdict) => {
    expect(tardiness(seenAt(1000), beta, 1000 + ago, timings)).toBe(verdict)
  })

  test('a host of which nothing is known is on time', () => {
    expect(tardiness(EMPTY_WATCH, beta, 1e9, timings)).toBe('on-time')
  })
})

describe('lostHosts', () => {
  const order = [alpha, beta, gamma]
  const look = (me: typeof alpha, nowMs: number): Look => ({
    members: members({ alpha: 1, beta: 1, gamma: 1 }),
    me,
    order,
    nowMs,
    timings,
  })
  const allSeenAt0 = [alpha, beta, gamma].reduce(
    (watch, name, index) =>
      observe(watch, { host: name, incarnation: 1, sequence: 1, revision: index + 1, expiryMs: expiry }, 0),
    EMPTY_WATCH,
  )
  /** Alpha and gamma stamped again, beta did not. */
  const betaSilent = (nowMs: number): StampWatch =>
    [alpha, gamma].reduce(
      (watch, name, index) =>
        observe(watch, { host: name, incarnation: 1, sequence: 2, revision: 10 + index, expiryMs: expiry }, nowMs - 1),
      allSeenAt0,
    )

  test('the first living host in order tries at once', () => {
    const now = expiry + 1
    expect(lostHosts(betaSilent(now), look(alpha, now))).toEqual([
      { host: beta, incarnation: 1, stampRevision: 2, silentMs: now },
    ])
  })

  test('the second one waits a turn, less than the bound', () => {
    expect(lostHosts(betaSilent(expiry + 1), look(gamma, expiry + 1))).toEqual([])
    const later = expiry + turnWaitMsMax(timings) + 1
    expect(lostHosts(betaSilent(later), look(gamma, later))).toHaveLength(1)
  })

  test('a host before it that is lost too does not keep it waiting', () => {
    const now = expiry + 1
    expect(lostHosts(allSeenAt0, look(gamma, now)).map(({ host: name }) => name)).toEqual([alpha, beta])
  })

  test('nobody evicts himself, nor who is no member', () => {
    const now = expiry + 1
    const alone = { ...look(beta, now), members: members({ beta: 1 }) }
    expect(lostHosts(allSeenAt0, alone)).toEqual([])
    expect(nextLossMs(allSeenAt0, alone)).toBeUndefined()
  })

  test('a new life that never stamped is guarded on the stamp of the former one', () => {
    const watch = observeMembers(seenAt(0), members({ alpha: 1, beta: 2 }), 100)
    const now = 100 + expiry + 1
    expect(lostHosts(watch, { ...look(alpha, now), members: members({ alpha: 1, beta: 2 }) })).toEqual([
      { host: beta, incarnation: 2, stampRevision: 10, silentMs: expiry + 1 },
    ])
  })

  test('a member that never stamped in any life is guarded on the absence of a stamp', () => {
    const watch = observeMembers(EMPTY_WATCH, members({ alpha: 1, beta: 2 }), 0)
    const lost = lostHosts(watch, { ...look(alpha, expiry + 1), members: members({ alpha: 1, beta: 2 }) })
    expect(lost).toEqual([{ host: beta, incarnation: 2, stampRevision: undefined, silentMs: expiry + 1 }])
  })

  test('nextLossMs is the moment from which there is something', () => {
    const at = nextLossMs(allSeenAt0, look(alpha, 0)) ?? Number.NaN
    expect(lostHosts(allSeenAt0, look(alpha, at))).toEqual([])
    expect(lostHosts(allSeenAt0, look(alpha, at + 1))).not.toEqual([])
  })
})
