import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openEtcdDatabase } from '../../src/framework/store/etcd/open-etcd-database.ts'
import { type EtcdCluster, missingEtcd, startEtcd } from '../etcd-process.ts'
import { eventually } from '../eventually.ts'
import { Witness } from './cluster-database-etcd-stream.ts'

/** A third of it is enough for an election of these members on a machine that is busy with other tests. */
const CALL_MS = 3000

let etcd: EtcdCluster
const clients: ClusterDatabase[] = []
beforeEach(async () => {
  etcd = await startEtcd({ members: 3, heartbeatMs: 20, electionMs: 200 })
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await etcd.end()
})

async function connect(first = 0, callMs = () => CALL_MS): Promise<ClusterDatabase> {
  const endpoints = [...etcd.endpoints.slice(first), ...etcd.endpoints.slice(0, first)]
  const client = await openEtcdDatabase({
    place: { kind: 'etcd', endpoints, isManaged: false },
    cluster: 'demo',
    effects: createRealEffects(),
    create: true,
    callMs,
    openWithinMs: 10_000,
  })
  clients.push(client)
  return client
}

const durable = { durability: 'durable' } as const
const put = (key: string, value: number) => ({ kind: 'put', key, value }) as const

describe.skipIf(missingEtcd !== undefined)('etcd of three members', () => {
  it('goes on through another when the one in use is frozen: commits, readings and watches', async () => {
    const [a, b] = [await connect(0), await connect(1)]
    const start = await a.read()
    const witness = new Witness(a, start.revision)
    await a.commit([], [put('x', 1)], durable)
    etcd.members[0]?.freeze()
    for (let value = 2; value <= 10; value += 1)
      expect(await a.commit([], [put('x', value)], durable)).toMatchObject({ kind: 'committed' })
    const { revision } = await b.read()
    expect((await a.read()).revision).toBe(revision)
    await witness.reaches(revision)
    const told = witness.changes.map((change) => change.kind === 'put' && change.record.value)
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('fails in time with DATABASE_UNAVAILABLE while all are stopped, and goes on when they are', async () => {
    let callMs = CALL_MS
    const a = await connect(0, () => callMs)
    const witness = new Witness(a, (await a.read()).revision)
    await a.commit([], [put('x', 1)], durable)
    for (const member of etcd.members) member.freeze()
    callMs = 300
    // A process stops a moment after it was told to.
    const error = await eventually('a commit to fail', 10_000, () =>
      a.commit([], [put('x', 2)], durable).then(
        () => undefined,
        (failed: unknown) => failed,
      ),
    )
    expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await expect(a.read()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    for (const member of etcd.members) member.thaw()
    callMs = CALL_MS
    const outcome = await eventually('a commit', 10_000, () =>
      a.commit([], [put('x', 3)], durable).catch(() => undefined),
    )
    expect(outcome.kind).toBe('committed')
    const { revision, records } = await a.read()
    expect(records.get('x')?.value).toBe(3)
    await witness.reaches(revision)
    expect(witness.changes.at(-1)).toMatchObject({ record: { value: 3 } })
  })
})
