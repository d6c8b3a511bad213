import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { HaError } from '../errors/ha-error.ts'

/** Where etcd may be. Its own installations come first. */
const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/etcd']
/** Learners came with it. */
const VERSION_MIN = [3, 4] as const
/** To print a version takes 20 ms, on a machine that has nothing else to do. */
const VERSION_WITHIN_MS = 10_000

/** An etcd that is installed. */
export interface EtcdProgram {
  readonly path: string
  /** Such as `3.4.23`. */
  readonly version: string
}

/** Finds etcd. Throws `ETCD_UNUSABLE` when it is missing, does not run, or is too old. */
export async function findEtcd(directories: readonly string[] = DIRECTORIES): Promise<EtcdProgram> {
  const path = directories.map((directory) => join(directory, 'etcd')).find(isExecutable)
  if (path === undefined) {
    throw new HaError('ETCD_UNUSABLE', 'etcd is not installed on this machine', {
      hint: 'Install it: apt install etcd-server. Where the package starts an etcd of its own, it may be switched off: systemctl disable --now etcd',
      details: [`looked in ${directories.join(', ')}`],
    })
  }
  const version = await askVersion(path)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1])) return { path, version }
  throw new HaError('ETCD_UNUSABLE', `${path} is version ${version}, and ${VERSION_MIN.join('.')} is needed`, {
    hint: 'Install a newer one; Debian 12 has 3.4.23.',
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function askVersion(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, ['--version'], { timeout: VERSION_WITHIN_MS, env: {} }, (error, stdout) => {
      const version = /etcd Version: (\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1]
      if (version !== undefined) return resolve(version)
      const what = error === null ? 'says no version' : `does not run: ${error.message.trim()}`
      reject(new HaError('ETCD_UNUSABLE', `${path} ${what}`, { hint: 'Install etcd anew: apt install etcd-server' }))
    })
  })
}
