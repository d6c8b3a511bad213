import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { writeBackup } from '../api/backup.ts'
import type { BackupFileJson, DatabaseCheckJson } from '../api/wire.ts'
import { HaError } from '../errors/ha-error.ts'
import { DATABASE_SIZE_BYTES_MAX } from '../ports/cluster-database.ts'
import { createRealEffects } from '../ports/real-effects.ts'
import { checkFileDatabase } from '../store/inspect.ts'
import { openDatabase } from '../store/open-database.ts'
import { startDetached } from './detach.ts'
import { readHostFile } from './host-file.ts'
import type { StartMode } from './join.ts'
import { startVoter } from './offline/managed-etcd.ts'

export { listVoters, removeVoter, startVoter, stopVoter } from './offline/managed-etcd.ts'
export { type JoinedHost, type JoinHostRequest, joinHost } from './offline/join-host.ts'
export { restoreDatabase } from './offline/restore-database.ts'
export { type SetUp, type SetUpRequest, setUpHost } from './offline/set-up-host.ts'

/** What this host was set up as. */
export interface OwnHost {
  readonly cluster: string
  readonly physicalHost: string
}

/** Reads what this host was set up as. Throws `NOT_SET_UP`, `CONFIG_INVALID`. */
export async function readOwnHost(root: string): Promise<OwnHost> {
  const { cluster, physicalHost } = readHostFile(root)
  return { cluster, physicalHost }
}

/** How clustd is started. */
export interface ClustdStart {
  readonly root: string
  /** Directory with `bin/clustd`. */
  readonly installation: string
  readonly mode: StartMode
  /** Whether to wait until its host is a member. */
  readonly isAwaited: boolean
}

/** Starts clustd in the background. When it is awaited, resolves once its host is a member and rejects with why it is not. */
export async function startClustd({ root, installation, mode, isAwaited }: ClustdStart): Promise<void> {
  const program = join(installation, 'bin/clustd')
  // Where the database is an etcd of this very machine, it has to be there first.
  startVoter({ root, installation })
  if (isAwaited) return startDetached({ root, mode, program })
  const environment = { ...process.env, HAVEN_ROOT: root }
  const words = [program, '--detach', '--mode', mode]
  spawn(process.execPath, words, { detached: true, cwd: '/', env: environment, stdio: 'ignore' }).unref()
}

/** A check of the files themselves. `notes`: what the next start deals with by itself. */
export type OfflineCheck = DatabaseCheckJson & { readonly notes: readonly string[] }

/** Reads every byte of the cluster database of this host. Changes nothing. Throws `NOT_SET_UP`, `DATABASE_ABSENT`. */
export async function checkDatabase(root: string): Promise<OfflineCheck> {
  const { database } = readHostFile(root)
  if (database.kind === 'etcd') throw new HaError('INTERNAL', 'not yet')
  const { directory } = database
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

/** Reads the whole cluster database as the text of a backup file. Throws `NOT_SET_UP`, `DATABASE_*`. */
export async function backupDatabase(root: string): Promise<BackupFileJson> {
  const hostFile = readHostFile(root)
  const effects = createRealEffects()
  const database = await openDatabase(hostFile, { effects })
  try {
    return { text: writeBackup(hostFile.cluster, await database.read(), effects.nowWallMs()) }
  } finally {
    await database.close()
  }
}

function absentError(directory: string): HaError {
  return new HaError('DATABASE_ABSENT', `there is no cluster database in ${directory}`, {
    hint: 'Make one with `scadmin setup`, or bring one back with `scadmin database restore FILE`.',
  })
}
