import { describe, expect, it } from 'vitest'
import { HaError, isHaError } from '../../../src/framework/errors/ha-error.ts'
import { type CommitParts, commitPlan, type PlanNote } from '../../../src/framework/execute/commit-plan.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { newPhysicalHost } from '../../../src/framework/model/new-physical-host.ts'
import type { Cause, Plan } from '../../../src/framework/model/reconfiguration.ts'
import { plan } from '../../../src/framework/plan/planner.ts'
import { ClusterView } from '../../../src/framework/records/cluster-view.ts'
import { draftsOfConfiguration, toWrite } from '../../../src/framework/records/encode.ts'
import { MemoryDatabaseCore } from '../../../src/framework/store/memory.ts'
import { logicalHostChanges } from '../daemon/small-world.ts'
import { VirtualClock } from '../daemon/virtual-clock.ts'
import { smallState } from './small-state.ts'

const alpha = parseName('physicalHost', 'alpha')
const beta = parseName('physicalHost', 'beta')
const ha1 = parseName('logicalHost', 'ha1')

interface Setup {
  readonly core: MemoryDatabaseCore
  /** What a host at its own connection commits with. */
  parts(change?: Partial<CommitParts>): Promise<CommitParts>
}

/** A configured cluster without members. */
function setUp(): Setup {
  const core = new MemoryDatabaseCore()
  const { cluster } = smallState()
  const hosts = [alpha, beta].map((name) => ({
    kind: 'put-physical-host' as const,
    physicalHost: newPhysicalHost(name),
  }))
  const changes = [{ kind: 'cluster' as const, cluster }, ...hosts, ...logicalHostChanges('ha1', ['alpha', 'beta'])]
  core.commit([], changes.flatMap(draftsOfConfiguration).map(toWrite))
  return {
    core,
    parts: async (change = {}) => {
      const database = core.connect()
      const view = new ClusterView((error) => {
        throw error
      })
      view.reset(await database.read())
      return {
        database,
        view,
        effects: new VirtualClock().effects(),
        planning: { plan, check: () => [] },
        me: alpha,
        journalMax: 200,
        onTouched: () => undefined,
        recordPlan: () => undefined,
        ...change,
      }
    },
  }
}

const start: Cause = { kind: 'cluster-started', host: alpha }
const reconfigure: Cause = { kind: 'reconfigure', by: 'anna' }

describe('committing a plan', () => {
  it('writes its changes, the reconfiguration and the journal in one commit', async () => {
    const { core, parts } = setUp()
    const mine = await parts()
    const made = await commitPlan(mine, { cause: start })
    expect(made?.plan.number).toBe(1)
    const { records } = core.snapshot()
    const written = [...records.values()].filter(({ revision }) => revision === made?.revision).map(({ key }) => key)
    expect(written.toSorted()).toEqual(['journal', 'mastery/ha1', 'members/alpha', 'reconfigurations/1'])
    expect(mine.view.state().members.get(alpha)?.incarnation).toBe(1)
    expect(mine.view.state().states.get(ha1)?.mastery).toEqual({ kind: 'takingOn', by: alpha, uncleanOn: [] })
  })

  it('does not commit what changes nothing', async () => {
    const { core, parts } = setUp()
    const mine = await parts()
    expect(await commitPlan(mine, { cause: { kind: 'settle', why: 'nothing' } })).toBeNull()
    expect(core.snapshot().records.has('journal')).toBe(false)
  })

  it('plans again from what is true when somebody was faster', async () => {
    const { parts } = setUp()
    const late = await parts({ me: beta })
    await commitPlan(await parts(), { cause: start })
    const numbers: number[] = []
    const made = await commitPlan(late, {
      cause: { kind: 'host-joined', host: beta },
      accept: ({ number }) => void numbers.push(number),
    })
    expect(numbers).toEqual([1, 2])
    expect(made?.plan.number).toBe(2)
    expect([...late.view.state().members.keys()]).toEqual([alpha, beta])
  })

  it('gives up when somebody is faster again and again', async () => {
    const { core, parts } = setUp()
    const mine = await parts()
    let count = 0
    const planning = {
      check: () => [],
      plan: (...words: Parameters<typeof plan>): Plan => {
        count += 1
        core.commit([], [{ kind: 'put', key: 'journal', value: { schema: 1, last: 0, first: 0 } }])
        return plan(...words)
      },
    }
    await expect(commitPlan({ ...mine, planning }, { cause: start })).rejects.toThrow(HaError)
    expect(count).toBe(20)
  })

  it('refuses a plan that the checker calls unsafe, and keeps what it was made from', async () => {
    const { core, parts } = setUp()
    const notes: PlanNote[] = [{ severity: 'fatal', subject: 'ha1', text: 'mastered twice' }]
    const recorded: number[] = []
    const mine = await parts({
      planning: { plan, check: () => notes },
      recordPlan: (input) => void recorded.push(input.notes.length),
    })
    const before = core.snapshot().revision
    const error = await commitPlan(mine, { cause: start }).catch((thrown: unknown) => thrown)
    expect(isHaError(error, 'PLAN_UNSAFE') && error.details).toEqual(['ha1: mastered twice'])
    expect(core.snapshot().revision).toBe(before)
    expect(recorded).toEqual([1])
  })

  it('does not evict a host that has stamped since it was observed', async () => {
    const { core, parts } = setUp()
    const first = await parts()
    await commitPlan(first, { cause: start })
    await commitPlan(first, { cause: { kind: 'host-joined', host: beta } })
    const stamp = { schema: 1, host: 'beta', incarnation: 2, sequence: 1, expiryMs: 2200, seenRevision: 1 }
    core.commit([], [{ kind: 'put', key: 'stamps/beta', value: stamp }])
    const mine = await parts()
    const observed = mine.view.stamps().get(beta)?.revision
    core.commit([], [{ kind: 'put', key: 'stamps/beta', value: { ...stamp, sequence: 2 } }])
    const made = await commitPlan(mine, {
      cause: { kind: 'hosts-lost', hosts: [{ host: beta, evidence: 'expired' }] },
      unchangedStamps: new Map([[beta, observed]]),
      isWanted: () => mine.view.stamps().get(beta)?.revision === observed,
    })
    expect(made).toBeNull()
    expect(core.snapshot().records.has('members/beta')).toBe(true)
  })

  it('removes the stamp and the progress of a host that is gone', async () => {
    const { core, parts } = setUp()
    const mine = await parts()
    await commitPlan(mine, { cause: start })
    await commitPlan(mine, { cause: { kind: 'host-joined', host: beta } })
    const progress = {
      schema: 1,
      reconfiguration: 1,
      logicalHost: 'ha1',
      host: 'beta',
      kind: 'watch-start',
      step: 0,
      steps: 1,
      action: { kind: 'end-processes', service: 'all' },
      startedWallMs: 0,
      timeoutMs: 1,
    }
    core.commit([], [{ kind: 'put', key: 'progress/ha1/beta', value: progress }])
    const later = await parts()
    await commitPlan(later, { cause: { kind: 'hosts-lost', hosts: [{ host: beta, evidence: 'fenced' }] } })
    const { records } = core.snapshot()
    expect([...records.keys()].filter((key) => key.endsWith('beta'))).toEqual(['physicalHosts/beta'])
    expect([...later.view.progress()]).toEqual([])
  })

  it('keeps a bounded journal, and what a logical host still refers to', async () => {
    const { core, parts } = setUp()
    const mine = await parts({ journalMax: 3 })
    await commitPlan(mine, { cause: start })
    for (let round = 0; round < 5; round += 1) {
      await commitPlan(mine, { cause: { kind: 'host-joined', host: beta } })
      await commitPlan(mine, { cause: { kind: 'hosts-lost', hosts: [{ host: beta, evidence: 'fenced' }] } })
    }
    const kept = [...core.snapshot().records.keys()].filter((key) => key.startsWith('reconfigurations/'))
    expect(kept.toSorted()).toEqual([
      'reconfigurations/1',
      'reconfigurations/10',
      'reconfigurations/11',
      'reconfigurations/9',
    ])
    expect(core.snapshot().records.get('journal')?.value).toMatchObject({ last: 11, first: 1 })
    expect([...mine.view.reconfigurations().keys()]).toEqual([1, 9, 10, 11])
  })

  it('passes on what the planner refuses', async () => {
    const { parts } = setUp()
    const mine = await parts()
    await commitPlan(mine, { cause: start })
    const error = await commitPlan(mine, { cause: { kind: 'host-joined', host: alpha } }).catch(
      (thrown: unknown) => thrown,
    )
    expect(isHaError(error, 'ALREADY_EXISTS')).toBe(true)
    expect(await commitPlan(mine, { cause: reconfigure })).toBeNull()
  })
})
