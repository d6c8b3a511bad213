import { randomInt } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openEtcdDatabase } from '../../src/framework/store/etcd/open-etcd-database.ts'
import { type EtcdCluster, type EtcdMember, missingEtcd, startEtcd } from '../etcd-process.ts'
import { eventually } from '../eventually.ts'
import { CommitStream, expectTrueAnswers, Witness } from './cluster-database-etcd-stream.ts'

/** Short, so that frozen members leave many attempts behind that arrive late. */
const CALL_MS = 200
const ROUNDS = 40

let etcd: EtcdCluster
const clients: ClusterDatabase[] = []
beforeEach(async () => {
  etcd = await startEtcd({ members: 3 })
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await etcd.end()
})

async function connect(first: number): Promise<ClusterDatabase> {
  const client = await openEtcdDatabase({
    place: {
      kind: 'etcd',
      endpoints: [...etcd.endpoints.slice(first), ...etcd.endpoints.slice(0, first)],
      isManaged: false,
    },
    cluster: 'demo',
    effects: createRealEffects(),
    create: true,
    callMs: () => CALL_MS,
    openWithinMs: 10_000,
  })
  clients.push(client)
  return client
}

/** One thing that goes wrong, and ends again. */
const FAULTS: readonly ((member: EtcdMember, pause: () => Promise<unknown>) => Promise<void>)[] = [
  async (member, pause) => {
    member.freeze()
    await pause()
    member.thaw()
  },
  async (member, pause) => {
    await member.kill()
    await pause()
    await member.start()
  },
  async (_member, pause) => {
    for (const each of etcd.members) each.freeze()
    await pause()
    for (const each of etcd.members) each.thaw()
  },
]

describe.skipIf(missingEtcd !== undefined)('etcd of three members in a storm', () => {
  it('says what is true, loses nothing and does nothing twice while the leader is killed in the middle of commits', {
    timeout: 60_000,
  }, async () => {
    const streams = [new CommitStream(await connect(0), 'a'), new CommitStream(await connect(1), 'b')]
    const follower = await connect(2)
    const start = await follower.read()
    const witness = new Witness(follower, start.revision)
    for (const stream of streams) stream.start()
    const reach = (more: number): Promise<true> => {
      const wanted = streams.map((stream) => stream.committed + more)
      return eventually('more commits', 15_000, () =>
        streams.every((stream, index) => stream.committed >= (wanted[index] ?? 0)) ? true : undefined,
      )
    }
    await reach(20)
    const leader = await etcd.leader()
    await leader.kill()
    await reach(20)
    await leader.start()
    await reach(20)
    for (const stream of streams) await stream.stop()
    const { revision } = await eventually('a reading', 10_000, () => follower.read())
    await witness.reaches(revision)
    const history = new Witness(await connect(0), start.revision)
    await history.reaches(revision)
    expectTrueAnswers(streams, history)
    expect(witness.changes).toEqual(history.changes)
  })

  it('says what is true, and watches miss nothing, while members are killed, frozen and brought back at random', {
    timeout: 300_000,
  }, async () => {
    const streams = await Promise.all(
      [0, 1, 2, 0].map(async (first, index) => new CommitStream(await connect(first), `s${index}`)),
    )
    const watching = await connect(0)
    const start = await watching.read()
    const witness = new Witness(watching, start.revision)
    for (const stream of streams) stream.start()
    const attempts = (): number => streams.reduce((sum, { told }) => sum + told.size, 0)
    const pause = (): Promise<true> => {
      const before = attempts()
      return eventually('attempts', 20_000, () => (attempts() > before + randomInt(3, 12) ? true : undefined))
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      const member = etcd.members[randomInt(3)]
      const fault = FAULTS[randomInt(FAULTS.length)]
      if (member !== undefined) await fault?.(member, pause)
      await pause()
    }
    for (const stream of streams) await stream.stop()
    const { revision } = await eventually('a reading', 10_000, () => watching.read())
    await witness.reaches(revision)
    const history = new Witness(await connect(1), start.revision)
    await history.reaches(revision)
    expectTrueAnswers(streams, history)
    expect(witness.changes).toEqual(history.changes)
    const kinds = streams.flatMap(({ told }) => [...told.values()].map(({ kind }) => kind))
    // Else the storm was none.
    expect(new Set(kinds)).toEqual(new Set(['committed', 'lost-race', 'unknown']))
  })
})
