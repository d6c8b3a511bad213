import { describe, expect, it } from 'vitest'
import { isHaError } from '../../../src/framework/errors/ha-error.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import type { Change, Json } from '../../../src/framework/ports/cluster-database.ts'
import { ClusterView } from '../../../src/framework/records/cluster-view.ts'
import { decodeRecord } from '../../../src/framework/records/decode.ts'
import {
  draftsOf,
  draftsOfConfiguration,
  putReconfiguration,
  remove,
  toWrite,
} from '../../../src/framework/records/encode.ts'
import { smallState } from '../execute/small-state.ts'

const state = smallState()
const ha1 = parseName('logicalHost', 'ha1')
const ha2 = parseName('logicalHost', 'ha2')
const alpha = parseName('physicalHost', 'alpha')

function strict(): ClusterView {
  return new ClusterView((error) => {
    throw error
  })
}

/** The writes that make `state`, as a snapshot of revision 1. */
function snapshot() {
  const drafts = [
    ...draftsOfConfiguration({ kind: 'cluster', cluster: state.cluster }),
    ...[...state.logicalHosts.values()].flatMap((logicalHost) =>
      draftsOfConfiguration({ kind: 'put-logical-host', logicalHost }),
    ),
    ...[...state.states.values()].flatMap((one) => draftsOf({ kind: 'logical-host', state: one }, () => undefined)),
  ]
  const records = drafts
    .map(toWrite)
    .flatMap((write) =>
      write.kind === 'put' ? [[write.key, { key: write.key, value: write.value, revision: 1 }] as const] : [],
    )
  return { revision: 1, records: new Map(records) }
}

function mastery(name: typeof ha1, generation: number): Json {
  const one = state.states.get(name)
  return { schema: 1, ...one, generation } as unknown as Json
}

function put(key: string, value: Json, revision: number): Change {
  return { kind: 'put', record: { key, value, revision } }
}

describe('the view of the cluster', () => {
  it('is what the records say', () => {
    const view = strict()
    view.reset(snapshot())
    expect(view.state().states).toEqual(state.states)
    expect(view.state().logicalHosts).toEqual(state.logicalHosts)
    expect(view.guardOf('mastery/ha1')).toEqual({ kind: 'at', key: 'mastery/ha1', revision: 1 })
    expect(view.guardOf('mastery/nobody')).toEqual({ kind: 'absent', key: 'mastery/nobody' })
  })

  it('gives every configured logical host a state, also one that was never mastered', () => {
    const view = strict()
    const { revision, records } = snapshot()
    view.reset({ revision, records: new Map([...records].filter(([key]) => !key.startsWith('mastery/'))) })
    expect(view.state().states.get(ha1)).toMatchObject({ generation: 0, mastery: { kind: 'unmastered', why: 'new' } })
  })

  it('does not change what it has handed out', () => {
    const view = strict()
    view.reset(snapshot())
    const before = view.state()
    view.apply({ revision: 2, changes: [put('mastery/ha1', mastery(ha1, 9), 2)] })
    expect(before.states.get(ha1)?.generation).toBe(3)
    expect(view.state().states.get(ha1)?.generation).toBe(9)
    expect(view.state().logicalHosts).toBe(before.logicalHosts)
  })

  it('ignores changes that are repeated or late', () => {
    const view = strict()
    view.reset(snapshot())
    view.apply({ revision: 3, changes: [put('mastery/ha1', mastery(ha1, 5), 3)] })
    const touched = view.apply({ revision: 2, changes: [put('mastery/ha1', mastery(ha1, 4), 2)] })
    expect(touched.state).toBe(false)
    expect(view.state().states.get(ha1)?.generation).toBe(5)
    expect(view.revision).toBe(3)
  })

  it('keeps its own commits against older news, also the removal of a record', () => {
    const view = strict()
    view.reset(snapshot())
    const one = state.states.get(ha1)
    if (one === undefined) throw new Error('unreachable')
    const drafts = draftsOf({ kind: 'logical-host', state: { ...one, generation: 8 } }, () => undefined)
    view.committed(5, [...drafts, remove('mastery/ha2')])
    expect(view.revision).toBe(1)
    const changes = [put('mastery/ha1', mastery(ha1, 6), 3), put('mastery/ha2', mastery(ha2, 6), 4)]
    view.apply({ revision: 4, changes })
    expect(view.state().states.get(ha1)?.generation).toBe(8)
    expect(view.state().states.get(ha2)?.generation).toBe(0)
    view.reset({ ...snapshot(), revision: 4 })
    expect(view.state().states.get(ha1)?.generation).toBe(8)
    expect(view.guardOf('mastery/ha2').kind).toBe('absent')
    view.apply({ revision: 6, changes: [put('mastery/ha2', mastery(ha2, 7), 6)] })
    expect(view.state().states.get(ha2)?.generation).toBe(7)
  })

  it('forgets what a new reading no longer shows', () => {
    const view = strict()
    view.reset(snapshot())
    const { records } = snapshot()
    records.delete('logicalHosts/ha2')
    records.delete('mastery/ha2')
    view.reset({ revision: 4, records })
    expect([...view.state().states.keys()]).toEqual([ha1])
  })

  it('puts a long reconfiguration together from its parts, in any order', () => {
    const halves = Array.from({ length: 250 }, (_, index) => ({
      logicalHost: parseName('logicalHost', `lh${index}`),
      host: alpha,
      kind: 'take-on' as const,
      steps: [],
    }))
    const cause = { kind: 'reconfigure', by: '' } as const
    const drafts = putReconfiguration({ number: 8, cause, because: [], halves, plannedBy: alpha, atWallMs: 0 })
    expect(drafts).toHaveLength(3)
    const view = strict()
    const changes = drafts.toReversed().flatMap((draft): Change[] => {
      const write = toWrite(draft)
      return write.kind === 'put' ? [put(write.key, write.value, 2)] : []
    })
    view.apply({ revision: 2, changes })
    expect(view.reconfigurations().get(8)?.halves).toEqual(halves)
    expect(view.partsOf(8)).toBe(2)
  })

  it('keeps what it knew of a record that it cannot read, with its old revision', () => {
    const codes: string[] = []
    const view = new ClusterView((error) => codes.push(error.code))
    view.reset(snapshot())
    view.apply({ revision: 2, changes: [put('mastery/ha1', { schema: 2 }, 2), put('mastery/ha2', mastery(ha2, 4), 2)] })
    expect(codes).toEqual(['RECORD_INVALID'])
    expect(view.guardOf('mastery/ha1')).toMatchObject({ revision: 1 })
    expect(view.state().states.get(ha2)?.generation).toBe(4)
  })
})

describe('reading a record', () => {
  it('says of a newer schema what to do', () => {
    try {
      decodeRecord('cluster', { schema: 2 })
      expect.unreachable()
    } catch (error) {
      expect(isHaError(error, 'RECORD_INVALID') && error.hint).toContain('install the same version')
    }
  })

  it('lists everything that is wrong', () => {
    try {
      decodeRecord('members/alpha', {
        schema: 1,
        host: 'no good name',
        incarnation: 'x',
        state: 'joined',
        joinedWallMs: 0,
      })
      expect.unreachable()
    } catch (error) {
      expect(isHaError(error, 'RECORD_INVALID') && error.details).toHaveLength(2)
    }
  })

  it('drops fields, and leaves out kinds of records, that it does not know', () => {
    const member = { host: 'alpha', incarnation: 1, state: 'joined', joinedWallMs: 0 }
    expect(decodeRecord('members/alpha', { schema: 1, ...member, mood: 'fine' })?.value).toEqual(member)
    expect(decodeRecord('overrides/ha1', { schema: 1 })).toBeUndefined()
  })
})
