import { z } from 'zod'
import { HaError } from '../errors/ha-error.ts'
import type { ClusterName } from '../model/names.ts'
import { DATABASE_SIZE_BYTES_MAX, type DatabaseRecord, type Json, type Snapshot } from '../ports/cluster-database.ts'
import { parseRequest } from './parse-request.ts'

/** A backup that was read and found whole. */
export interface Backup {
  readonly cluster: string
  readonly revision: number
  readonly takenWallMs: number
  readonly records: ReadonlyMap<string, DatabaseRecord>
}

/** Version of the format that is written; older ones stay readable. */
const FORMAT_VERSION = 1

const json: z.ZodType<Json> = z.json() as z.ZodType<Json>
const backupShape = z.strictObject({
  format: z.literal('haven-backup'),
  version: z.literal(FORMAT_VERSION),
  cluster: z.string().max(63),
  revision: z.int().min(0),
  takenWallMs: z.number(),
  records: z.array(z.strictObject({ key: z.string().max(255), revision: z.int().min(0), value: json })),
  end: z.literal('haven-backup'),
})

/** Writes the text of a backup file: one record per line, so that two backups can be compared with diff(1). */
export function writeBackup(cluster: ClusterName, snapshot: Snapshot, takenWallMs: number): string {
  const head = { format: 'haven-backup', version: FORMAT_VERSION, cluster, revision: snapshot.revision, takenWallMs }
  const records = [...snapshot.records.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const lines = records.map(({ key, revision, value }) => JSON.stringify({ key, revision, value }))
  // The end stands there so that a file that was cut off in a copy is noticed even when it is valid otherwise.
  return `${JSON.stringify(head).slice(0, -1)},"records":[\n${lines.join(',\n')}\n],"end":"haven-backup"}\n`
}

/** Reads the text of a backup file. Throws `BACKUP_INVALID` when it is damaged, is none, or belongs to another cluster. */
export function readBackup(text: string, cluster: ClusterName): Backup {
  const backup = parseBackup(text)
  if (backup.cluster !== cluster) {
    throw new HaError('BACKUP_INVALID', `the backup is of cluster ${backup.cluster}, and this is cluster ${cluster}`)
  }
  const records = new Map(backup.records.map((record) => [record.key, record]))
  if (records.size !== backup.records.length) throw new HaError('BACKUP_INVALID', 'the backup holds a record twice')
  return { ...backup, records }
}

function parseBackup(text: string): z.infer<typeof backupShape> {
  if (Buffer.byteLength(text) > DATABASE_SIZE_BYTES_MAX * 2) {
    throw new HaError('BACKUP_INVALID', 'the backup is larger than any cluster database')
  }
  try {
    return parseRequest(backupShape, JSON.parse(text), 'backup')
  } catch (cause) {
    const details = cause instanceof HaError ? cause.details : [String(cause)]
    throw new HaError('BACKUP_INVALID', 'the file is damaged, or is not a backup of a cluster database', {
      details,
      hint: 'Take another one; scadmin database backup FILE writes them.',
      cause,
    })
  }
}
