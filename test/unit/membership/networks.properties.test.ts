import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeNetwork } from '../../../src/framework/membership/describe-networks.ts'
import { judgeNetworks, type NetworkVerdict } from '../../../src/framework/membership/networks.ts'
import { type Seen, type Sketch, sketch } from './networks-sketch.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']

interface Case {
  readonly sees: Readonly<Record<string, Seen | null>>
  readonly absent: readonly string[]
}

const hears: fc.Arbitrary<readonly string[] | null> = fc.option(fc.subarray(NAMES), { freq: 9 })
const seen: fc.Arbitrary<Seen | null> = fc.option(
  fc.record({
    link: fc.constantFrom<'up' | 'down' | 'unknown'>('up', 'up', 'up', 'down', 'unknown'),
    hears,
    reaches: fc.constantFrom(null, null, true, false),
  }),
  { freq: 9 },
)

const cases: fc.Arbitrary<Case> = fc.subarray(NAMES, { minLength: 1 }).chain((names) =>
  fc.record({
    sees: fc
      .tuple(...names.map(() => seen))
      .map((all) => Object.fromEntries(names.map((name, index) => [name, all[index] ?? null]))),
    absent: fc.subarray(names),
  }),
)

const role: fc.Arbitrary<NonNullable<Sketch['role']>> = fc.constantFrom('internal', 'both', 'client')

function judge({ sees, absent }: Case, as: NonNullable<Sketch['role']> = 'internal'): NetworkVerdict {
  const [verdict] = judgeNetworks(sketch({ priv1: { role: as, sees } }, { absent }))
  if (verdict === undefined) throw new Error('there is a network')
  return verdict
}

/** States by name, with the names changed. */
function statesOf({ state, interfaces }: NetworkVerdict, rename = (name: string): string => name): object {
  return { state, of: new Map(interfaces.map((one) => [rename(one.host), one.state])) }
}

describe('whatever the hosts see', () => {
  it('the answer does not depend on their names', () => {
    fc.assert(
      fc.property(cases, role, fc.shuffledSubarray(NAMES, { minLength: 5 }), (one, as, names) => {
        const rename = (name: string): string => names[NAMES.indexOf(name)] ?? name
        const renamed: Case = {
          absent: one.absent.map(rename),
          sees: Object.fromEntries(
            Object.entries(one.sees).map(([name, what]) => [
              rename(name),
              what === null ? null : renameSeen(what, rename),
            ]),
          ),
        }
        expect(statesOf(judge(renamed, as))).toEqual(statesOf(judge(one, as), rename))
      }),
    )
  })

  it('a host that is down changes nothing for the others', () => {
    fc.assert(
      fc.property(cases, role, (one, as) => {
        const left = Object.fromEntries(Object.entries(one.sees).filter(([name]) => !one.absent.includes(name)))
        const without = statesOf(judge({ sees: left, absent: [] }, as)) as { of: ReadonlyMap<string, string> }
        const verdict = judge(one, as)
        for (const { host, state } of verdict.interfaces) {
          if (one.absent.includes(host)) expect(state).toBe('unavailable')
          else expect(state).toBe(without.of.get(host))
        }
      }),
    )
  })

  it('every working interface of a network that is up is up, and of one that is down none communicates', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const { state, interfaces } = judge(one)
        const judged = interfaces.filter((at) => at.state !== 'unavailable' && at.state !== 'unknown')
        if (state === 'up') expect(judged.every((at) => at.state === 'up')).toBe(true)
        if (state === 'partitioned') expect(judged.length).toBeGreaterThan(2)
        if (state === 'unavailable') expect(judged).toEqual([])
      }),
    )
  })

  it('two interfaces of which neither has failed are apart for both of them or for none', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const { interfaces } = judge(one)
        for (const at of interfaces)
          for (const other of at.apartFrom)
            expect(interfaces.find(({ host }) => host === other)?.apartFrom).toContain(at.host)
      }),
    )
  })

  it('without links and probes two hosts never blame each other', () => {
    const two = fc.record({ a: fc.subarray(['b']), b: fc.subarray(['a']) })
    fc.assert(
      fc.property(two, (sees) => judge({ sees, absent: [] }).interfaces.every(({ state }) => state !== 'failed')),
    )
  })

  it('who communicates with somebody has not failed', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const { interfaces } = judge(one)
        const known = interfaces.filter(({ state }) => state !== 'unavailable' && state !== 'unknown')
        for (const { state, apartFrom, isolation } of known)
          if (state === 'failed' && isolation === 'peers') expect(apartFrom.length).toBe(known.length - 1)
      }),
    )
  })

  it('something is said', () => {
    fc.assert(fc.property(cases, role, (one, as) => /^[a-z]/.test(describeNetwork(judge(one, as), [judge(one, as)]))))
  })
})

function renameSeen(what: Seen, rename: (name: string) => string): Seen {
  if (Array.isArray(what)) return what.map(rename)
  const { hears, ...more } = what as Exclude<Seen, readonly string[]>
  return { ...more, hears: hears?.map(rename) ?? null }
}
