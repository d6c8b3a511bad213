import { createHash } from 'node:crypto'
import { describeError, HaError } from '../errors/ha-error.ts'
import type { ClusterDatabase, Guard, Json, RecordKey, Snapshot, Write } from '../ports/cluster-database.ts'

const FORMAT = 'haven-backup'
const SCHEMA = 1

/**
 * Beginnings of the keys that a restore leaves out: who is a member, and what is going on, is true only at its moment. Come back to life,
 * it would name members that are not there, and take the place of what is true now.
 */
export const NOT_RESTORED: readonly string[] = ['members/', 'stamps/', 'progress/']

/** Attempts to replace all records while somebody else still writes. */
const RESTORE_ATTEMPTS_MAX = 5

/** The whole content of a backup file. */
interface Backup {
  readonly format: typeof FORMAT
  readonly schema: number
  /** For people: when it was taken. */
  readonly takenAt: string
  readonly revision: number
  /** SHA-256, in hexadecimal, of the JSON of `records` without white space. */
  readonly sha256: string
  readonly records: readonly BackupRecord[]
}

interface BackupRecord {
  readonly key: RecordKey
  readonly value: Json
}

/** What a restore did. */
export interface Restored {
  /** Revision of the commit that replaced everything. */
  readonly revision: number
  readonly records: number
  /** How many records of the backup were left out, see `NOT_RESTORED`. */
  readonly leftOut: number
}

/**
 * Writes everything that a cluster database holds, of whatever engine, as one text: JSON that says what it is and carries a checksum, with one record on each line.
 * `takenAtWallMs` is for people. Throws `DATABASE_*`.
 */
export async function backupDatabase(database: ClusterDatabase, takenAtWallMs: number): Promise<string> {
  const { revision, records } = await database.read()
  const kept = [...records.values()].map(({ key, value }) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const takenAt = new Date(takenAtWallMs).toISOString()
  const head = { format: FORMAT, schema: SCHEMA, takenAt, revision, sha256: checksum(kept) }
  const lines = kept.map((record) => `    ${JSON.stringify(record)}`)
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "records": [\n${lines.join(',\n')}\n  ]\n}\n`
}

/**
 * Replaces all records of a database by those of a backup, in one durable commit: a crash leaves the old ones or the new ones. What the database held
 * and the backup does not is gone. Throws `BACKUP_INVALID` (nothing was changed), `LOST_RACE` when somebody keeps writing, and `DATABASE_*`.
 */
export async function restoreDatabase(database: ClusterDatabase, text: string): Promise<Restored> {
  const backup = parseBackup(text)
  const kept = backup.records.filter(({ key }) => !NOT_RESTORED.some((start) => key.startsWith(start)))
  for (let attempt = 0; attempt < RESTORE_ATTEMPTS_MAX; attempt += 1) {
    const present = await database.read()
    const outcome = await database.commit(guardAll(present, kept), replaceAll(present, kept), { durability: 'durable' })
    if (outcome.kind === 'committed')
      return { revision: outcome.revision, records: kept.length, leftOut: backup.records.length - kept.length }
  }
  throw new HaError(
    'LOST_RACE',
    'the backup could not be restored, because the cluster database changed all the time',
    {
      hint: 'Stop the cluster on all hosts first (`scadmin stopnode`), then restore.',
    },
  )
}

/** Every record is as it was read, and none that the backup brings has come. */
function guardAll({ records }: Snapshot, kept: readonly BackupRecord[]): readonly Guard[] {
  const there = [...records.values()].map(({ key, revision }): Guard => ({ kind: 'at', key, revision }))
  const absent = kept.filter(({ key }) => !records.has(key)).map(({ key }): Guard => ({ kind: 'absent', key }))
  return [...there, ...absent]
}

function replaceAll({ records }: Snapshot, kept: readonly BackupRecord[]): readonly Write[] {
  const keys = new Set(kept.map(({ key }) => key))
  const deletes = [...records.keys()].filter((key) => !keys.has(key)).map((key): Write => ({ kind: 'delete', key }))
  return [...deletes, ...kept.map(({ key, value }): Write => ({ kind: 'put', key, value }))]
}

/** Reads a backup by hand rather than by a schema: the engines are to start fast, and this is all of the shape. */
function parseBackup(text: string): Backup {
  let backup: Partial<Backup>
  try {
    backup = JSON.parse(text) as Partial<Backup>
  } catch (error) {
    throw invalidError(`it is not JSON (${describeError(error)})`)
  }
  if (typeof backup !== 'object' || backup === null || backup.format !== FORMAT)
    throw invalidError('it is no backup of a cluster database')
  if (backup.schema !== SCHEMA)
    throw invalidError(`its layout is ${String(backup.schema)}, this version understands ${SCHEMA}`)
  if (!Array.isArray(backup.records) || backup.sha256 !== checksum(backup.records))
    throw invalidError('its checksum is wrong')
  return backup as Backup
}

function checksum(records: readonly BackupRecord[]): string {
  return createHash('sha256').update(JSON.stringify(records)).digest('hex')
}

function invalidError(why: string): HaError {
  return new HaError('BACKUP_INVALID', `the backup cannot be restored: ${why}`, {
    hint: 'Nothing was changed. Use another backup; a cut-off or edited file is refused as a whole.',
  })
}
