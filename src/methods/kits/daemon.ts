import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { HaError } from '../../framework/errors/ha-error.ts'
import { readProcess, trySignal } from '../proc.ts'
import { readPidFile, removePidFile, writePidFile } from './pid-file.ts'
import { waitUntil } from './wait-until.ts'

/** A process that is there longer than this after KILL hangs in the kernel. */
const KILL_WITHIN_S = 2

/** A program that START leaves running, known by its pid file. */
export interface Daemon {
  /** Ends the sentence "waited 5 s for ...", with "to be ready" or "to end". */
  readonly what: string
  /** Absolute path; its directory must exist, and belongs to one logical host only. */
  readonly pidFile: string
  /** Absolute path of the program. It must stay in the foreground: its process is the one in the pid file. */
  readonly program: string
  readonly words: readonly string[]
  /** Absolute path of the file that its output is appended to; it never writes to the log of the method. */
  readonly logFile: string
  /** Tells whether it does its work; default: it runs. */
  readonly isReady?: () => boolean | Promise<boolean>
}

/**
 * Makes sure that a daemon runs and is ready. It gets a session of its own; it stays in the cgroup and keeps the tag of its service.
 * Running already: only its readiness is waited for. Throws `METHOD_FAILED` when it ends before it is ready, `WAIT_TIMED_OUT` when it is not ready in time
 * (it is left running: STOP, or the ladder, ends it).
 */
export async function ensureRunning(daemon: Daemon, withinS: number): Promise<'started' | 'was running'> {
  const before = readPidFile(daemon.pidFile)
  const pid = before ?? (await startDaemon(daemon))
  const seen = await waitUntil(`${daemon.what} to be ready`, withinS, async () => {
    if (readProcess(pid) === undefined) return 'ended'
    return (daemon.isReady === undefined || (await daemon.isReady())) && 'ready'
  })
  if (seen === 'ended') throw cannotRun(daemon, 'it ended before it was ready')
  return before === undefined ? 'started' : 'was running'
}

/**
 * Makes sure that a daemon does not run: TERM, and KILL when it is still there after `withinS`. Removes the pid file. Throws `WAIT_TIMED_OUT` when not even
 * KILL ends it.
 */
export async function ensureStopped(
  daemon: Pick<Daemon, 'what' | 'pidFile'>,
  withinS: number,
): Promise<'stopped' | 'was stopped'> {
  const pid = readPidFile(daemon.pidFile)
  if (pid !== undefined) {
    const isGone = (): boolean => readPidFile(daemon.pidFile) !== pid
    trySignal(pid, 'SIGTERM')
    // A stopped process hears of nothing but KILL until it goes on.
    trySignal(pid, 'SIGCONT')
    await waitUntil(`${daemon.what} to end`, withinS, isGone).catch(async () => {
      trySignal(pid, 'SIGKILL')
      await waitUntil(`${daemon.what} to end after KILL`, KILL_WITHIN_S, isGone)
    })
  }
  removePidFile(daemon.pidFile)
  return pid === undefined ? 'was stopped' : 'stopped'
}

async function startDaemon(daemon: Daemon): Promise<number> {
  const output = openSync(daemon.logFile, 'a')
  try {
    const child = spawn(daemon.program, [...daemon.words], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', output, output],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(cannotRun(daemon, error.message, error)))
    })
    child.unref()
    const pid = child.pid ?? 0
    writePidFile(daemon.pidFile, pid)
    return pid
  } finally {
    closeSync(output)
  }
}

function cannotRun(daemon: Daemon, why: string, cause?: unknown): HaError {
  return new HaError('METHOD_FAILED', `${daemon.what} does not run: ${why}`, {
    hint: `Read ${daemon.logFile}, and try ${[daemon.program, ...daemon.words].join(' ')} by hand.`,
    cause,
  })
}
