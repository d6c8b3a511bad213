import { describe, expect, it } from 'vitest'
import { parseName } from '../../../src/framework/model/names.ts'
import type { VoterSpeed } from '../../../src/framework/model/voter-speed.ts'
import { isQuickEnough, type LeadCandidate, placesForLead } from '../../../src/framework/supervise/lead-place.ts'
import { alpha, beta, demo, fenced, withMastery } from '../configure/fixture.ts'

const follower = (name: string, change: Partial<LeadCandidate> = {}): LeadCandidate => ({
  ...{ name, role: 'follower', isHealthy: true, lag: 0 },
  ...change,
})
const all = [follower('alpha', { role: 'leader' }), follower('beta'), follower('witness')]

// Alpha masters ha1, nobody masters ha2.
describe('the lead of the cluster database goes', () => {
  it('from a host that masters something and can be fenced to a witness, else to a host that masters nothing', () => {
    expect(placesForLead('alpha', all, fenced)).toEqual(['witness', 'beta'])
  })

  it('nowhere when nobody would be fenced, or nothing is mastered there', () => {
    expect(placesForLead('alpha', all, demo)).toEqual([])
    expect(placesForLead('beta', [follower('alpha'), follower('beta', { role: 'leader' })], fenced)).toEqual([])
  })

  it('to no host that masters, takes on, gives up or is stuck with something', () => {
    const ha2 = parseName('logicalHost', 'ha2')
    for (const mastery of [
      { kind: 'mastered', by: beta },
      { kind: 'takingOn', by: beta, uncleanOn: [] },
      { kind: 'givingUp', by: beta, destination: { kind: 'to', host: alpha }, uncleanOn: [] },
      { kind: 'stuck', on: beta, leftovers: [], destination: { kind: 'to', host: alpha }, uncleanOn: [] },
    ] as const) {
      expect(placesForLead('alpha', all, withMastery(mastery, fenced, ha2))).toEqual(['witness'])
    }
  })

  it('to no host that has left, or is leaving', () => {
    const leaving = new Map(
      [...fenced.members].map(([host, member]) => [host, { ...member, state: 'leaving' as const }]),
    )
    for (const members of [new Map(), leaving])
      expect(placesForLead('alpha', all, { ...fenced, members })).toEqual(['witness'])
  })

  it.each([{ role: 'learner' }, { role: 'joining' }, { isHealthy: false }, { lag: null }, { lag: 101 }])(
    'to no voter that is %o',
    (change) => {
      expect(placesForLead('alpha', [follower('beta', change), follower('witness', change)], fenced)).toEqual([])
    },
  )
})

describe('another leader is quick enough', () => {
  const speed = (roundTripMs: number, count: number, totalMs: number): VoterSpeed => ({
    roundTripMs,
    syncs: { count, totalMs },
  })
  const judge = (leader: { readonly syncMs: number }, other: { readonly syncMs: number; readonly awayMs: number }) =>
    isQuickEnough(
      { leader: speed(1, 100, 5000), other: speed(1, 40, 9000) },
      {
        leader: speed(1, 110, 5000 + 10 * leader.syncMs),
        other: speed(1 + other.awayMs, 50, 9000 + 10 * other.syncMs),
      },
    )

  it.each([
    { leaderMs: 1, otherMs: 10, awayMs: 5, is: true },
    { leaderMs: 1, otherMs: 11, awayMs: 0, is: false },
    { leaderMs: 20, otherMs: 40, awayMs: 0, is: true },
    { leaderMs: 20, otherMs: 41, awayMs: 0, is: false },
    { leaderMs: 1, otherMs: 1, awayMs: 5.1, is: false },
  ])('when its disk takes $otherMs ms instead of $leaderMs and it is $awayMs ms away: $is', (given) => {
    const { leaderMs, otherMs, awayMs, is } = given
    expect(judge({ syncMs: leaderMs }, { syncMs: otherMs, awayMs })).toBe(is)
  })

  it('only when that is known of both: not when one has written nothing, or began anew', () => {
    const before = { leader: speed(1, 100, 100), other: speed(1, 100, 100) }
    const wrote = speed(1, 110, 110)
    expect(isQuickEnough(before, { leader: wrote, other: wrote })).toBe(true)
    expect(isQuickEnough(before, { leader: wrote, other: speed(1, 100, 100) })).toBe(false)
    expect(isQuickEnough(before, { leader: speed(1, 3, 3), other: wrote })).toBe(false)
  })
})
