import { beforeEach, describe, expect, it } from 'vitest'
import { HaError } from '../../../src/framework/errors/ha-error.ts'
import type { Snapshot } from '../../../src/framework/ports/cluster-database.ts'
import { encodeHeader, HEADER_BYTES } from '../../../src/framework/store/file/frame.ts'
import { checkFileDatabase } from '../../../src/framework/store/inspect.ts'
import { ModelDisk } from './model-disk.ts'
import { openModel, settleTurns, Work } from './model-work.ts'

const LOG = '/db/log.1'
const CHECKPOINT = '/db/checkpoint'
const long = { logSizeBytesMax: 1e9 }

/** A commit in the log: where it begins, what the database is after it. */
interface Logged {
  readonly at: number
  readonly durability: 'durable' | 'volatile'
  readonly after: Snapshot
}

/** What opening came to. */
type Opened =
  | { readonly kind: 'opened'; readonly snapshot: Snapshot; readonly messages: readonly string[] }
  | { readonly kind: 'refused'; readonly error: HaError }

async function open(disk: ModelDisk, options: { readonly create?: boolean } = {}): Promise<Opened> {
  const messages: string[] = []
  try {
    const database = await openModel(disk.startProcess(), {
      ...long,
      ...options,
      log: (message) => messages.push(message),
    })
    const snapshot = await database.read()
    await database.close()
    return { kind: 'opened', snapshot, messages }
  } catch (error) {
    if (!(error instanceof HaError)) throw error
    return { kind: 'refused', error }
  }
}

describe('file database, a damaged log', () => {
  let disk: ModelDisk
  let log: Buffer
  let commits: Logged[]
  let empty: Snapshot

  beforeEach(async () => {
    disk = new ModelDisk()
    commits = []
    const database = await openModel(disk.startProcess(), { create: true, ...long })
    empty = await database.read()
    for (const durability of [
      'volatile',
      'durable',
      'volatile',
      'volatile',
      'durable',
      'durable',
      'volatile',
      'volatile',
    ] as const) {
      const at = disk.contentOf(LOG).length
      await database.commit(
        [],
        [{ kind: 'put', key: `list/${commits.length % 3}`, value: { at, text: 'x'.repeat(10) } }],
        { durability },
      )
      commits.push({ at, durability, after: await database.read() })
    }
    await database.close()
    log = Buffer.from(disk.contentOf(LOG))
  })

  const stateBefore = (index: number): Snapshot => commits[index - 1]?.after ?? empty

  it('cut at every length within the last record: all before is there, nothing of it, and the cut is told', async () => {
    const last = commits.length - 1
    for (let length = commits[last]?.at ?? 0; length < log.length; length += 1) {
      disk.damage(LOG, Buffer.from(log.subarray(0, length)))
      const opened = await open(disk)
      expect(opened).toMatchObject({ kind: 'opened', snapshot: stateBefore(last) })
      const cut = length - (commits[last]?.at ?? 0)
      const messages =
        cut === 0
          ? []
          : [expect.stringContaining(`cut ${cut} bytes off the end of ${LOG} at byte ${commits[last]?.at}`)]
      expect(opened).toMatchObject({ messages })
    }
  })

  it('with any one byte changed: refused, except where it may as well be what a loss of power left of records that were never durable', async () => {
    // A record is proven to have been durable by any later one that was written after a durable commit behind it was answered.
    const isProven = (index: number): boolean =>
      commits.some(({ durability }, later) => later >= index && durability === 'durable' && later < commits.length - 1)
    for (let at = 0; at < log.length; at += 1) {
      const damaged = Buffer.from(log)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      disk.damage(LOG, Buffer.from(damaged))
      const report = checkFileDatabase('/db', disk.startProcess())
      const opened = await open(disk)
      const index = commits.findLastIndex((commit) => commit.at <= at)
      if (at >= HEADER_BYTES && !isProven(index)) {
        expect(opened).toMatchObject({
          kind: 'opened',
          snapshot: stateBefore(index),
          messages: [expect.stringContaining('cut')],
        })
        expect(report).toMatchObject({
          verdict: 'torn',
          revision: stateBefore(index).revision,
          problems: [{ severity: 'warning', offset: commits[index]?.at }],
        })
        continue
      }
      const offset = at < HEADER_BYTES ? 0 : commits[index]?.at
      expect(opened).toMatchObject({
        kind: 'refused',
        error: { code: 'DATABASE_CORRUPT', message: expect.stringContaining(`at byte ${offset} of ${LOG}`) },
      })
      expect(report).toMatchObject({ verdict: 'damaged', problems: [{ severity: 'error', path: LOG, offset }] })
      expect(disk.contentOf(LOG)).toEqual(damaged)
    }
  })

  it('of which a record is missing: refused', async () => {
    for (const [index, { at }] of commits.slice(0, -1).entries()) {
      disk.damage(LOG, Buffer.concat([log.subarray(0, at), log.subarray(commits[index + 1]?.at)]))
      expect(await open(disk)).toMatchObject({ kind: 'refused', error: { code: 'DATABASE_CORRUPT' } })
      expect(checkFileDatabase('/db', disk.startProcess()).verdict).toBe('damaged')
    }
  })

  it.each(['damaged', 'cut off'])(
    '%s while it is in use: nobody commits behind that, also when it is the last record',
    async (how) => {
      const [a, b] = [await openModel(disk.startProcess(), long), await openModel(disk.startProcess(), long)]
      await a.commit([], [{ kind: 'put', key: 'x', value: 1 }], { durability: 'durable' })
      const content = Buffer.from(disk.contentOf(LOG))
      content[content.length - 1] = (content.at(-1) ?? 0) ^ 1
      disk.overwrite(LOG, how === 'damaged' ? content : content.subarray(0, log.length))
      const sufferer = how === 'damaged' ? b : a
      await expect(sufferer.commit([], [], { durability: 'volatile' })).rejects.toMatchObject({
        code: 'DATABASE_CORRUPT',
        hint: expect.stringContaining('scadmin database'),
      })
      await expect(sufferer.read()).rejects.toMatchObject({ code: 'DATABASE_CORRUPT' })
      await a.close()
      await b.close()
    },
  )
})

describe('file database, files that do not belong together', () => {
  let disk: ModelDisk
  let work: Work

  beforeEach(async () => {
    disk = new ModelDisk()
    work = new Work()
    const database = await openModel(disk.startProcess(), { create: true })
    await work.commitSome(database, 40)
    await settleTurns()
    await database.close()
  })

  const refusal = async (code: string): Promise<void> => {
    const report = checkFileDatabase('/db', disk.startProcess())
    expect(report.verdict).toBe(code === 'DATABASE_NEWER' ? 'newer' : 'damaged')
    for (const create of [false, true])
      expect(await open(disk, { create })).toMatchObject({ kind: 'refused', error: { code } })
  }
  const logPath = (): string => disk.names.find((name) => name.startsWith('/db/log.')) ?? ''

  it('every commit is there before', async () => {
    expect(checkFileDatabase('/db', disk.startProcess())).toMatchObject({ verdict: 'sound', problems: [] })
    const opened = await open(disk)
    if (opened.kind === 'opened') work.expectKept(opened.snapshot, 'all')
    expect(opened.kind).toBe('opened')
  })

  it('a checkpoint with any one byte changed, or cut off anywhere: refused', async () => {
    const checkpoint = Buffer.from(disk.contentOf(CHECKPOINT))
    for (let at = 0; at < checkpoint.length; at += 1) {
      const changed = Buffer.from(checkpoint)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      for (const damaged of [changed, Buffer.from(checkpoint.subarray(0, at))]) {
        disk.damage(CHECKPOINT, damaged)
        expect(await open(disk)).toMatchObject({ kind: 'refused', error: { code: 'DATABASE_CORRUPT' } })
        expect(checkFileDatabase('/db', disk.startProcess()).verdict).toBe('damaged')
      }
    }
  })

  it('a checkpoint or a log that is missing: refused, and nothing new is made in its place', async () => {
    const path = logPath()
    const log = disk.contentOf(path)
    disk.damage(path, undefined)
    await refusal('DATABASE_CORRUPT')
    disk.damage(path, log)
    disk.damage(CHECKPOINT, undefined)
    await refusal('DATABASE_CORRUPT')
  })

  it('a log that the one before does not lead to, although it did: refused', async () => {
    const path = logPath()
    disk.damage(`/db/log.${Number(path.slice('/db/log.'.length)) + 1}`, disk.contentOf(path))
    await refusal('DATABASE_CORRUPT')
  })

  it('a log under the name of another: refused', async () => {
    disk.damage(logPath(), encodeHeader('log', 777))
    await refusal('DATABASE_CORRUPT')
  })

  it('a checkpoint or a log of a newer schema: refused as such', async () => {
    const path = logPath()
    const log = disk.contentOf(path)
    const generation = Number(path.slice('/db/log.'.length))
    disk.damage(path, Buffer.concat([encodeHeader('log', generation, 2), log.subarray(HEADER_BYTES)]))
    await refusal('DATABASE_NEWER')
    disk.damage(path, log)
    disk.damage(CHECKPOINT, encodeHeader('checkpoint', generation, 2))
    await refusal('DATABASE_NEWER')
  })

  it('no files at all: absent, and made only when asked for', async () => {
    const none = new ModelDisk()
    expect(await open(none)).toMatchObject({
      kind: 'refused',
      error: { code: 'DATABASE_ABSENT', hint: expect.stringContaining('scadmin setup') },
    })
    expect(checkFileDatabase('/db', none.startProcess()).verdict).toBe('absent')
    expect(await open(none, { create: true })).toMatchObject({ kind: 'opened', snapshot: { revision: 0 } })
    expect(await open(none)).toMatchObject({ kind: 'opened' })
  })
})

describe('file database, records of processes that commit once each', () => {
  it('all but the last are proven to have been durable, so damage to them is refused', async () => {
    const disk = new ModelDisk()
    const ends: number[] = []
    for (let value = 0; value < 5; value += 1) {
      const database = await openModel(disk.startProcess(), { create: true, ...long })
      await database.commit([], [{ kind: 'put', key: 'x', value }], { durability: 'durable' })
      await database.close()
      ends.push(disk.contentOf(LOG).length)
    }
    const log = Buffer.from(disk.contentOf(LOG))
    for (const [index, end] of ends.entries()) {
      const damaged = Buffer.from(log)
      damaged[end - 1] = (damaged[end - 1] ?? 0) ^ 4
      disk.damage(LOG, damaged)
      expect((await open(disk)).kind).toBe(index < ends.length - 1 ? 'refused' : 'opened')
    }
  })
})
