import { type ChildProcess, spawn } from 'node:child_process'
import type { Effects } from '../ports/effects.ts'
import { TAG_VARIABLE } from './processes.ts'

/** How a command ended that did what was asked of it. */
export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** When it aborts, the command and all it started get TERM, then KILL, and the promise rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** Exit codes that are no failure; only 0 when absent. */
  readonly accept?: readonly number[]
  /** Ends it like an abort after this long, with a `CommandError`; absent: only the signal bounds it. */
  readonly timeoutMs?: number
  /** Text for its stdin; absent: stdin is closed. A promise: it is started at once, gets the text when there is one, and is ended when there will be none. */
  readonly input?: string | Promise<string>
  /** Variables on top of the clean environment. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs a program of the system with these words (no shell looks at them). Rejects with `CommandError`, or the signal's reason. */
export type RunCommand = (argv: readonly [string, ...string[]], options: CommandOptions) => Promise<CommandResult>

interface FailureFacts {
  /** Null when it could not be started or was killed. */
  readonly exitCode: number | null
  /** Whether there is no such program on this host. */
  readonly isMissing: boolean
  readonly stderr: string
}

/** A command that could not be started, was killed, took too long, or ended with an exit code that was not accepted. */
export class CommandError extends Error {
  readonly commandLine: string
  /** Without the command line and what the command said. */
  readonly how: string
  readonly facts: FailureFacts

  constructor(argv: readonly string[], how: string, facts: FailureFacts) {
    const commandLine = argv.join(' ')
    const said = facts.stderr.trim()
    super(`${commandLine}: ${how}${said === '' ? '' : `: ${said}`}`)
    this.name = 'CommandError'
    this.commandLine = commandLine
    this.how = how
    this.facts = facts
  }
}

/** `ip -json addr` of a host with 10,000 addresses is 3 MB. More than this is not an answer but an accident. */
const STDOUT_LENGTH_MAX = 16 * 1024 * 1024
/** Of complaints the end matters. */
const STDERR_LENGTH_MAX = 8 * 1024
/** A command that is cut short gets this long after TERM; mount and fsck have nothing to tidy up that the next run would not. */
const KILL_AFTER_MS = 200
/** A process that waits for a dead disk does not even die of KILL. It is left to `leftovers`, which finds it by its tag. */
const GIVE_UP_AFTER_MS = 500

/**
 * Makes the one way in which drivers start programs. Each runs in its own process group, with a clean environment and `tag` in it, so that
 * whoever stops this host (the guard, when clustd is gone) finds what is still under way.
 */
export function createRunCommand(made: { readonly effects: Pick<Effects, 'sleep'>; readonly tag: string }): RunCommand {
  return async (argv, options) => {
    options.signal.throwIfAborted()
    const [program, ...words] = argv
    const child = spawn(program, words, {
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      cwd: '/',
      env: { ...options.environment, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', [TAG_VARIABLE]: made.tag },
    })
    // A program that reads nothing ends before all is written, which is its right; how it ended is told by its exit code.
    child.stdin?.on('error', () => undefined)
    void feed(child, options.input)
    const output = collect(child)
    const ending = endOf(child, argv)
    const cut = new AbortController()
    try {
      const why = cutShort({ argv, options, output }, made.effects, cut.signal)
      const reason = await Promise.race([ending.then(() => undefined), why])
      if (reason !== undefined) {
        await endGroup(child, ending, made.effects)
        throw reason.error
      }
      return judge(argv, options, await ending, output)
    } finally {
      cut.abort()
    }
  }
}

async function feed(child: ChildProcess, input: CommandOptions['input']): Promise<void> {
  try {
    child.stdin?.end(await input)
  } catch {
    // There is none: it is cut short.
  }
}

type Ending = { readonly exitCode: number | null; readonly killedBy: string | null }

/** Resolves with the error to end with when the command has to be cut short; never when `forget` aborts first, for its pid may then be another's. */
function cutShort(
  { argv, options, output }: { argv: readonly string[]; options: CommandOptions; output: Output },
  effects: Pick<Effects, 'sleep'>,
  forget: AbortSignal,
): Promise<{ readonly error: unknown }> {
  const { signal, timeoutMs, input } = options
  return new Promise((resolve) => {
    if (input instanceof Promise) input.catch((error: unknown) => resolve({ error }))
    signal.addEventListener('abort', () => resolve({ error: signal.reason }), { once: true, signal: forget })
    if (timeoutMs === undefined) return
    const late = (): CommandError => {
      const facts = { exitCode: null, isMissing: false, stderr: output.stderr() }
      return new CommandError(argv, `took longer than ${timeoutMs} ms`, facts)
    }
    effects.sleep(timeoutMs, forget).then(
      () => resolve({ error: late() }),
      () => undefined, // Forgotten: the command has ended.
    )
  })
}

function judge(argv: readonly string[], options: CommandOptions, ended: Ending, output: Output): CommandResult {
  const { exitCode, killedBy } = ended
  const facts = { exitCode, isMissing: false, stderr: output.stderr() }
  if (output.isTooMuch()) throw new CommandError(argv, `printed more than ${STDOUT_LENGTH_MAX} characters`, facts)
  if (exitCode === null) throw new CommandError(argv, `killed by ${killedBy}`, facts)
  if (!(options.accept ?? [0]).includes(exitCode)) throw new CommandError(argv, `exit code ${exitCode}`, facts)
  return { exitCode, stdout: output.stdout(), stderr: facts.stderr }
}

function endOf(child: ChildProcess, argv: readonly string[]): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === 'ENOENT'
      const how = isMissing ? 'there is no such program on this host' : `could not be started (${error.message})`
      reject(new CommandError(argv, how, { exitCode: null, isMissing, stderr: '' }))
    })
    child.once('close', (exitCode, killedBy) => resolve({ exitCode, killedBy }))
  })
}

interface Output {
  stdout(): string
  stderr(): string
  isTooMuch(): boolean
}

function collect(child: ChildProcess): Output {
  let stdout = ''
  let stderr = ''
  let isTooMuch = false
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (stdout.length <= STDOUT_LENGTH_MAX) return
    isTooMuch = true
    stdout = ''
    signalGroup(child, 'SIGKILL')
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_LENGTH_MAX)
  })
  return { stdout: () => stdout, stderr: () => stderr, isTooMuch: () => isTooMuch }
}

async function endGroup(child: ChildProcess, ending: Promise<Ending>, effects: Pick<Effects, 'sleep'>): Promise<void> {
  const gone = ending.then(
    () => true,
    () => true,
  )
  signalGroup(child, 'SIGTERM')
  if (await Promise.race([gone, effects.sleep(KILL_AFTER_MS).then(() => false)])) return
  signalGroup(child, 'SIGKILL')
  await Promise.race([gone, effects.sleep(GIVE_UP_AFTER_MS)])
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: the whole group is gone, which is what was wanted.
  }
}
