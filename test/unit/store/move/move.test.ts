import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { isHaError } from '../../../../src/framework/errors/ha-error.ts'
import type { ClusterDatabase, Json, Snapshot, Write } from '../../../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../../../src/framework/ports/real-effects.ts'
import { openFileDatabase } from '../../../../src/framework/store/file/open-file-database.ts'
import { MemoryDatabaseCore } from '../../../../src/framework/store/memory.ts'
import { copyAhead, finishCopy } from '../../../../src/framework/store/move/copy-records.ts'
import { followMoves } from '../../../../src/framework/store/move/follow-move.ts'
import {
  isOfMove,
  MOVED_KEY,
  MOVING_KEY,
  type Moved,
  moveRecord,
  originOf,
  READY_PREFIX,
} from '../../../../src/framework/store/move/move-records.ts'
import { raiseRevisions } from '../../../../src/framework/store/move/raise-revisions.ts'
import { eventually } from '../../../eventually.ts'

const MOVED: Moved = { id: 'move', to: { kind: 'etcd', endpoints: ['http://127.0.0.1:1'], isManaged: true } }
const DURABLE = { durability: 'durable' } as const

let clients: ClusterDatabase[] = []
let directories: string[] = []

afterEach(async () => {
  for (const client of clients) await client.close()
  for (const directory of directories) rmSync(directory, { recursive: true })
  clients = []
  directories = []
})

test('several writers lose nothing while their database moves, and revisions only grow', async () => {
  const place = await newPlace()
  await place.raw.commit([], [put('cluster', { name: 'lab' }), put('count', 0)], DURABLE)
  const writers = await Promise.all([1, 2, 3].map(() => place.follow()))
  const seen: number[] = []
  const reader = await place.follow()
  const { revision } = await reader.read()
  reader.watch(revision, async (event) => {
    seen.push(event.kind === 'gap' ? (await reader.read()).revision : event.revision)
  })
  const stop = new AbortController()
  const counted = Promise.all(writers.map((writer) => countUntil(writer, stop.signal)))
  await eventually('some counts in the files', 5000, async () => (await countOf(place.raw)) > 20 || undefined)
  const sealed = await place.seal()
  await eventually('some counts in the new place', 5000, async () => (await countOf(reader)) > 200 || undefined)
  stop.abort()
  const sum = (await counted).reduce((all, one) => all + one, 0)
  expect(await countOf(reader)).toBe(sum)
  expect(await countOf(place.raw)).toBeLessThan(sum)
  expect(originOf(await place.target().read())?.fromRevision).toBe(sealed.revision)
  expect(seen).toEqual(seen.toSorted((one, other) => one - other))
  expect(seen.at(-1)).toBeGreaterThan(sealed.revision)
})

test('nothing is committed any more where it was', async () => {
  const place = await newPlace()
  await place.seal()
  const refused = await place.raw.commit([], [put('a', 1)], DURABLE).catch((error: unknown) => error)
  expect(isHaError(refused, 'DATABASE_MOVED')).toBe(true)
  const reopened = await place.open()
  await expect(reopened.commit([], [put('a', 1)], DURABLE)).rejects.toMatchObject({ code: 'DATABASE_MOVED' })
  expect((await reopened.read()).records.has('a')).toBe(false)
})

test('who copied ahead and was cut off has moved nothing, and is repeated', async () => {
  const place = await newPlace()
  await place.raw.commit([], [put('cluster', { name: 'lab' }), ...many(250)], DURABLE)
  await copyAhead(await place.raw.read(), place.target(), MOVED)
  await place.raw.commit([], [{ kind: 'delete', key: 'many/7' }, put('late', true)], DURABLE)
  const user = await place.follow()
  expect((await user.read()).records.get('late')?.value).toBe(true)
  expect((await place.target().read()).records.has('cluster')).toBe(false)
  const sealed = await place.seal()
  await finishCopy(sealed, place.target(), MOVED)
  expect(contentOf(await place.target().read())).toEqual(contentOf(sealed))
})

test('a copy that is cut off after any of its commits is finished by whoever comes next', async () => {
  for (const commits of [0, 1, 2, 3, 4]) {
    const place = await newPlace()
    await place.raw.commit([], [put('cluster', { name: 'lab' }), ...many(250)], DURABLE)
    const sealed = await place.seal()
    const cut = cutOff(place.target(), commits)
    await finishCopy(sealed, cut, MOVED).catch(() => undefined)
    const user = await place.follow()
    expect(contentOf(await user.read())).toEqual(contentOf(sealed))
    expect((await user.read()).revision).toBeGreaterThan(sealed.revision)
  }
})

test('who copies late changes nothing that was written since', async () => {
  const place = await newPlace()
  await place.raw.commit([], [put('cluster', { name: 'lab' }), put('a', 1)], DURABLE)
  const sealed = await place.seal()
  const user = await place.follow()
  await user.commit([], [put('a', 2), { kind: 'delete', key: 'cluster' }], DURABLE)
  await finishCopy(sealed, place.target(), MOVED)
  const { records } = await user.read()
  expect(records.get('a')?.value).toBe(2)
  expect(records.has('cluster')).toBe(false)
})

test('a place that holds another database is left alone', async () => {
  const place = await newPlace()
  await place.target().commit([], [put('cluster', { name: 'lab' }), put('a', 'of others')], DURABLE)
  await place.raw.commit([], [put('cluster', { name: 'lab' }), put('a', 1)], DURABLE)
  await expect(copyAhead(await place.raw.read(), place.target(), MOVED)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
  expect((await place.target().read()).records.get('a')?.value).toBe('of others')
})

test('while the new place cannot be reached, nothing is answered; then all goes on', async () => {
  const place = await newPlace()
  await place.raw.commit([], [put('cluster', { name: 'lab' })], DURABLE)
  const user = await place.follow()
  const { revision } = await user.read()
  let gaps = 0
  user.watch(revision, (event) => {
    gaps += event.kind === 'gap' ? 1 : 0
  })
  place.isReachable = false
  await place.seal()
  await expect(user.read()).rejects.toThrow('out of reach')
  await expect(user.commit([], [put('a', 1)], DURABLE)).rejects.toThrow('out of reach')
  place.isReachable = true
  expect((await user.commit([], [put('a', 1)], DURABLE)).kind).toBe('committed')
  expect((await user.read()).records.get('a')?.value).toBe(1)
  expect(gaps).toBe(1)
})

test('who uses it makes ready when the move is announced, and says so; what is about the move stays behind', async () => {
  const place = await newPlace()
  await place.raw.commit([], [put('cluster', { name: 'lab' })], DURABLE)
  const user = await place.follow()
  const { revision } = await user.read()
  user.watch(revision, () => undefined)
  place.isReachable = false
  await place.raw.commit([], [put(MOVING_KEY, moveRecord({ ...MOVED, id: 'in vain' }))], DURABLE)
  await place.raw.commit([], [{ kind: 'delete', key: MOVING_KEY }], DURABLE)
  place.isReachable = true
  await place.raw.commit([], [put(MOVING_KEY, moveRecord(MOVED))], DURABLE)
  const isReady = async (): Promise<true | undefined> =>
    [...(await place.raw.read()).records.keys()].some((key) => key.startsWith(READY_PREFIX)) || undefined
  await eventually('the user to be ready', 5000, isReady)
  expect(place.prepared.at(-1)).toBe('move')
  await place.seal()
  expect([...(await user.read()).records.keys()]).toEqual(['cluster', 'origin'])
})

interface Place {
  readonly raw: ClusterDatabase
  isReachable: boolean
  /** The moves that users made ready for. */
  readonly prepared: string[]
  open(): Promise<ClusterDatabase>
  follow(): Promise<ClusterDatabase>
  seal(): Promise<Snapshot>
  target(): ClusterDatabase
}

/** A database in files, which moves into memory. */
async function newPlace(): Promise<Place> {
  const directory = mkdtempSync(`${tmpdir()}/haven-move-`)
  directories.push(directory)
  const core = new MemoryDatabaseCore()
  const keep = (client: ClusterDatabase): ClusterDatabase => {
    clients.push(client)
    return client
  }
  const open = async (): Promise<ClusterDatabase> =>
    keep(await openFileDatabase({ directory, effects: createRealEffects(), create: true }))
  const raw = await open()
  const place: Place = {
    raw,
    prepared: [],
    isReachable: true,
    open,
    target: () => core.connect(),
    seal: async () => {
      await raw.commit([{ kind: 'absent', key: MOVED_KEY }], [put(MOVED_KEY, moveRecord(MOVED))], DURABLE)
      return raw.read()
    },
    follow: async () =>
      keep(
        followMoves({
          first: await openFileDatabase({ directory, effects: createRealEffects() }),
          log: () => undefined,
          prepareNext: async ({ id }) => {
            if (!place.isReachable) throw new Error('out of reach')
            place.prepared.push(id)
          },
          forget: async () => undefined,
          openNext: async (moved) => {
            if (!place.isReachable) throw new Error('out of reach')
            const sealed = await raw.read()
            await finishCopy(sealed, core.connect(), moved)
            return raiseRevisions(core.connect(), sealed.revision)
          },
        }),
      ),
  }
  return place
}

/** Counts as many as it can, one by one. Returns how many of them were answered as done. */
async function countUntil(writer: ClusterDatabase, signal: AbortSignal): Promise<number> {
  let done = 0
  while (!signal.aborted) {
    // What is in memory answers at once, and nobody else would ever have his turn.
    await new Promise((done) => setImmediate(done))
    const record = (await writer.read()).records.get('count')
    const guards = [{ kind: 'at', key: 'count', revision: record?.revision ?? 0 }] as const
    const outcome = await writer.commit(guards, [put('count', Number(record?.value) + 1)], { durability: 'volatile' })
    if (outcome.kind === 'committed') done += 1
  }
  return done
}

async function countOf(database: ClusterDatabase): Promise<number> {
  return Number((await database.read()).records.get('count')?.value)
}

function contentOf({ records }: Snapshot): ReadonlyMap<string, Json> {
  const content = [...records.values()].filter(({ key }) => !isOfMove(key) && key !== 'origin')
  return new Map(content.map(({ key, value }) => [key, value]))
}

function many(count: number): readonly Write[] {
  return Array.from({ length: count }, (_, at) => put(`many/${at}`, { at }))
}

function put(key: string, value: Json): Write {
  return { kind: 'put', key, value }
}

function cutOff(database: ClusterDatabase, commits: number): ClusterDatabase {
  let left = commits
  return {
    ...database,
    read: () => database.read(),
    commit: (...order) => {
      left -= 1
      return left < 0 ? Promise.reject(new Error('cut off')) : database.commit(...order)
    },
  }
}
