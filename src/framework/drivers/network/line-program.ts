import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Effects } from '../../ports/effects.ts'

/** A program that is kept running: it prints lines, and may be told lines. */
export interface LineProgram {
  /** Tells it a line; lost while it does not run. Never waits, never throws. */
  tell(line: string): void
  /** Ends it for good. Resolves when it is gone. */
  close(): Promise<void>
}

/** What is to run, and who is told. */
export interface LineProgramOptions {
  readonly effects: Pick<Effects, 'sleep'>
  readonly argv: readonly [string, ...string[]]
  readonly onLine: (line: string) => void
  /** Told that it has ended by itself and why; it will be started again. */
  readonly onEnd: (why: string) => void
}

/** A program that ends at once (there is no perl) must not become a storm of processes; one that was killed is missed for this long. */
const AGAIN_AFTER_MS = 500
/** Of complaints the last line matters. */
const COMPLAINT_LENGTH_MAX = 500
/** What does not end with its standard input is killed after this. */
const KILL_AFTER_MS = 200
/** A program that does not read what it is told is told nothing more. */
const UNREAD_LENGTH_MAX = 64 * 1024

/**
 * Keeps a program running until `close`. It must end when its standard input does: so it never outlives a clustd that was killed, which cannot end it.
 * It carries no tag of this host: whoever ends what a former clustd had under way must not end what the present one needs.
 */
export function keepRunning(options: LineProgramOptions): LineProgram {
  const closing = new AbortController()
  let child: ChildProcess | undefined
  const task = runAgainAndAgain(options, closing.signal, (next) => {
    child = next
  })
  return {
    tell: (line) => {
      const input = child?.stdin
      if (input?.writable !== true || input.writableLength > UNREAD_LENGTH_MAX) return
      input.write(`${line}\n`)
    },
    close: async () => {
      closing.abort(new Error('closed'))
      await task
    },
  }
}

async function runAgainAndAgain(
  options: LineProgramOptions,
  closing: AbortSignal,
  setChild: (child: ChildProcess | undefined) => void,
): Promise<void> {
  while (!closing.aborted) {
    const why = await runOnce(options, closing, setChild)
    if (closing.aborted) return
    options.onEnd(why)
    await options.effects.sleep(AGAIN_AFTER_MS, closing).catch(() => undefined)
  }
}

async function runOnce(
  { argv, effects, onLine }: LineProgramOptions,
  closing: AbortSignal,
  setChild: (child: ChildProcess | undefined) => void,
): Promise<string> {
  const [program, ...words] = argv
  const child = spawn(program, words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Signals that a terminal sends to clustd are not for it: it goes when clustd goes.
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  })
  const ended = endOf(child)
  // What is told to a program that has just ended is lost, as announced.
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stdout }).on('line', onLine)
  const end = async (): Promise<void> => {
    child.stdin.end()
    await Promise.race([ended, effects.sleep(KILL_AFTER_MS)])
    child.kill('SIGKILL')
  }
  const onClosing = (): void => void end()
  closing.addEventListener('abort', onClosing, { once: true })
  setChild(child)
  const why = await ended
  setChild(undefined)
  closing.removeEventListener('abort', onClosing)
  return why
}

function endOf(child: ChildProcess): Promise<string> {
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_LENGTH_MAX)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (exitCode, signal) => {
      const how = exitCode === null ? `killed by ${signal}` : `exit code ${exitCode}`
      const said = complaint.trim().split('\n').at(-1) ?? ''
      resolve(said === '' ? how : `${how}: ${said}`)
    })
  })
}
