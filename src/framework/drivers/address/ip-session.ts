import { type ChildProcess, spawn } from 'node:child_process'
import type { Effects } from '../../ports/effects.ts'
import { TAG_VARIABLE } from '../processes.ts'
import { CommandError } from '../run-command.ts'

/** What iproute2 said. */
export interface IpAnswer {
  /** To the question: one line of JSON. */
  readonly json: string
  /** Of the commands before the question; empty = all were carried out. */
  readonly complaint: string
}

/**
 * An `ip` that stays, in the network namespace of this process. To start one takes 3 ms, to ask one that is there a tenth of that, and an address that moves
 * asks six times.
 */
export interface IpSession {
  /**
   * Carries out commands, then asks a question (a `show`), without anybody else's commands in between. A command that fails does not keep the rest.
   * Rejects with `CommandError`, or the signal's reason; then nothing of it is under way any more.
   */
  ask(commands: readonly string[], question: string, signal: AbortSignal): Promise<IpAnswer>
  /** Somebody will ask soon: the program is started unless it is there. Never throws. */
  expect(): void
  /** Ends the program. Whoever asks afterwards starts another one. */
  close(): void
}

/** It answers in a millisecond; one that hangs must not keep all who ask later. */
const ANSWER_MS_MAX = 5_000
/** It remembers which number an adapter of a name has, and an adapter may be made anew: nobody relies on what it has remembered for longer. */
const UNASKED_MS_MAX = 5_000
/** An answer for a host with 10,000 addresses is 3 MB. More than this is not an answer but an accident. */
const ANSWER_LENGTH_MAX = 16 * 1024 * 1024
/** A process that hangs in the kernel does not even die of KILL. */
const GIVE_UP_AFTER_MS = 500

const NAMED = ['ip', '-force', '-json', '-batch', '-'] as const
/** What it says and what it complains of must arrive in the order in which it was written: over one pipe. */
const ARGV = ['-c', `exec ${NAMED.join(' ')} 2>&1`] as const
/** Of the shell, when there is no such program. */
const MISSING = 127

/** Makes one; the program carries `tag`, so that whoever ends what this host had under way finds it. It ends when this process does. */
export function createIpSession(made: {
  readonly effects: Pick<Effects, 'sleep' | 'nowMonotonicMs'>
  readonly tag: string
}): IpSession {
  const { effects, tag } = made
  let program: IpProgram | undefined
  let askedMs = 0
  let queue: Promise<unknown> = Promise.resolve()

  const close = (): void => {
    program?.end()
    program = undefined
  }
  const ready = (): IpProgram => {
    if (effects.nowMonotonicMs() - askedMs > UNASKED_MS_MAX) close()
    askedMs = effects.nowMonotonicMs()
    program ??= new IpProgram(tag)
    return program
  }
  const carryOut = async (lines: readonly string[], signal: AbortSignal): Promise<IpAnswer> => {
    signal.throwIfAborted()
    const old = program
    const mine = ready()
    try {
      const answer = await bounded(mine, lines, { signal, effects })
      if (answer.complaint !== '') close()
      return answer
    } catch (error) {
      program = undefined
      const hadEnded = mine.hasEnded
      await mine.kill(effects)
      // Somebody has ended it since the last question, perhaps. To do a command again does no harm.
      if (mine === old && hadEnded) return await carryOut(lines, signal)
      throw error
    } finally {
      askedMs = effects.nowMonotonicMs()
    }
  }

  return {
    close,
    expect: () => {
      try {
        ready()
      } catch {
        // The machine cannot start it now: whoever asks tries again, and is told.
      }
    },
    ask: async (commands, question, signal) => {
      const turn = inTurn(queue, () => carryOut([...commands, question], signal), signal)
      queue = turn.over
      return await turn.answer
    },
  }
}

/** Does something when all before it is over; given up while it waits, it is not done at all. */
function inTurn<T>(
  before: Promise<unknown>,
  work: () => Promise<T>,
  signal: AbortSignal,
): { readonly answer: Promise<T>; readonly over: Promise<unknown> } {
  let hasBegun = false
  const done = before.then(() => {
    hasBegun = true
    return work()
  })
  const over = done.then(nothing, nothing)
  const isOver = new AbortController()
  const answer = new Promise<T>((resolve, reject) => {
    done.then(resolve, reject)
    const giveUp = (): void => {
      if (!hasBegun) reject(signal.reason)
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true, signal: isOver.signal })
  })
  void over.then(() => isOver.abort())
  return { answer, over }
}

/** Rejects when it takes too long or is given up; whoever called ends the program then. */
async function bounded(
  program: IpProgram,
  lines: readonly string[],
  { signal, effects }: { readonly signal: AbortSignal; readonly effects: Pick<Effects, 'sleep'> },
): Promise<IpAnswer> {
  const over = new AbortController()
  const cut = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over.signal })
    const late = (): void => reject(failure(`took longer than ${ANSWER_MS_MAX} ms`))
    // This wait also keeps the process alive, which does not wait for the program itself.
    effects.sleep(ANSWER_MS_MAX, over.signal).then(late, nothing)
  })
  try {
    return await Promise.race([program.tell(lines), cut])
  } finally {
    over.abort()
  }
}

/** One run of the program. */
class IpProgram {
  /** Without streams when this process has no file left to open; then it has failed, and says so in a moment. */
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  /** Lines that it was told. */
  #told = 0
  #heard = ''
  #isOver: CommandError | undefined
  #waiting: Waiting | undefined

  constructor(tag: string) {
    this.#child = spawn('/bin/sh', ARGV, {
      stdio: ['pipe', 'pipe', 'ignore'],
      // Signals that a terminal sends to this process are not for it.
      detached: true,
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', [TAG_VARIABLE]: tag },
    })
    const { stdin, stdout } = this.#child
    this.#ended = new Promise<void>((resolve) => {
      const end = (error: CommandError): void => {
        this.#isOver = error
        this.#waiting?.reject(error)
        resolve()
      }
      this.#child.once('error', (error) => end(failure(`could not be started (${error.message})`)))
      this.#child.once('close', (code, killedBy) => end(endOf(code, killedBy)))
    })
    // How it ended is told by its exit code.
    stdin?.on('error', nothing)
    stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
    // It ends with its standard input, so it need not be waited for.
    for (const each of [this.#child, stdin, stdout] as readonly ({ unref?: () => void } | null)[]) each?.unref?.()
  }

  get hasEnded(): boolean {
    return this.#isOver !== undefined
  }

  /** Resolves with the answer to the last line. One caller at a time. */
  tell(lines: readonly string[]): Promise<IpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#isOver !== undefined) {
        reject(this.#isOver)
        return
      }
      this.#told += lines.length
      this.#waiting = { lastLine: this.#told, complaints: [], resolve, reject }
      this.#child.stdin?.write(`${lines.join('\n')}\n`)
    })
  }

  /** Tells it that nothing more comes. */
  end(): void {
    this.#child.stdin?.end()
  }

  async kill(effects: Pick<Effects, 'sleep'>): Promise<void> {
    this.#child.kill('SIGKILL')
    await Promise.race([this.#ended, effects.sleep(GIVE_UP_AFTER_MS)])
  }

  #hear(text: string): void {
    this.#heard += text
    if (this.#heard.length > ANSWER_LENGTH_MAX) {
      this.#waiting?.reject(failure(`printed more than ${ANSWER_LENGTH_MAX} characters`))
      this.#heard = ''
    }
    if (!text.includes('\n')) return
    const lines = this.#heard.split('\n')
    this.#heard = lines.pop() ?? ''
    for (const line of lines) this.#hearLine(line)
  }

  /** An answer is the only thing that it prints as JSON; `Command failed` comes with the number of the line that it was told. */
  #hearLine(line: string): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const complaint = waiting.complaints.join('\n')
    if (line.startsWith('[')) {
      this.#waiting = undefined
      waiting.resolve({ json: line, complaint })
    } else if (line === `Command failed -:${waiting.lastLine}`) {
      this.#waiting = undefined
      waiting.reject(failure('cannot answer', complaint))
    } else if (!line.startsWith('Command failed ')) waiting.complaints.push(line)
  }
}

interface Waiting {
  readonly lastLine: number
  readonly complaints: string[]
  resolve(answer: IpAnswer): void
  reject(error: CommandError): void
}

function endOf(exitCode: number | null, killedBy: string | null): CommandError {
  if (exitCode === MISSING) return failure('there is no such program on this host', '', true)
  return failure(exitCode === null ? `was killed by ${killedBy}` : `ended with exit code ${exitCode}`)
}

function failure(how: string, stderr = '', isMissing = false): CommandError {
  return new CommandError(NAMED, how, { exitCode: null, isMissing, stderr })
}

function nothing(): void {}
