import { describe, expect, it } from 'vitest'
import { readBackup, writeBackup } from '../../../src/framework/api/backup.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import type { DatabaseRecord, Json, Snapshot } from '../../../src/framework/ports/cluster-database.ts'

const cluster = parseName('cluster', 'moon')
const snapshot: Snapshot = {
  revision: 7,
  records: new Map(
    Object.entries({
      'logicalHosts/ha1': { masters: ['alpha', 'beta'] },
      cluster: { name: 'ä\n', list: [1, null] },
    }).map(([key, value]): [string, DatabaseRecord] => [key, { key, revision: 3, value: value as Json }]),
  ),
}

describe('a backup', () => {
  it('holds everything, one record in each line, in the order of their keys', () => {
    const text = writeBackup(cluster, snapshot, 5)
    expect(readBackup(text, cluster)).toMatchObject({ revision: 7, takenWallMs: 5, records: snapshot.records })
    const keys = text.split('\n').flatMap((line) => /^\{"key":"([^"]*)"/.exec(line)?.[1] ?? [])
    expect(keys).toEqual(['cluster', 'logicalHosts/ha1'])
  })

  it('may be of an empty database', () => {
    const text = writeBackup(cluster, { revision: 0, records: new Map() }, 5)
    expect(readBackup(text, cluster).records.size).toBe(0)
  })

  it('is refused when it is cut off anywhere, is something else, or is of another cluster', () => {
    const text = writeBackup(cluster, snapshot, 5)
    const cut = Array.from({ length: text.length - 1 }, (_, length) => text.slice(0, length))
    const spoiled = [text.replace('haven-backup', 'other'), text.replace('"version":1', '"version":2')]
    const twice = text.replace('"logicalHosts/ha1"', '"cluster"')
    for (const wrong of [...cut, ...spoiled, twice, 'null', '[]', '{}', 'text']) {
      expect(() => readBackup(wrong, cluster)).toThrowError(expect.objectContaining({ code: 'BACKUP_INVALID' }))
    }
    const other = parseName('cluster', 'mars')
    expect(() => readBackup(text, other)).toThrowError(expect.objectContaining({ code: 'BACKUP_INVALID' }))
  })
})
