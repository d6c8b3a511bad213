import { describe, expect, it } from 'vitest'
import type { ClusterDatabase, Json } from '../../../src/framework/ports/cluster-database.ts'
import { backupDatabase, restoreDatabase } from '../../../src/framework/store/backup.ts'
import { MemoryDatabaseCore } from '../../../src/framework/store/memory.ts'

const takenAtMs = Date.UTC(2026, 0, 2, 3, 4, 5)
const records: Record<string, Json> = {
  cluster: { name: 'c', list: [1, 2, { '10': null, '9': 'ä\n' }] },
  'logicalHosts/ha1': { masters: ['alpha', 'beta'] },
  'members/alpha': { incarnation: 1 },
  'stamps/alpha': { sequence: 4 },
  'progress/7': { step: 1 },
  'membersOfTheBoard/x': true,
}

async function filled(content: Record<string, Json>): Promise<ClusterDatabase> {
  const database = new MemoryDatabaseCore().connect()
  const writes = Object.entries(content).map(([key, value]) => ({ kind: 'put', key, value }) as const)
  await database.commit([], writes, { durability: 'durable' })
  return database
}

const contentOf = async (database: ClusterDatabase): Promise<Record<string, Json>> => {
  const snapshot = await database.read()
  return Object.fromEntries([...snapshot.records.values()].map(({ key, value }) => [key, value]))
}

describe('backup and restore', () => {
  it('bring everything back but what is true only at its moment, and remove what is not in the backup', async () => {
    const text = await backupDatabase(await filled(records), takenAtMs)
    const other = await filled({ cluster: 'other', 'logicalHosts/new': 1, 'stamps/beta': 9 })
    expect(await restoreDatabase(other, text)).toEqual({ revision: 2, records: 3, leftOut: 3 })
    const { 'members/alpha': _, 'stamps/alpha': __, 'progress/7': ___, ...kept } = records
    expect(await contentOf(other)).toEqual(kept)
  })

  it('say what they are, when it was taken, and hold one record in each line', async () => {
    const text = await backupDatabase(await filled(records), takenAtMs)
    expect(JSON.parse(text)).toMatchObject({
      format: 'haven-backup',
      schema: 1,
      takenAt: '2026-01-02T03:04:05.000Z',
      revision: 1,
    })
    expect(text.split('\n').filter((line) => line.startsWith('    {"key":'))).toHaveLength(Object.keys(records).length)
  })

  it('work on an empty database', async () => {
    const text = await backupDatabase(await filled({}), takenAtMs)
    const other = await filled({ x: 1 })
    expect(await restoreDatabase(other, text)).toMatchObject({ records: 0, leftOut: 0 })
    expect(await contentOf(other)).toEqual({})
  })

  it('refuse a backup that was changed or cut off anywhere, and change nothing', async () => {
    const text = await backupDatabase(await filled({ a: 1, b: { c: 'text' } }), takenAtMs)
    const database = await filled({ x: 1 })
    for (let length = 0; length < text.length - 1; length += 1) {
      await expect(restoreDatabase(database, text.slice(0, length))).rejects.toMatchObject({ code: 'BACKUP_INVALID' })
    }
    const change = [
      text.replace('"text"', '"test"'),
      text.replace('"key":"a"', '"key":"z"'),
      text.replace('haven-backup', 'other'),
      text.replace('"schema": 1', '"schema": 2'),
    ]
    for (const changed of [...change, 'null', '[]', '{}', 'text']) {
      expect(changed).not.toBe(text)
      await expect(restoreDatabase(database, changed)).rejects.toMatchObject({ code: 'BACKUP_INVALID' })
    }
    expect(await contentOf(database)).toEqual({ x: 1 })
  })

  it('try again when somebody else writes meanwhile, and give up when that does not end', async () => {
    const text = await backupDatabase(await filled(records), takenAtMs)
    for (const disturbances of [3, 100]) {
      const core = new MemoryDatabaseCore()
      const disturbed = core.connect()
      core.commit([], [{ kind: 'put', key: 'x', value: 0 }])
      let left = disturbances
      const database: ClusterDatabase = {
        read: () => disturbed.read(),
        watch: (from, onEvent) => disturbed.watch(from, onEvent),
        close: () => disturbed.close(),
        commit: (guards, writes, options) => {
          left -= 1
          if (left >= 0) core.commit([], [{ kind: 'put', key: 'x', value: left }])
          return disturbed.commit(guards, writes, options)
        },
      }
      if (disturbances === 3) expect(await restoreDatabase(database, text)).toMatchObject({ records: 3 })
      else await expect(restoreDatabase(database, text)).rejects.toMatchObject({ code: 'LOST_RACE' })
      expect('x' in (await contentOf(database))).toBe(disturbances === 100)
    }
  })
})
