import { type ChildProcess, spawn } from 'node:child_process'
import { constants, rmSync } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { assertNever } from '../framework/errors/assert-never.ts'
import { describeError, HaError } from '../framework/errors/ha-error.ts'
import type { Effects } from '../framework/ports/effects.ts'
import type { MethodCall, MethodOutcome, MethodRunner } from '../framework/ports/method-runner.ts'
import { searchProcByGrep } from '../framework/ports/real-proc-search.ts'
import { findCgroupHome, makeCgroup } from './cgroup.ts'
import { endScope } from './end-processes.ts'
import { coverInherited, findInheritedFiles } from './inherited-files.ts'
import { methodArguments, methodEnvironment } from './method-environment.ts'
import { type MethodLog, openMethodLog, openNoLog, pruneMethodLogs } from './method-log.ts'
import { endProcessGroup } from './process-group.ts'
import { describeProcess, findProcesses, type ProcessPlace } from './processes.ts'
import type { QuickMoves } from './quick-cgroup-moves.ts'
import { type HostPlace, hostKey } from './scope-names.ts'
import { nameRunFile } from './stray-runs.ts'
import { createTagLook, type Tags } from './tagged-processes.ts'

/** What a method whose time is up has between TERM and KILL: enough to remove a lock file, too little to matter in an outage. */
export const TERM_GRACE_MS = 1000

/** What a method runner is made of. */
export interface MethodRunnerOptions extends HostPlace {
  /** Directories that come first in the methods' `PATH`; the one with Haven's programs, at least. */
  readonly pathDirectories: readonly string[]
  readonly effects: Effects
  /** Is told in a sentence what went wrong beside the methods themselves: a log that cannot be written. */
  readonly log?: (sentence: string) => void
  /** `tags` leaves the cgroups of a machine alone even if they are writable; for tests. */
  readonly findBy?: 'cgroups-and-tags' | 'tags'
  /** The look for tags of this host (`createTagLook`), when others use it too; default: one of its own. */
  readonly lookForTags?: () => Promise<Tags>
  /** Told when methods are run, and that others will follow. */
  readonly quickMoves?: QuickMoves
  /** Instead of `TERM_GRACE_MS`; for tests. */
  readonly termGraceMs?: number
}

/**
 * Writes its pid into the file $2, by which a later daemon finds it (`stray-runs.ts`), moves itself into the cgroup ($1, empty = none), then becomes the method: so that not even the first process that the method starts is outside.
 * The cgroup is made once more if somebody has just removed it as empty; one that cannot be entered is no reason not to run: the tag is there.
 * `exec` of a shell also runs scripts without a `#!` line. Node.js raises the limit of open files to all it can get, and daemons that close every
 * possible file when they start would do so for minutes.
 */
const ENTER = `umask 022
ulimit -S -n 1024 2>/dev/null
echo $$ 2>/dev/null >"$2"
[ -z "$1" ] || echo 0 2>/dev/null >"$1/cgroup.procs" || { mkdir -p "$1" && echo 0 >"$1/cgroup.procs"; } 2>/dev/null
shift 2
unset PWD OLDPWD SHLVL
exec "$@"`

/** Makes the method runner of one physical host on this machine. */
export function createMethodRunner(options: MethodRunnerOptions): MethodRunner {
  const key = hostKey(options)
  const setup: Setup = { ...options, inherited: findInheritedFiles() }
  const cgroupHome = options.findBy === 'tags' ? undefined : findCgroupHome(key)
  const place: ProcessPlace = {
    hostKey: key,
    cgroupHome,
    lookForTags: options.lookForTags ?? createTagLook(key, searchProcByGrep, () => cgroupHome !== undefined),
  }
  return {
    run: async (call) => {
      try {
        return await runMethod(setup, place, call)
      } finally {
        // Where one is called, others follow.
        options.quickMoves?.expectCalls()
      }
    },
    processes: async (scope) => (await findProcesses(place, scope)).map(describeProcess),
    endProcesses: async (scope, { graceMs, signal }) => {
      const left = await endScope(place, scope, { graceMs, signal, effects: options.effects })
      return left.map(describeProcess)
    },
  }
}

/** The options, and what was found out once about this process. */
interface Setup extends MethodRunnerOptions {
  readonly inherited: readonly number[]
}

async function runMethod(setup: Setup, place: ProcessPlace, call: MethodCall): Promise<MethodOutcome> {
  await checkProgram(call)
  const [log, cgroup] = await Promise.all([
    openLog(setup, call),
    place.cgroupHome === undefined ? undefined : makeCgroup(place.cgroupHome, call),
  ])
  const runFile = nameRunFile(setup.root)
  try {
    // Looked at last, right before the start: the host may have lost its right to act in any of the waits above.
    if (call.signal.aborted) return { kind: 'timed-out', afterMs: 0, forced: false, output: [] }
    const startedMs = setup.effects.nowMonotonicMs()
    const started = start(setup, call, log, cgroup, runFile)
    setup.quickMoves?.called()
    const pruned = pruneMethodLogs(setup.root, call)
    const ending = await awaitEnding(setup, call, started)
    const durationMs = setup.effects.nowMonotonicMs() - startedMs
    await pruned
    return outcomeOf(ending, durationMs, await log.finish(describeEnding(ending, durationMs)))
  } finally {
    rmSync(runFile, { force: true })
    await log.close()
  }
}

/** Throws `METHOD_FAILED` when the program is not there or cannot be executed. */
async function checkProgram(call: MethodCall): Promise<void> {
  try {
    const [facts] = await Promise.all([stat(call.program), access(call.program, constants.X_OK)])
    if (!facts.isFile()) throw cannotStart(call, 'it is not a file')
  } catch (error) {
    if (error instanceof HaError) throw error
    throw cannotStart(call, whyUnusable(error as NodeJS.ErrnoException), error)
  }
}

function whyUnusable(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return 'it does not exist'
  if (error.code === 'EACCES') return 'it is not executable'
  return error.message
}

function cannotStart(call: MethodCall, why: string, cause?: unknown): HaError {
  const what = `${call.method} of data service ${call.service} cannot be started: ${call.program}: ${why}`
  return new HaError('METHOD_FAILED', what, {
    hint: 'Make sure that the program is on this host, is executable, and that the machine can start processes.',
    cause,
  })
}

async function openLog(setup: Setup, call: MethodCall): Promise<MethodLog> {
  try {
    return await openMethodLog(setup.root, call, setup.effects.nowWallMs())
  } catch (error) {
    const why = `its log cannot be written: ${describeError(error)}`
    setup.log?.(`${call.method} of data service ${call.service} runs without a log; ${why}`)
    return openNoLog(why)
  }
}

/** How the process of a method ended, or that it had to be ended. */
type Ending =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'timed-out'; readonly forced: boolean }

/** A method that runs; its pid is also its process group and its session. */
interface Started {
  /** Undefined when it could not be started; `ended` tells why. */
  readonly pid: number | undefined
  /** Settles with the end of the method's own process, whatever else still holds its output. Rejects with `METHOD_FAILED` when there is none. */
  readonly ended: Promise<Ending>
}

function start(setup: Setup, call: MethodCall, log: MethodLog, cgroup: string | undefined, runFile: string): Started {
  const words = ['-c', ENTER, 'haven', cgroup ?? '', runFile, call.program, ...methodArguments(call)]
  const env = methodEnvironment(setup, setup.pathDirectories, call)
  try {
    const child = spawn('/bin/sh', words, {
      cwd: '/',
      env,
      detached: true,
      stdio: [...coverInherited(setup.inherited, log.fd)],
    })
    // The deadline's timer keeps a daemon waiting for it, and no longer: a method that not even KILL ends must not keep one that is leaving.
    child.unref()
    return { pid: child.pid, ended: endOf(child, call) }
  } catch (error) {
    throw cannotStart(call, describeError(error), error)
  }
}

function endOf(child: ChildProcess, call: MethodCall): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(cannotStart(call, error.message, error)))
    // Not 'close', which waits for all who hold the output.
    child.once('exit', (exitCode, signal) => {
      resolve(signal === null ? { kind: 'exited', exitCode: exitCode ?? 1 } : { kind: 'killed', signal })
    })
  })
}

/** Waits for the end of the method; when its time is up or its run is given up, ends its process group. */
async function awaitEnding(setup: Setup, call: MethodCall, started: Started): Promise<Ending> {
  if (started.pid === undefined) return started.ended
  const { effects } = setup
  const awake = new AbortController()
  const wake = (): void => awake.abort('no longer waited for')
  call.signal.addEventListener('abort', wake)
  try {
    const timeIsUp = effects.sleep(call.timeoutMs, awake.signal).then(nothing, nothing)
    const ending = await Promise.race([started.ended, timeIsUp])
    if (ending !== undefined) return ending
  } finally {
    call.signal.removeEventListener('abort', wake)
    wake()
  }
  const forced = await endProcessGroup(started.pid, { graceMs: setup.termGraceMs ?? TERM_GRACE_MS, effects })
  return { kind: 'timed-out', forced }
}

function outcomeOf(ending: Ending, durationMs: number, output: readonly string[]): MethodOutcome {
  switch (ending.kind) {
    case 'exited':
      return ending.exitCode === 0
        ? { kind: 'succeeded', durationMs, output }
        : { kind: 'failed', exitCode: ending.exitCode, durationMs, output }
    case 'killed':
      return { kind: 'killed', signal: ending.signal, durationMs, output }
    case 'timed-out':
      return { kind: 'timed-out', afterMs: durationMs, forced: ending.forced, output }
    default:
      return assertNever(ending)
  }
}

function describeEnding(ending: Ending, durationMs: number): string {
  const when = `after ${Math.round(durationMs)} ms`
  switch (ending.kind) {
    case 'exited':
      return `exit code ${ending.exitCode} ${when}`
    case 'killed':
      return `killed by ${ending.signal} ${when}`
    case 'timed-out':
      return `not done in time, ended with ${ending.forced ? 'KILL' : 'TERM'} ${when}`
    default:
      return assertNever(ending)
  }
}

function nothing(): undefined {}
