import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readProcess, signalProcess } from '../../methods/proc.ts'
import type { GuardPlaces } from './guard-files.ts'
import type { ProcessIdentity } from './guard-orders.ts'

/** What is needed to start a guard. */
export interface GuardProgram {
  /** Absolute path of the bundle `failfastd.mjs`. */
  readonly program: string
  readonly root: string
  readonly cluster: string
  readonly physicalHost: string
  /** Directories that come first in the PATH of its ABORT methods. */
  readonly pathDirectories: readonly string[]
  /** The command that reboots the machine after the guard has fired; empty = it is not rebooted. */
  readonly rebootCommand: readonly string[]
}

/** How a process is; `stopped` by a signal or a debugger. */
export type ProcessCondition = 'running' | 'stopped' | 'gone'

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The guard allocates next to nothing for weeks. Measured: 48 MB resident, of which 34 MB are the shared pages of Node.js itself and 10 MB its own (a
 * Node.js that does nothing: 40 MB and 6 MB). `--jitless` and `--lite-mode` change nothing; a pool of no threads for V8 saves three threads.
 * The bound of the old generation is for a thousand logical hosts.
 */
const NODE_OPTIONS = ['--max-semi-space-size=1', '--max-old-space-size=64', '--v8-pool-size=0']

/** Starts a guard process that outlives this one. Undefined when it could not be started. */
export function startGuard(guard: GuardProgram, places: GuardPlaces): ProcessIdentity | undefined {
  const log = openLog(places.log)
  const output = log ?? 'ignore'
  // The directory for temporary files is where drivers of this machine meet: the guard must look in the same place as clustd.
  const { TMPDIR } = process.env
  try {
    const child = spawn(process.execPath, [...NODE_OPTIONS, guard.program, ...wordsOf(guard)], {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: '/',
      env: { PATH: SEARCH_PATH, LC_ALL: 'C', ...(TMPDIR === undefined ? {} : { TMPDIR }) },
    })
    return identityOf(child)
  } finally {
    if (log !== undefined) closeSync(log)
  }
}

/** A guard without a log is better than none. */
function openLog(path: string): number | undefined {
  try {
    return openSync(path, 'a', 0o600)
  } catch {
    return undefined
  }
}

/** Tells how that very process is, not one that got its pid later. */
export function conditionOf(process: ProcessIdentity): ProcessCondition {
  const facts = readProcess(process.pid)
  if (facts === undefined || facts.startTicks !== process.startTicks) return 'gone'
  return facts.state === 'T' || facts.state === 't' ? 'stopped' : 'running'
}

/** Makes the guard look at its orders at once. Only for one that has answered before: until then the signal would end it. */
export function pokeGuard(guard: ProcessIdentity): void {
  signalProcess(guard, 'SIGUSR2')
}

/** Tells whether both are the same process. */
export function isSameProcess(one: ProcessIdentity | null | undefined, other: ProcessIdentity | null): boolean {
  return one?.pid === other?.pid && one?.startTicks === other?.startTicks
}

function wordsOf({ root, cluster, physicalHost, pathDirectories, rebootCommand }: GuardProgram): readonly string[] {
  const reboot = rebootCommand.length === 0 ? [] : ['--reboot-command', JSON.stringify(rebootCommand)]
  return ['--root', root, '--cluster', cluster, '--host', physicalHost, '--path', pathDirectories.join(':'), ...reboot]
}

function identityOf(child: ChildProcess): ProcessIdentity | undefined {
  // An error here shows as a guard that does not answer.
  child.on('error', () => undefined)
  child.unref()
  const facts = child.pid === undefined ? undefined : readProcess(child.pid)
  return facts === undefined ? undefined : { pid: facts.pid, startTicks: facts.startTicks }
}
