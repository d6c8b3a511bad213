import { renameSync } from 'node:fs'
import { readBackup } from '../../api/backup.ts'
import type { RestoredJson } from '../../api/wire.ts'
import { HaError, isHaError } from '../../errors/ha-error.ts'
import { expiryMs } from '../../membership/check-timings.ts'
import type { Timings } from '../../model/cluster-config.ts'
import type { LogicalHostState } from '../../model/mastery.ts'
import { actorOf } from '../../model/mastery.ts'
import type {
  ClusterDatabase,
  DatabaseRecord,
  Guard,
  RecordKey,
  Snapshot,
  Write,
} from '../../ports/cluster-database.ts'
import { createRealEffects } from '../../ports/real-effects.ts'
import { type Decoded, decodeRecord } from '../../records/decode.ts'
import { toWrite } from '../../records/encode.ts'
import { CLUSTER_KEY, isConfigurationKey, JOURNAL_KEY } from '../../records/keys.ts'
import { checkFileDatabase } from '../../store/inspect.ts'
import { type HostFile, readHostFile } from '../host-file.ts'
import { becomeTheOnlyOne } from '../only-one.ts'
import { openForCommand } from './own-etcd.ts'

/** What was restored; `notes`: what to know about it. */
export type OfflineRestore = RestoredJson & { readonly notes: readonly string[] }

/** Changes, and bytes of JSON, in one part of a restore that one commit cannot hold: less than what any etcd takes. */
const PART_WRITES_MAX = 100
const PART_SIZE_BYTES_MAX = 1_000_000

type Records = ReadonlyMap<string, DatabaseRecord>

/**
 * Brings the configuration of a backup back while no clustd runs. A database that is damaged or gone is put aside and made anew; then the journal goes on from
 * the number of the backup, maintenance stays maintenance, and what was mastered is remembered as unclean on its master of then.
 * Throws `BACKUP_INVALID`, `RECORD_INVALID`, `CLUSTD_RUNNING`, `CLUSTER_ALIVE` (members elsewhere use the database), `LOST_RACE`, `DATABASE_*`.
 */
export async function restoreDatabase(root: string, text: string): Promise<OfflineRestore> {
  const hostFile = readHostFile(root)
  const backup = readBackup(text, hostFile.cluster)
  for (const { key, value } of backup.records.values()) decodeRecord(key, value)
  const unlock = becomeTheOnlyOne(root)
  try {
    const notes = putDamagedAside(hostFile)
    const database = await openForCommand(hostFile, { create: true })
    try {
      await replaceConfiguration(database, backup.records)
    } finally {
      await database.close()
    }
    return { fromRevision: backup.revision, takenWallMs: backup.takenWallMs, records: backup.records.size, notes }
  } finally {
    unlock()
  }
}

function putDamagedAside({ database }: HostFile): readonly string[] {
  if (database.kind !== 'file') return []
  const { directory } = database
  const { verdict } = checkFileDatabase(directory)
  if (verdict !== 'damaged') return []
  const aside = `${directory}.damaged-${Math.round(createRealEffects().nowWallMs() / 1000)}`
  // Whoever still has its files open notices that they are no longer in their place, and stops.
  renameSync(directory, aside)
  return [`The database was damaged; its files are kept in ${aside}.`]
}

async function replaceConfiguration(database: ClusterDatabase, backup: Records): Promise<void> {
  const before = await database.read()
  await refuseAlive(database, before)
  const isNew = !before.records.has(CLUSTER_KEY)
  const wanted = [...backup.values()].filter(({ key }) => isConfigurationKey(key))
  const keep = new Set(wanted.map(({ key }) => key))
  const writes: readonly Write[] = [
    ...goneKeys(before.records, keep).map((key): Write => ({ kind: 'delete', key })),
    ...wanted.map(({ key, value }): Write => ({ kind: 'put', key, value })),
    ...(isNew ? remembered(backup) : []),
  ]
  try {
    await commit(database, [CLUSTER_KEY, JOURNAL_KEY], before, writes)
  } catch (error) {
    if (!isHaError(error, 'LIMIT_REACHED')) throw error
    // An etcd that was not started for more. Nobody is there to act on one part of it; what is cut off is done again from the start.
    for (const part of inParts(writes)) await commit(database, [], before, part)
  }
}

async function commit(
  database: ClusterDatabase,
  alsoGuarded: readonly RecordKey[],
  before: Snapshot,
  writes: readonly Write[],
): Promise<void> {
  const outcome = await database.commit(guardAll(before, alsoGuarded, writes), writes, { durability: 'durable' })
  if (outcome.kind === 'committed') return
  throw new HaError('LOST_RACE', `the record ${outcome.key} changed while the backup was being restored`, {
    hint: 'Stop clustd on all hosts first.',
  })
}

/** Cuts what is too much for one commit. What makes it a cluster comes last. */
function inParts(writes: readonly Write[]): readonly (readonly Write[])[] {
  const parts: Write[][] = []
  let sizeBytes = Number.POSITIVE_INFINITY
  for (const write of writes.toSorted((a, b) => Number(a.key === CLUSTER_KEY) - Number(b.key === CLUSTER_KEY))) {
    const ownBytes = write.kind === 'put' ? JSON.stringify(write.value).length : 0
    if (sizeBytes + ownBytes > PART_SIZE_BYTES_MAX || (parts.at(-1)?.length ?? 0) >= PART_WRITES_MAX) {
      parts.push([])
      sizeBytes = 0
    }
    parts.at(-1)?.push(write)
    sizeBytes += ownBytes
  }
  return parts
}

/** Members that stamp while they are watched for one expiry are alive, and would act on what is about to go. */
async function refuseAlive(database: ClusterDatabase, before: Snapshot): Promise<void> {
  const members = [...before.records.keys()].filter((key) => key.startsWith('members/'))
  const cluster = before.records.get(CLUSTER_KEY)
  if (members.length === 0 || cluster === undefined) return
  const { timings } = cluster.value as unknown as { readonly timings: Timings }
  await createRealEffects().sleep(expiryMs(timings) + timings.stampMs)
  const after = await database.read()
  const alive = members
    .map((key) => key.slice('members/'.length))
    .filter((host) => after.records.get(`stamps/${host}`)?.revision !== before.records.get(`stamps/${host}`)?.revision)
  if (alive.length === 0) return
  throw new HaError('CLUSTER_ALIVE', `the cluster is running: ${alive.join(', ')} gives signs of life`, {
    hint: `Restore there, or stop it first: scadmin stopnode`,
  })
}

/** Configuration that the backup does not have, and the states of logical hosts that it does not have. */
function goneKeys(records: Records, keep: ReadonlySet<string>): readonly string[] {
  return [...records.keys()].filter((key) => {
    if (key.startsWith('mastery/')) return !keep.has(key.replace('mastery/', 'logicalHosts/'))
    return isConfigurationKey(key) && !keep.has(key)
  })
}

/** What a new database has to know of the former one: numbers that may not be used again, and where disk groups may still be imported. */
function remembered(backup: Records): readonly Write[] {
  return [...backup.values()].flatMap(({ key, value }): readonly Write[] => {
    const decoded = decodeRecord(key, value)
    // Who belongs to the cluster is no configuration: only where it is lost it comes from the backup.
    if (decoded?.kind === 'authority' || decoded?.kind === 'admission') return [put(key, decoded)]
    if (decoded?.kind === 'mastery') return [put(key, { kind: 'mastery', value: atRest(decoded.value) })]
    if (decoded?.kind !== 'journal') return []
    const { last } = decoded.value
    return [put(JOURNAL_KEY, { kind: 'journal', value: { last, first: last + 1 } })]
  })
}

function put(key: string, decoded: Decoded): Write {
  return toWrite({ kind: 'put', key, decoded })
}

/** The reconfigurations of then are not brought back: nothing may refer to one. */
function atRest(former: LogicalHostState): LogicalHostState {
  const state = { ...former, reconfiguration: 0, switchbackTo: null }
  const { mastery } = state
  const actor = actorOf(mastery)
  if (actor === undefined) return state
  const before = 'uncleanOn' in mastery ? mastery.uncleanOn : []
  const uncleanOn = [...new Set([...before, actor])]
  return {
    ...state,
    mastery: { kind: 'unmastered', why: 'no-possible-master', uncleanOn },
    generation: state.generation + 1,
  }
}

function guardAll({ records }: Snapshot, also: readonly RecordKey[], writes: readonly Write[]): readonly Guard[] {
  const keys = new Set([...also, ...writes.map(({ key }) => key)])
  return [...keys].map((key): Guard => {
    const record = records.get(key)
    return record === undefined ? { kind: 'absent', key } : { kind: 'at', key, revision: record.revision }
  })
}
