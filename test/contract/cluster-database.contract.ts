import { afterEach, describe, expect, it } from 'vitest'
import {
  type ClusterDatabase,
  type Guard,
  type Json,
  RECORD_SIZE_BYTES_MAX,
  type Snapshot,
  type WatchEvent,
  type Write,
} from '../../src/framework/ports/cluster-database.ts'
import { eventually } from '../eventually.ts'
import type { DatabaseHarness, MakeHarness } from './cluster-database-harness.ts'
import { describeDatabaseModel } from './cluster-database-model.ts'

const durable = { durability: 'durable' } as const
const volatile = { durability: 'volatile' } as const

/** Shows a snapshot by its values alone. */
export function valuesOf({ records }: Snapshot): Record<string, Json> {
  return Object.fromEntries([...records.values()].map(({ key, value }) => [key, value]))
}

const put = (key: string, value: Json): Write => ({ kind: 'put', key, value })
const remove = (key: string): Write => ({ kind: 'delete', key })
const absent = (key: string): Guard => ({ kind: 'absent', key })
const at = (key: string, revision: number): Guard => ({ kind: 'at', key, revision })

async function commit(database: ClusterDatabase, guards: readonly Guard[], writes: readonly Write[]): Promise<number> {
  const outcome = await database.commit(guards, writes, durable)
  if (outcome.kind !== 'committed') throw new Error(`lost a race for ${outcome.key}`)
  return outcome.revision
}

/** Shows that an engine keeps the promises of `ports/cluster-database.ts`. */
export function describeClusterDatabase(name: string, makeHarness: MakeHarness): void {
  describe(`cluster database: ${name}`, () => {
    const harnesses: DatabaseHarness[] = []

    async function two(): Promise<[ClusterDatabase, ClusterDatabase]> {
      const harness = await makeHarness()
      harnesses.push(harness)
      return [await harness.connect(), await harness.connect()]
    }

    afterEach(async () => {
      for (const harness of harnesses.splice(0)) await harness.end()
    })

    describeCommits(two)
    describeGuards(two)
    describeLimits(two)
    describeWatches(two)
    describeClosing(two)
    describeDatabaseModel(makeHarness)
  })
}

type Two = () => Promise<[ClusterDatabase, ClusterDatabase]>

function describeCommits(two: Two): void {
  describe('commits', () => {
    it('reads an empty database before the first', async () => {
      const [a] = await two()
      expect((await a.read()).records.size).toBe(0)
    })

    it('keeps every kind of JSON value as it is', async () => {
      const [a, b] = await two()
      const value = {
        text: 'zwölf Boxkämpfer 🚀 "\\\n',
        number: -1.5e-7,
        list: [null, true, [], {}],
        nested: { '': 0, a: { b: [1] } },
      }
      await commit(a, [], [put('a/b', value)])
      expect(valuesOf(await b.read())).toEqual({ 'a/b': value })
    })

    it('gives each a revision above all before, and each record that of its last commit', async () => {
      const [a, b] = await two()
      const first = await commit(a, [], [put('x', 1), put('y', 1)])
      const second = await commit(b, [], [put('y', 2)])
      expect(second).toBeGreaterThan(first)
      const { revision, records } = await a.read()
      expect([revision, records.get('x')?.revision, records.get('y')?.revision]).toEqual([second, first, second])
    })

    it('shows each client at once what it or another was answered, durable or volatile', async () => {
      const [a, b] = await two()
      for (let value = 0; value < 20; value += 1) {
        await a.commit([], [put('x', value)], value % 2 === 0 ? durable : volatile)
        expect(valuesOf(await a.read())).toEqual({ x: value })
        expect(valuesOf(await b.read())).toEqual({ x: value })
      }
    })

    it('does not change a snapshot that was handed out', async () => {
      const [a] = await two()
      await commit(a, [], [put('x', 1)])
      const before = await a.read()
      await commit(a, [], [put('x', 2), put('y', 2)])
      expect(valuesOf(before)).toEqual({ x: 1 })
    })

    it('does not change with the value that its caller gave and goes on using', async () => {
      const [a] = await two()
      const value = { list: [1] }
      await commit(a, [], [put('x', value)])
      value.list.push(2)
      expect(valuesOf(await a.read())).toEqual({ x: { list: [1] } })
    })

    it('deletes, and takes deleting what is absent as no error', async () => {
      const [a, b] = await two()
      await commit(a, [], [put('x', 1), put('y', 1)])
      await commit(b, [], [remove('x'), remove('never')])
      expect(valuesOf(await a.read())).toEqual({ y: 1 })
    })

    it('gives up when its signal is aborted already, having done nothing', async () => {
      const [a, b] = await two()
      const given = a.commit([], [put('x', 1)], { durability: 'durable', signal: AbortSignal.abort() })
      await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
      expect(valuesOf(await b.read())).toEqual({})
    })
  })
}

function describeGuards(two: Two): void {
  describe('guards', () => {
    it('commits when every guard holds', async () => {
      const [a, b] = await two()
      const revision = await commit(a, [absent('x'), absent('y')], [put('x', 1)])
      await commit(b, [at('x', revision), absent('y')], [put('y', 1)])
      expect(valuesOf(await a.read())).toEqual({ x: 1, y: 1 })
    })

    it('names the first guard that does not hold, and does nothing', async () => {
      const [a, b] = await two()
      const old = await commit(a, [], [put('x', 1), put('y', 1)])
      const revision = await commit(b, [], [put('x', 2)])
      const lost = async (guards: Guard[]): Promise<unknown> =>
        await a.commit(guards, [put('y', 9), put('z', 9), remove('x')], durable)
      expect(await lost([at('y', old), at('x', old), absent('y')])).toEqual({ kind: 'lost-race', key: 'x' })
      expect(await lost([absent('x')])).toEqual({ kind: 'lost-race', key: 'x' })
      expect(await lost([at('z', old)])).toEqual({ kind: 'lost-race', key: 'z' })
      expect(await b.read()).toMatchObject({ revision })
      expect(valuesOf(await b.read())).toEqual({ x: 2, y: 1 })
    })

    it('guards a record that came back against one that saw it before', async () => {
      const [a, b] = await two()
      const before = await commit(a, [], [put('x', 1)])
      await commit(b, [], [remove('x')])
      await commit(b, [], [put('x', 1)])
      expect(await a.commit([at('x', before)], [put('x', 2)], durable)).toEqual({ kind: 'lost-race', key: 'x' })
    })

    it('lets exactly one of several win the same guard', async () => {
      const [a, b] = await two()
      const outcomes = await Promise.all(
        [a, b, a, b, a, b].map((database, index) => database.commit([absent('x')], [put('x', index)], durable)),
      )
      expect(outcomes.filter(({ kind }) => kind === 'committed')).toHaveLength(1)
      expect(valuesOf(await b.read())).toEqual({ x: outcomes.findIndex(({ kind }) => kind === 'committed') })
    })

    it('loses no update of counters that several clients increment at once', async () => {
      const [a, b] = await two()
      const increments = 40
      const increment = async (database: ClusterDatabase, key: string): Promise<void> => {
        for (;;) {
          const record = (await database.read()).records.get(key)
          const guard = record === undefined ? absent(key) : at(key, record.revision)
          const outcome = await database.commit([guard], [put(key, Number(record?.value ?? 0) + 1)], volatile)
          if (outcome.kind === 'committed') return
        }
      }
      const worker = async (database: ClusterDatabase): Promise<void> => {
        for (let done = 0; done < increments; done += 1) await increment(database, `counters/${done % 2}`)
      }
      await Promise.all([a, b, a, b].map(worker))
      expect(valuesOf(await a.read())).toEqual({ 'counters/0': 2 * increments, 'counters/1': 2 * increments })
    })
  })
}

function describeLimits(two: Two): void {
  describe('limits', () => {
    it.each(['', '/', 'a/', '/a', 'a//b', 'x'.repeat(256), 'ü'.repeat(128)])('refuses the key %j', async (key) => {
      const [a] = await two()
      await expect(a.commit([], [put(key, 1)], durable)).rejects.toMatchObject({ code: 'NAME_INVALID' })
      await expect(a.commit([absent(key)], [], durable)).rejects.toMatchObject({ code: 'NAME_INVALID' })
      expect((await a.read()).records.size).toBe(0)
    })

    it('takes a key and a record of just the limit', async () => {
      const [a, b] = await two()
      const text = 'x'.repeat(RECORD_SIZE_BYTES_MAX - 2) // Two quotes make it a JSON string.
      await commit(a, [], [put('k'.repeat(255), text)])
      expect(valuesOf(await b.read())).toEqual({ ['k'.repeat(255)]: text })
    })

    it('refuses a bigger record, with all that was to be committed with it', async () => {
      const [a] = await two()
      const writes = [put('small', 1), put('big', 'x'.repeat(RECORD_SIZE_BYTES_MAX - 1))]
      await expect(a.commit([], writes, durable)).rejects.toMatchObject({ code: 'DATABASE_FULL' })
      expect(valuesOf(await a.read())).toEqual({})
    })

    it('holds big states', async () => {
      const [a, b] = await two()
      const text = 'x'.repeat(10_000)
      for (let part = 0; part < 10; part += 1) {
        await commit(
          a,
          [],
          Array.from({ length: 100 }, (_, index) => put(`big/${part}/${index}`, { text, index })),
        )
      }
      const { records } = await b.read()
      expect(records.size).toBe(1000)
      expect(records.get('big/9/99')?.value).toEqual({ text, index: 99 })
    })
  })
}

function describeWatches(two: Two): void {
  describe('watches', () => {
    it('tell every client of every later commit, whole and in order, of its own ones too', async () => {
      const [a, b] = await two()
      const start = await commit(a, [], [put('x', 0)])
      const mirrors = [new Mirror(a), new Mirror(b)]
      for (const mirror of mirrors) await mirror.start()
      for (let value = 1; value <= 30; value += 1) {
        await commit(value % 2 === 0 ? a : b, [], value % 5 === 0 ? [remove('x')] : [put('x', value), put('y', value)])
      }
      const { revision } = await a.read()
      expect(revision).toBeGreaterThan(start)
      for (const mirror of mirrors) await mirror.reaches(await a.read())
      for (const mirror of mirrors) expect(mirror.halves).toEqual([])
    })

    it('tell what was committed between the reading and the watch', async () => {
      const [a, b] = await two()
      const { revision } = await b.read()
      await commit(a, [], [put('x', 1)])
      await commit(a, [], [put('x', 2)])
      const mirror = new Mirror(b)
      mirror.watchFrom(revision)
      await mirror.reaches(await a.read())
    })

    it('tell all that was committed since long ago, or a gap', async () => {
      const [a, b] = await two()
      const first = await commit(a, [], [put('x', 0)])
      for (let value = 1; value <= 1000; value += 1) await a.commit([], [put(`x/${value % 7}`, value)], volatile)
      const mirror = new Mirror(b)
      await mirror.start()
      mirror.watchFrom(first)
      await mirror.reaches(await a.read())
    })

    it('never tell before watch has returned, nor after it was closed', async () => {
      const [a, b] = await two()
      await commit(a, [], [put('x', 1)])
      let returned = false
      const early: WatchEvent[] = []
      const late: WatchEvent[] = []
      const watch = b.watch(0, (event) => (returned ? late : early).push(event))
      returned = true
      await eventually('the first event', 5000, () => late[0])
      watch.close()
      watch.close()
      const told = late.length
      const mirror = new Mirror(b)
      await mirror.start()
      await commit(a, [], [put('x', 2)])
      await mirror.reaches(await a.read())
      expect([early, late.length]).toEqual([[], told])
    })
  })
}

function describeClosing(two: Two): void {
  describe('closing', () => {
    it('ends this client only, twice as well as once', async () => {
      const [a, b] = await two()
      const events: WatchEvent[] = []
      a.watch(0, (event) => events.push(event))
      await a.close()
      await a.close()
      await commit(b, [], [put('x', 1)])
      expect(valuesOf(await b.read())).toEqual({ x: 1 })
      expect(events).toEqual([])
      await expect(a.read()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
      await expect(a.commit([], [put('x', 2)], durable)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
      expect(() => a.watch(0, () => undefined)).toThrow(expect.objectContaining({ code: 'DATABASE_UNAVAILABLE' }))
    })

    it('answers every commit that is under way, one way or the other', async () => {
      const [a, b] = await two()
      const commits = Array.from({ length: 20 }, (_, index) => a.commit([], [put(`x/${index}`, index)], durable))
      const [settled] = await Promise.all([Promise.allSettled(commits), a.close()])
      const { records } = await b.read()
      for (const [index, result] of settled.entries())
        if (result.status === 'fulfilled') expect(records.has(`x/${index}`)).toBe(true)
    })
  })
}

/** Keeps a copy of the database by its watch alone, as a reader should: old news ignored, everything read again after a gap. */
class Mirror {
  readonly #database: ClusterDatabase
  #revision = 0
  readonly #values = new Map<string, Json>()
  /** Events that told of less than a whole commit: those whose revision is above that of all their changes. */
  readonly halves: WatchEvent[] = []

  constructor(database: ClusterDatabase) {
    this.#database = database
  }

  async start(): Promise<void> {
    this.#take(await this.#database.read())
    this.watchFrom(this.#revision)
  }

  watchFrom(revision: number): void {
    this.#database.watch(revision, (event) => {
      if (event.kind === 'changed') return this.#apply(event)
      // A reading that the end of the test cuts off is missed by nobody; any other would be, by `reaches`.
      void this.#database.read().then(
        (snapshot) => this.#take(snapshot),
        () => undefined,
      )
    })
  }

  async reaches(snapshot: Snapshot): Promise<void> {
    await eventually(`the watch to reach revision ${snapshot.revision}`, 5000, (saw) => {
      saw(`revision ${this.#revision}`)
      return this.#revision >= snapshot.revision ? true : undefined
    })
    expect(Object.fromEntries(this.#values)).toEqual(valuesOf(snapshot))
  }

  #take(snapshot: Snapshot): void {
    if (snapshot.revision < this.#revision) return
    this.#revision = snapshot.revision
    this.#values.clear()
    for (const [key, value] of Object.entries(valuesOf(snapshot))) this.#values.set(key, value)
  }

  #apply(event: Extract<WatchEvent, { kind: 'changed' }>): void {
    if (event.revision <= this.#revision) return
    const revisions = event.changes.map((change) => (change.kind === 'put' ? change.record.revision : change.revision))
    if (revisions.length > 0 && !revisions.includes(event.revision)) this.halves.push(event)
    this.#revision = event.revision
    for (const change of event.changes) {
      if (change.kind === 'put') this.#values.set(change.record.key, change.record.value)
      else this.#values.delete(change.key)
    }
  }
}
