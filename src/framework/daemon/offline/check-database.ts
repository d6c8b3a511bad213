import type { DatabaseCheckJson } from '../../api/wire.ts'
import { describeError, HaError, isHaError } from '../../errors/ha-error.ts'
import { PROFILES } from '../../membership/check-timings.ts'
import type { EtcdPlace } from '../../model/database-place.ts'
import { DATABASE_SIZE_BYTES_MAX, type Snapshot } from '../../ports/cluster-database.ts'
import { createRealEffects } from '../../ports/real-effects.ts'
import { decodeRecord } from '../../records/decode.ts'
import { CLUSTER_KEY } from '../../records/keys.ts'
import { checkFileDatabase } from '../../store/inspect.ts'
import { readHostFile } from '../host-file.ts'
import { CALL_MS, etcdWarnings } from './own-etcd.ts'

/** A check of the database itself, without clustd. `notes`: what an operator should know, or what the next start deals with by itself. */
export type OfflineCheck = DatabaseCheckJson & { readonly notes: readonly string[] }

/** Reads every byte of the cluster database of this host. Changes nothing. Throws `NOT_SET_UP`, `DATABASE_ABSENT`; for an etcd, what opening it does. */
export async function checkDatabase(root: string): Promise<OfflineCheck> {
  const { cluster, database } = readHostFile(root)
  return database.kind === 'file' ? checkFiles(database.directory) : checkEtcd(cluster, database)
}

/** What an operator should know of the database while clustd runs, which has checked what is in it. Nothing where this host is not set up. */
export async function databaseNotes(
  root: string,
  { guardMs }: { readonly guardMs: number },
): Promise<readonly string[]> {
  try {
    return await etcdWarnings(readHostFile(root).database, guardMs)
  } catch (error) {
    if (isHaError(error, 'NOT_SET_UP')) return []
    throw error
  }
}

function checkFiles(directory: string): OfflineCheck {
  const { verdict, revision, records, sizesBytes, problems } = checkFileDatabase(directory)
  if (verdict === 'absent') throw absentError(directory)
  const lines = (severity: 'error' | 'warning'): readonly string[] =>
    problems
      .filter((problem) => problem.severity === severity)
      .map(({ path, offset, what }) => `${path}, byte ${offset}: ${what}`)
  return {
    revision,
    records,
    sizeBytes: sizesBytes.records,
    sizeBytesMax: DATABASE_SIZE_BYTES_MAX,
    problems: lines('error'),
    notes: lines('warning'),
  }
}

async function checkEtcd(cluster: string, place: EtcdPlace): Promise<OfflineCheck> {
  const { inspectEtcdDatabase } = await import('../../store/etcd/inspect-etcd.ts')
  const { snapshot, problems } = await inspectEtcdDatabase({
    place,
    cluster,
    effects: createRealEffects(),
    callMs: () => CALL_MS,
  })
  return {
    revision: snapshot.revision,
    records: snapshot.records.size,
    sizeBytes: sizeOf(snapshot),
    sizeBytesMax: DATABASE_SIZE_BYTES_MAX,
    problems: [...problems, ...badRecords(snapshot)],
    notes: await etcdWarnings(place, guardMsOf(snapshot)),
  }
}

function badRecords({ records }: Snapshot): readonly string[] {
  return [...records.values()].flatMap(({ key, value }) => {
    try {
      decodeRecord(key, value)
      return []
    } catch (error) {
      return [describeError(error)]
    }
  })
}

function guardMsOf({ records }: Snapshot): number {
  const value = records.get(CLUSTER_KEY)?.value
  const timings = (value as { readonly timings?: { readonly guardMs?: number } } | undefined)?.timings
  return timings?.guardMs ?? PROFILES.default.guardMs
}

function sizeOf({ records }: Snapshot): number {
  return [...records.values()].reduce((total, { value }) => total + Buffer.byteLength(JSON.stringify(value)), 0)
}

function absentError(directory: string): HaError {
  return new HaError('DATABASE_ABSENT', `there is no cluster database in ${directory}`, {
    hint: 'Make one with `scadmin setup`, or bring one back with `scadmin database restore FILE`.',
  })
}
