import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClusterDatabase, WatchEvent } from '../../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { realFiles } from '../../../src/framework/ports/real-files.ts'
import { type FileDatabaseOptions, openFileDatabase } from '../../../src/framework/store/file/open-file-database.ts'
import { checkFileDatabase } from '../../../src/framework/store/inspect.ts'
import { eventually } from '../../eventually.ts'

const isRoot = process.getuid?.() === 0
const effects = createRealEffects()
const durable = { durability: 'durable' } as const

/** Holds everything of a test. */
let top: string
let directory: string
let opened: ClusterDatabase[]

beforeEach(() => {
  top = mkdtempSync(`${tmpdir()}/haven-machine-`)
  directory = `${top}/db`
  opened = []
})

afterEach(async () => {
  for (const database of opened) await database.close()
  rmSync(top, { recursive: true })
})

async function open(options: Partial<FileDatabaseOptions> = {}): Promise<ClusterDatabase> {
  const database = await openFileDatabase({ directory, effects, create: true, ...options })
  opened.push(database)
  return database
}

const put = (database: ClusterDatabase, value: unknown): Promise<unknown> =>
  database.commit([], [{ kind: 'put', key: 'x', value: value as string }], durable)
const get = async (database: ClusterDatabase): Promise<unknown> => (await database.read()).records.get('x')?.value

describe('file database, its directory', () => {
  it('is made with the directories above it, for its owner only', async () => {
    directory = `${directory}/deeper/still`
    await put(await open(), 1)
    expect(readdirSync(directory).sort()).toEqual(['checkpoint', 'lock', 'log.1'])
    const modes = execFileSync('stat', [
      '-c',
      '%a',
      directory,
      `${directory}/log.1`,
      `${directory}/checkpoint`,
    ]).toString()
    expect(modes.split('\n').slice(0, 3)).toEqual(['700', '600', '600'])
  })

  it('that is a file is refused', async () => {
    writeFileSync(directory, '')
    await expect(open()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })

  it('that is removed while in use ends the use', async () => {
    const database = await open()
    database.watch(0, () => undefined)
    rmSync(directory, { recursive: true })
    await eventually('the loss to be noticed', 5000, () =>
      database.read().then(
        () => undefined,
        (error) => (error.code === 'DATABASE_UNAVAILABLE' ? true : undefined),
      ),
    )
    expect(existsSync(directory)).toBe(false)
  })

  it('holds one checkpoint and one log, however often they were replaced', async () => {
    const database = await open({ logSizeBytesMax: 1000 })
    for (let value = 0; value < 200; value += 1) await put(database, value)
    await database.close()
    const names = readdirSync(directory).sort()
    expect(names).toEqual(['checkpoint', 'lock', expect.stringMatching(/^log\.\d+$/)])
    expect(names).not.toContain('log.1')
    expect(await get(await open())).toBe(199)
  })
})

describe('file database, its lock', () => {
  it('that is never given back: a commit is refused as busy and not done; it goes on when the holder is gone', async () => {
    const database = await open({ lockWaitMsMax: 20 })
    await put(database, 1)
    const holder = realFiles.open('', `${directory}/lock`, 'read-write')
    expect(realFiles.tryLock('', holder)).toBe(true)
    await expect(put(database, 2)).rejects.toMatchObject({
      code: 'DATABASE_BUSY',
      hint: expect.stringContaining('fuser'),
    })
    expect(await get(database)).toBe(1) // Reading needs no lock.
    await expect(openFileDatabase({ directory, effects, lockWaitMsMax: 20 })).rejects.toMatchObject({
      code: 'DATABASE_BUSY',
    })
    realFiles.close('', holder)
    await put(database, 3)
    expect(await get(database)).toBe(3)
  })

  it('that is waited for: a caller may give up, and then nothing was done', async () => {
    const database = await open()
    const holder = realFiles.open('', `${directory}/lock`, 'read-write')
    realFiles.tryLock('', holder)
    const caller = new AbortController()
    const given = database.commit([], [{ kind: 'put', key: 'x', value: 1 }], { ...durable, signal: caller.signal })
    const other = database.commit([], [{ kind: 'put', key: 'y', value: 1 }], durable)
    caller.abort(new Error('no more time'))
    await expect(given).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'no more time' } })
    realFiles.close('', holder)
    await other
    expect([...(await database.read()).records.keys()]).toEqual(['y'])
  })
})

describe('file database, its watch', () => {
  it('works without a watch of the kernel, by looking', async () => {
    const messages: string[] = []
    const files = {
      ...realFiles,
      watch: () => {
        throw Object.assign(new Error('no space left for watches'), { code: 'ENOSPC' })
      },
    }
    const reader = await open({ files, log: (message) => messages.push(message) })
    const events: WatchEvent[] = []
    reader.watch(0, (event) => events.push(event))
    await put(await open(), 1)
    await eventually('the change', 5000, () => events[0])
    expect(messages).toEqual([expect.stringContaining('no watch')])
  })

  it('announces a gap to a reader so slow that the log it reads from is gone, and its next log too', async () => {
    const never = {
      ...effects,
      sleep: (_ms: number, signal?: AbortSignal) =>
        new Promise<void>((_, reject) => signal?.addEventListener('abort', reject)),
    }
    const slow = await open({ files: { ...realFiles, watch: () => ({ close: () => undefined }) }, effects: never })
    const events: WatchEvent[] = []
    slow.watch(0, (event) => events.push(event))
    const writer = await open({ logSizeBytesMax: 300 })
    for (let value = 0; value < 100; value += 1) await put(writer, value)
    await eventually('the first logs to be gone', 5000, () => (existsSync(`${directory}/log.3`) ? undefined : true))
    expect(await get(slow)).toBe(99)
    await eventually('the gap', 5000, () => events.find(({ kind }) => kind === 'gap'))
    await put(writer, 100)
    expect(await get(slow)).toBe(100)
    await eventually('the next change', 5000, () =>
      events.find(
        (event) =>
          event.kind === 'changed' &&
          event.changes.some((change) => change.kind === 'put' && change.record.value === 100),
      ),
    )
  })
})

// Rights do not bind root: for it the file system itself has to be read-only.
describe.skipIf(isRoot && !canMount())('file database, a directory that cannot be written', () => {
  it('is refused as such, but can be checked', async () => {
    await put(await open(), 1)
    await opened.pop()?.close()
    const before = readFileSync(`${directory}/log.1`)
    const undo = makeReadOnly()
    await expect(openFileDatabase({ directory, effects })).rejects.toMatchObject({
      code: 'DATABASE_READ_ONLY',
      hint: expect.stringContaining('mount'),
    })
    expect(checkFileDatabase(directory)).toMatchObject({ verdict: 'sound', records: 1 })
    undo()
    expect(readFileSync(`${directory}/log.1`)).toEqual(before)
  })

  function makeReadOnly(): () => void {
    if (isRoot) {
      execFileSync('mount', ['--bind', directory, directory])
      execFileSync('mount', ['-o', 'remount,bind,ro', directory])
      return () => execFileSync('umount', [directory])
    }
    chmodSync(`${directory}/lock`, 0o400)
    chmodSync(directory, 0o500)
    return () => chmodSync(directory, 0o700)
  }
})

describe.skipIf(!canMount())('file database, on a file system of its own', () => {
  beforeEach(() => {
    mkdirSync(directory)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'haven-test', directory])
  })

  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close()
    execFileSync('umount', [directory])
  })

  it('that is full: the commit is refused, nothing is lost, and it goes on when there is space again', async () => {
    writeFileSync(`${directory}/ballast`, Buffer.alloc(30_000))
    const database = await open()
    let kept = 0
    const failure = await fill(database, (number) => {
      kept = number
    })
    expect(failure).toMatchObject({ code: 'DATABASE_FULL', hint: expect.stringContaining('Free space') })
    expect(kept).toBeGreaterThan(3)
    const other = await openFileDatabase({ directory, effects, log: (message) => expect(message).toBe('') })
    opened.push(other)
    for (const reader of [database, other]) expect((await reader.read()).records.size).toBe(kept)
    await expect(other.commit([], [{ kind: 'put', key: 'y', value: 'y'.repeat(2000) }], durable)).rejects.toMatchObject(
      { code: 'DATABASE_FULL' },
    )
    expect(checkFileDatabase(directory)).toMatchObject({ verdict: 'sound', records: kept })
    rmSync(`${directory}/ballast`)
    await put(other, 'again')
    expect(await get(database)).toBe('again')
    expect((await database.read()).records.size).toBe(kept + 1)
  })

  it('that is full when the log is to be replaced: it goes on with the long log, and says so', async () => {
    writeFileSync(`${directory}/ballast`, Buffer.alloc(45_000))
    const messages: string[] = []
    const database = await open({ logSizeBytesMax: 5000, log: (message) => messages.push(message) })
    for (let value = 0; value < 5; value += 1)
      await database.commit([], [{ kind: 'put', key: `k/${value}`, value: 'x'.repeat(1500) }], durable)
    await eventually('the attempt', 5000, () => messages[0])
    expect(messages[0]).toMatch(/could not be replaced by a checkpoint yet: .*(space|ENOSPC)/i)
    expect((await database.read()).records.size).toBe(5)
    await database.close()
    expect((await (await open()).read()).records.size).toBe(5)
  })

  it('that is too full to begin: refused, and begun when there is space', async () => {
    writeFileSync(`${directory}/ballast`, Buffer.alloc(64 * 1024))
    await expect(open()).rejects.toMatchObject({ code: 'DATABASE_FULL' })
    rmSync(`${directory}/ballast`)
    await put(await open(), 1)
  })
})

/** Commits until it is refused; returns why. */
async function fill(database: ClusterDatabase, onKept: (number: number) => void): Promise<unknown> {
  for (let number = 1; ; number += 1) {
    try {
      await database.commit([], [{ kind: 'put', key: `fill/${number}`, value: 'x'.repeat(1500) }], durable)
    } catch (error) {
      return error
    }
    onKept(number)
  }
}

function canMount(): boolean {
  if (!isRoot) return false
  const place = mkdtempSync(`${tmpdir()}/haven-mount-`)
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'haven-test', place], { stdio: 'ignore' })
    execFileSync('umount', [place])
    return true
  } catch {
    return false // Such as in a container without the right to mount.
  } finally {
    rmSync(place, { recursive: true })
  }
}
