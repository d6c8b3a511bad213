import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { writeBackup } from '../api/backup.ts'
import type { BackupFileJson } from '../api/wire.ts'
import { readGuardReports } from '../failfast/guard-reports.ts'
import { createRealEffects } from '../ports/real-effects.ts'
import { startDetached } from './detach.ts'
import { readHostFile } from './host-file.ts'
import type { StartMode } from './join.ts'
import { startVoter } from './offline/managed-etcd.ts'
import { openForCommand } from './offline/own-etcd.ts'

export { checkDatabase, databaseNotes, type OfflineCheck } from './offline/check-database.ts'
export { type JoinedHost, type JoinHostRequest, joinHost } from './offline/join-host.ts'
export { type JoinedWitness, joinWitness } from './offline/join-witness.ts'
export { listVoters, recoverAlone, removeVoter, startVoter, stopVoter } from './offline/managed-etcd.ts'
export { type Migrated, migrateDatabase } from './offline/migrate-database.ts'
export { restoreDatabase } from './offline/restore-database.ts'
export { type SetUp, type SetUpRequest, setUpHost } from './offline/set-up-host.ts'
export { setVoterAddresses, type VoterPlace } from './offline/voter-addresses.ts'

/** What this host was set up as. */
export interface OwnHost {
  readonly cluster: string
  readonly physicalHost: string
  /** When and why its guard stopped it last; null = never, as far as is kept. */
  readonly stopped: { readonly atWallMs: number; readonly why: string } | null
}

/** Reads what this host was set up as. Throws `NOT_SET_UP`, `CONFIG_INVALID`. */
export async function readOwnHost(root: string): Promise<OwnHost> {
  const { cluster, physicalHost } = readHostFile(root)
  const [report] = await readGuardReports(root)
  const stopped = report === undefined ? null : { atWallMs: report.firedWallMs, why: report.why }
  return { cluster, physicalHost, stopped }
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

/** Reads the whole cluster database as the text of a backup file. Throws `NOT_SET_UP`, `DATABASE_*`. */
export async function backupDatabase(root: string): Promise<BackupFileJson> {
  const hostFile = readHostFile(root)
  const effects = createRealEffects()
  const database = await openForCommand(hostFile)
  try {
    return { text: writeBackup(hostFile.cluster, await database.read(), effects.nowWallMs()) }
  } finally {
    await database.close()
  }
}
