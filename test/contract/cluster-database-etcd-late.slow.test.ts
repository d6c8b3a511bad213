import { createServer, connect as openConnection, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClusterDatabase, CommitOutcome } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openEtcdDatabase } from '../../src/framework/store/etcd/open-etcd-database.ts'
import { type EtcdCluster, missingEtcd, startEtcd } from '../etcd-process.ts'
import { eventually } from '../eventually.ts'

const durable = { durability: 'durable' } as const
/** A frame of HTTP/2 by which a client takes a request back (RFC 9113, 6.4). */
const RST_STREAM = 3
const FRAME_HEADER_BYTES = 9

/** Leads to a member of etcd, and can keep what is sent to it: then passes it on later, as if the sender had not lost patience meanwhile. */
class SlowRoad {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #kept: { readonly to: Socket; readonly bytes: Buffer }[] = []
  #isHeld = false

  constructor(endpoint: string) {
    const { hostname, port } = new URL(endpoint)
    this.#server = createServer((from) => {
      const to = openConnection(Number(port), hostname)
      for (const socket of [from, to]) {
        this.#sockets.add(socket)
        socket.on('error', () => socket.destroy())
      }
      from.on('data', (bytes) => {
        if (this.#isHeld) this.#kept.push({ to, bytes })
        else to.write(bytes)
      })
      to.on('data', (bytes) => from.write(bytes))
      // A road does not end because one side has left it.
      to.on('close', () => from.destroy())
    })
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  }

  get keptBytes(): number {
    return this.#kept.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  hold(): void {
    this.#isHeld = true
  }

  /** Passes on what was kept, without what takes it back, and whatever comes from now on. Returns how many bytes were kept. */
  release(): number {
    this.#isHeld = false
    const kept = this.#kept.splice(0).map(({ to, bytes }) => to.write(withoutResets(bytes)) && bytes.length)
    return kept.reduce<number>((sum, bytes) => sum + Number(bytes), 0)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

function withoutResets(bytes: Buffer): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3)
    if (bytes[at + 3] !== RST_STREAM) frames.push(bytes.subarray(at, end))
    at = end
  }
  return Buffer.concat(frames)
}

let etcd: EtcdCluster
let road: SlowRoad
const clients: ClusterDatabase[] = []
beforeEach(async () => {
  etcd = await startEtcd()
  road = new SlowRoad(etcd.endpoints[0] ?? '')
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  road.close()
  await etcd.end()
})

async function connect(endpoints: readonly string[], callMs = 1000): Promise<ClusterDatabase> {
  const client = await openEtcdDatabase({
    place: { kind: 'etcd', endpoints, isManaged: false },
    cluster: 'demo',
    effects: createRealEffects(),
    create: true,
    callMs: () => callMs,
    openWithinMs: 10_000,
  })
  clients.push(client)
  return client
}

const put = (key: string, value: number) => ({ kind: 'put', key, value }) as const
const absent = (key: string) => ({ kind: 'absent', key }) as const

/** Commits by a client whose first attempt stays on the road, and whose second one goes straight. One that was too slow to begin on the road is not the one. */
async function overSlowRoad(commit: (slow: ClusterDatabase) => Promise<CommitOutcome>): Promise<CommitOutcome> {
  const slowly = await road.open()
  return eventually('a commit over the slow road', 30_000, async () => {
    const slow = await connect([slowly, ...etcd.endpoints])
    await slow.commit([], [put('y', 1)], durable)
    road.hold()
    const outcome = await commit(slow)
    if (road.keptBytes > 0) return outcome
    road.release()
    return undefined
  })
}

describe.skipIf(missingEtcd !== undefined)('a commit that arrives late', () => {
  it('does nothing once it was answered as a lost race, although its conditions hold again', async () => {
    const other = await connect(etcd.endpoints)
    await other.commit([absent('lock')], [put('lock', 1)], durable)
    const outcome = await overSlowRoad((slow) => slow.commit([absent('lock')], [put('lock', 2)], durable))
    expect(outcome).toEqual({ kind: 'lost-race', key: 'lock' })
    await other.commit([], [{ kind: 'delete', key: 'lock' }], durable)
    expect(road.release()).toBeGreaterThan(0)
    await settled(other)
    expect((await other.read()).records.has('lock')).toBe(false)
  })

  it('does nothing once it was answered as committed', async () => {
    const other = await connect(etcd.endpoints)
    const outcome = await overSlowRoad((slow) => slow.commit([], [put('x', 1)], durable))
    expect(outcome.kind).toBe('committed')
    await other.commit([], [put('x', 2)], durable)
    expect(road.release()).toBeGreaterThan(0)
    await settled(other)
    expect((await other.read()).records.get('x')?.value).toBe(2)
  })

  it('is found out by the next one when nobody learned what became of it', async () => {
    const slow = await connect([await road.open()], 200)
    const other = await connect(etcd.endpoints)
    await slow.commit([], [put('y', 1)], durable)
    road.hold()
    await expect(slow.commit([], [put('x', 1)], durable)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(road.release()).toBeGreaterThan(0)
    await eventually('the late commit', 5000, async () => (await other.read()).records.get('x'))
    const outcome = await eventually('a commit', 5000, () =>
      slow.commit([], [put('x', 2)], durable).catch(() => undefined),
    )
    expect(outcome).toMatchObject({ kind: 'committed' })
    expect((await other.read()).records.get('x')).toMatchObject({
      value: 2,
      revision: outcome.kind === 'committed' && outcome.revision,
    })
  })
})

/** Waits until etcd has done what was sent to it before: its answers to one client come in order, and this asks for some of them. */
async function settled(client: ClusterDatabase): Promise<void> {
  for (let commits = 0; commits < 20; commits += 1) await client.commit([], [put('z', commits)], durable)
}
