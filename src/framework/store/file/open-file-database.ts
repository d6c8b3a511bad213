import { HaError } from '../../errors/ha-error.ts'
import type { ClusterDatabase } from '../../ports/cluster-database.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Files } from '../../ports/files.ts'
import { realFiles } from '../../ports/real-files.ts'
import { LOCK_WAIT_MS_MAX, LOG_SIZE_BYTES_MAX } from '../limits.ts'
import { createDatabase, databaseExists, refuseOrphans } from './create-database.ts'
import { FileDatabase } from './file-database.ts'
import { systemCode, wrapFileError } from './file-errors.ts'
import { KernelLock } from './kernel-lock.ts'
import { lockPath, type Place } from './place.ts'

/** How a database in files is opened. */
export interface FileDatabaseOptions {
  /** Directory of the database; on one machine, on a local file system. */
  readonly directory: string
  readonly effects: Effects
  /** Makes an empty database, and its directory, when there is none. Default: false. */
  readonly create?: boolean
  /** Takes what an operator should know: a cut tail, damage, a checkpoint that could not be written. One sentence each. Default: dropped. */
  readonly log?: (message: string) => void
  /** Default: those of this machine. */
  readonly files?: Files
  /** Bytes of the log after which a checkpoint replaces it. Default: `LOG_SIZE_BYTES_MAX`. */
  readonly logSizeBytesMax?: number
  /** Milliseconds that a commit waits for the lock, at most. Default: `LOCK_WAIT_MS_MAX`. */
  readonly lockWaitMsMax?: number
}

/**
 * Opens a database in files, which several processes of one machine may share, also from different namespaces.
 *
 * What is durable has been through fdatasync before it is answered; what is volatile has been written and costs no fsync. A torn end of the log is cut off and told to `log`.
 * Throws `DATABASE_ABSENT` (and not `create`), `DATABASE_CORRUPT` (damage that is no torn end; nothing was changed), `DATABASE_NEWER`, `DATABASE_READ_ONLY`,
 * `DATABASE_FULL` (while creating), `DATABASE_BUSY` (the lock is held by a stopped process), `DATABASE_UNAVAILABLE`.
 */
export async function openFileDatabase(options: FileDatabaseOptions): Promise<ClusterDatabase> {
  const place: Place = { directory: options.directory, files: options.files ?? realFiles }
  try {
    return await open(place, options)
  } catch (error) {
    throw wrapFileError(`the cluster database in ${place.directory} cannot be opened`, error)
  }
}

async function open(place: Place, options: FileDatabaseOptions): Promise<ClusterDatabase> {
  const exists = databaseExists(place)
  if (!exists && options.create !== true) throw absentError(place)
  if (!exists) place.files.makeDirectory('create:directory', place.directory)
  const { effects, lockWaitMsMax: waitMsMax = LOCK_WAIT_MS_MAX, logSizeBytesMax = LOG_SIZE_BYTES_MAX } = options
  const lock = new KernelLock({ files: place.files, effects, path: lockPath(place), waitMsMax })
  let database: FileDatabase | undefined
  try {
    if (!exists) await lock.run(() => createDatabase(place))
    database = new FileDatabase({ place, effects, lock, log: options.log ?? (() => undefined), logSizeBytesMax })
    await database.settle()
    return database
  } catch (error) {
    if (database === undefined) lock.close()
    else await database.close()
    throw error
  }
}

function absentError(place: Place): HaError {
  try {
    refuseOrphans(place)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  return new HaError('DATABASE_ABSENT', `there is no cluster database in ${place.directory}`, {
    hint: 'Set the cluster up with `scadmin setup`, or name the right directory with `--database file:DIR`.',
  })
}
