import { describe, expect, it } from 'vitest'
import { isHaError } from '../../../src/framework/errors/ha-error.ts'
import { type Interference, ModelDisk } from './model-disk.ts'
import { openModel, settleTurns, Work } from './model-work.ts'

const COMMITS = 40

/** What a process sees of one file call that fails once. */
type Seen =
  /** It cannot open the database. */
  | 'no start'
  /** A commit is refused, not done, and the next one goes through. */
  | 'one refusal'
  /** Nothing at all but a message: it tries again later. */
  | 'a message'
  | 'nothing'
  /** No commit goes through any more: after a failed fdatasync no answer could be trusted. */
  | 'no more commits'
  /** Closing says that something was wrong. */
  | 'no clean end'

/** For each file call: what is seen when it fails for the first time, and (where there are several) when it fails in the middle of the work. */
const TABLE: Readonly<Record<string, readonly [first: Seen, later?: Seen]>> = {
  'checkpoint:look': ['no start', 'a message'],
  'create:directory': ['no start'],
  'lock:open': ['no start'],
  'lock:take': ['no start', 'one refusal'],
  'store:list': ['no start', 'a message'],
  'create:tidy': ['no start', 'no start'],
  'create:open': ['no start', 'no start'],
  'create:write': ['no start', 'no start'],
  'create:sync': ['no start', 'no start'],
  'create:close': ['no start', 'no start'],
  'create:rename': ['no start', 'no start'],
  'create:sync-directory:open': ['no start'],
  'create:sync-directory': ['no start'],
  'create:sync-directory:close': ['no start'],
  'create:sync-parent:open': ['no start'],
  'create:sync-parent': ['no start'],
  'create:sync-parent:close': ['no start'],
  'open:settle:open': ['no start'],
  'open:settle': ['no start'],
  'open:settle:close': ['no start'],
  'lock:give': ['no start', 'nothing'],
  'checkpoint:read:open': ['no start'],
  'checkpoint:read': ['no start', 'no start'],
  'checkpoint:read:close': ['no start'],
  'log:open': ['no start', 'a message'],
  'log:read': ['no start', 'one refusal'],
  'log:check': ['no start', 'one refusal'],
  'log:sync': ['no start', 'no more commits'],
  'log:append': ['one refusal', 'one refusal'],
  'log:create': ['a message', 'a message'],
  'log:close': ['a message', 'a message'],
  'log:switch': ['a message', 'a message'],
  'log:switch:open': ['a message', 'a message'],
  'log:switch:close': ['a message', 'a message'],
  'checkpoint:create': ['a message', 'a message'],
  'checkpoint:write': ['a message', 'a message'],
  'checkpoint:sync': ['a message', 'a message'],
  'checkpoint:close': ['a message', 'a message'],
  'checkpoint:switch': ['a message', 'a message'],
  'checkpoint:settle:open': ['a message', 'a message'],
  'checkpoint:settle': ['a message', 'a message'],
  'checkpoint:settle:close': ['a message', 'a message'],
  'store:tidy': ['a message', 'a message'],
  'lock:close': ['no clean end'],
}

async function workWith(
  disk: ModelDisk,
  interfere: Interference,
): Promise<{ readonly seen: Seen; readonly work: Work }> {
  const work = new Work()
  const messages: string[] = []
  try {
    const database = await openModel(disk.startProcess(interfere), {
      create: true,
      log: (message) => messages.push(message),
    })
    await work.commitSome(database, COMMITS)
    await settleTurns()
    const refusedBefore = work.refused.length
    await work.commitSome(database, 3)
    if (work.refused.length > refusedBefore) return { seen: 'no more commits', work }
    try {
      await database.close()
    } catch {
      return { seen: 'no clean end', work }
    }
    return { seen: refusedBefore > 0 ? 'one refusal' : messages.length > 0 ? 'a message' : 'nothing', work }
  } catch (error) {
    expect(isHaError(error)).toBe(true)
    return { seen: 'no start', work }
  }
}

async function opsOfWork(): Promise<Map<string, number>> {
  const ops = new Map<string, number>()
  await workWith(new ModelDisk(), (op) => {
    ops.set(op, (ops.get(op) ?? 0) + 1)
    return 'go on'
  })
  return ops
}

describe('file database, a file call that fails', () => {
  it('is in the table, each of them', async () => {
    expect([...(await opsOfWork()).keys()].sort()).toEqual(Object.keys(TABLE).sort())
  })

  const rows = Object.entries(TABLE).flatMap(([op, [first, later]]) => [
    { op, when: 'for the first time', seen: first },
    ...(later === undefined ? [] : [{ op, when: 'in the middle of the work', seen: later }]),
  ])
  it.each(rows)('$op, $when: $seen, and the next start finds every answered commit', async ({ op, when, seen }) => {
    const count = (await opsOfWork()).get(op) ?? 0
    const after = when === 'for the first time' ? 0 : Math.floor(count / 2)
    expect([await seenWhen(op, after, 'EIO'), await seenWhen(op, after, 'ENOSPC')]).toEqual([seen, seen])
  })

  it.each([
    ['ENOSPC', 'DATABASE_FULL'],
    ['EDQUOT', 'DATABASE_FULL'],
    ['EROFS', 'DATABASE_READ_ONLY'],
    ['EIO', 'DATABASE_UNAVAILABLE'],
  ])(
    'while a commit is appended, %s: the commit is refused with %s, taken back, and everything goes on when it is over',
    async (code, expected) => {
      const disk = new ModelDisk()
      let isFailing = false
      const database = await openModel(
        disk.startProcess((op) => (isFailing && op === 'log:append' ? { fail: code } : 'go on')),
        { create: true },
      )
      const commit = (value: number): Promise<unknown> =>
        database.commit([], [{ kind: 'put', key: 'x', value }], { durability: 'durable' })
      await commit(1)
      isFailing = true
      await expect(commit(2)).rejects.toMatchObject({ code: expected, hint: expect.stringMatching(/\w/) })
      await expect(commit(3)).rejects.toMatchObject({ code: expected })
      const other = await openModel(disk.startProcess(), { log: (message) => expect(message).toBe('') })
      expect((await other.read()).records.get('x')?.value).toBe(1)
      isFailing = false
      expect(await commit(4)).toEqual({ kind: 'committed', revision: 2 })
      expect((await other.read()).records.get('x')?.value).toBe(4)
    },
  )

  it('while a commit is appended and again while it is taken back: the next writer cuts it off and says so', async () => {
    const disk = new ModelDisk()
    const failing = (op: string): { readonly fail: string } | 'go on' =>
      /append|take-back/.test(op) ? { fail: 'EIO' } : 'go on'
    const database = await openModel(disk.startProcess(failing), { create: true })
    await expect(
      database.commit([], [{ kind: 'put', key: 'x', value: 1 }], { durability: 'volatile' }),
    ).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    const messages: string[] = []
    const other = await openModel(disk.startProcess(), { log: (message) => messages.push(message) })
    expect(messages).toEqual([expect.stringMatching(/^cut \d+ bytes off the end of \/db\/log\.1 at byte 32 /)])
    expect(await other.commit([], [{ kind: 'put', key: 'x', value: 2 }], { durability: 'volatile' })).toEqual({
      kind: 'committed',
      revision: 1,
    })
  })

  it('while the next log is opened right after the seal: nothing is written behind the seal, where nobody would read it', async () => {
    const disk = new ModelDisk()
    let isFailing = false
    const messages: string[] = []
    const interfere: Interference = (op) => (isFailing && op === 'log:open' ? { fail: 'EMFILE' } : 'go on')
    const database = await openModel(disk.startProcess(interfere), {
      create: true,
      log: (message) => messages.push(message),
    })
    isFailing = true
    const commit = (value: number): Promise<unknown> =>
      database.commit([], [{ kind: 'put', key: 'x', value }], { durability: 'durable' })
    for (let value = 0; messages.length === 0; value += 1) {
      await commit(value)
      await settleTurns(10)
    }
    expect(messages[0]).toContain('EMFILE')
    await expect(commit(1000)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    isFailing = false
    await commit(1001)
    const other = await openModel(disk.startProcess())
    expect((await other.read()).records.get('x')?.value).toBe(1001)
  })

  it.each([
    { killedAt: 'log:append', failing: 'log:look' },
    { killedAt: 'log:append', failing: 'log:cut' },
    { killedAt: 'log:switch:open', failing: 'log:stray' },
    { killedAt: 'log:switch:open', failing: 'log:stray:open' },
  ])(
    '$failing, for what a writer killed at $killedAt left behind: no start, and the one after finds everything',
    async ({ killedAt, failing }) => {
      const disk = new ModelDisk()
      const { work } = await workWith(disk, (op, count) => (op === killedAt && count > 100 ? 'kill' : 'go on'))
      const attempt = openModel(disk.startProcess((op) => (op === failing ? { fail: 'EIO' } : 'go on')))
      await expect(attempt).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
      const database = await openModel(disk.startProcess())
      work.expectKept(await database.read(), 'all')
    },
  )
})

async function seenWhen(failingOp: string, after: number, code: string): Promise<Seen> {
  const disk = new ModelDisk()
  let count = 0
  const { seen, work } = await workWith(disk, (op) => {
    if (op !== failingOp) return 'go on'
    count += 1
    return count === after + 1 ? { fail: code } : 'go on'
  })
  const database = await openModel(disk.startProcess(), { create: true })
  work.expectKept(await database.read(), 'all')
  await work.commitSome(database, 3)
  work.expectKept(await database.read(), 'all')
  await database.close()
  return seen
}
