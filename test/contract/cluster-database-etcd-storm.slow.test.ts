import { randomInt } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openEtcdDatabase } from '../../src/framework/store/etcd/open-etcd-database.ts'
import { createVoters } from '../../src/framework/voter/create-voters.ts'
import { EtcdCalls } from '../../src/framework/voter/etcd-calls.ts'
import { createGateway } from '../../src/framework/voter/gateway.ts'
import { DEFAULT_TUNING } from '../../src/framework/voter/tuning.ts'
import { type EtcdCluster, type EtcdMember, missingEtcd, startEtcd } from '../etcd-process.ts'
import { eventually } from '../eventually.ts'
import { CommitStream, expectTrueAnswers, Witness } from './cluster-database-etcd-stream.ts'

/** Short, so that frozen members leave many attempts behind that arrive late. */
const CALL_MS = 200
/** As a guard of some seconds has it. */
const CALM_CALL_MS = 500
const ROUNDS = 40
/** How often the lead is handed over. */
const TURNS = 30
const NO_TLS = { ca: '', certificate: '', key: '' }

let etcd: EtcdCluster
const clients: ClusterDatabase[] = []
beforeEach(async () => {
  etcd = await startEtcd({ members: 3 })
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await etcd.end()
})

async function connect(first: number, callMs = CALL_MS): Promise<ClusterDatabase> {
  const client = await openEtcdDatabase({
    place: {
      kind: 'etcd',
      endpoints: [...etcd.endpoints.slice(first), ...etcd.endpoints.slice(0, first)],
      isManaged: false,
    },
    cluster: 'demo',
    effects: createRealEffects(),
    create: true,
    callMs: () => callMs,
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

  it('answers every commit while the lead is handed around', { timeout: 60_000 }, async () => {
    const streams = [
      new CommitStream(await connect(0, CALM_CALL_MS), 'a'),
      new CommitStream(await connect(1, CALM_CALL_MS), 'b'),
    ]
    const follower = await connect(2)
    const start = await follower.read()
    const gateway = createGateway({ effects: createRealEffects(), tls: NO_TLS })
    const voters = createVoters({
      ...{ calls: new EtcdCalls(gateway), effects: createRealEffects(), cluster: 'demo' },
      ...{ endpoints: () => etcd.endpoints, tuning: () => DEFAULT_TUNING, isTls: false, clientPort: 0, peerPort: 0 },
    })
    for (const stream of streams) stream.start()
    for (let turn = 0; turn < TURNS; turn += 1) {
      const heir = (await voters.list()).find(({ role }) => role === 'follower')
      await voters.lead(heir?.name ?? '')
      const before = streams.map(({ committed }) => committed)
      await eventually('more commits', 15_000, () =>
        streams.every(({ committed }, index) => committed > (before[index] ?? 0) + 3) ? true : undefined,
      )
    }
    for (const stream of streams) await stream.stop()
    gateway.close()
    const history = new Witness(await connect(0), start.revision)
    await history.reaches((await follower.read()).revision)
    expectTrueAnswers(streams, history)
    expect(streams.flatMap(({ told }) => [...told.values()].filter(({ kind }) => kind === 'unknown'))).toEqual([])
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
