import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { HaError } from '../../../src/framework/errors/ha-error.ts'
import type { Answer, HostSettings, Request } from './wire.ts'

const execute = promisify(execFile)
/** Of a user's shell, too, the path may lack the directories of the system's own programs. */
const PATH = `/usr/sbin:/sbin:${process.env['PATH']}`

/** Runs a command to its end and returns what it printed; rejects when it fails. */
export async function command(...words: readonly [string, ...string[]]): Promise<string> {
  const [program, ...rest] = words
  return (await execute(program, rest, { env: { PATH, LC_ALL: 'C' }, maxBuffer: 64 * 1024 * 1024 })).stdout
}

/** Tells whether these programs are there and we are root; otherwise names what is missing. */
export async function missingFor(programs: readonly string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'not root'
  for (const program of programs) {
    const isThere = await command('sh', '-c', `command -v ${program}`).then(
      () => true,
      () => false,
    )
    if (!isThere) return `no ${program}`
  }
  return command('unshare', '--mount', '--net', 'true').then(
    () => undefined,
    () => 'no right to make namespaces',
  )
}

/** A place for the files of one test file, and the bundled host process in it. */
export class Workshop {
  readonly directory = mkdtempSync(join(tmpdir(), 'haven-drivers-'))
  #bundle: Promise<string> | undefined

  bundle(): Promise<string> {
    this.#bundle ??= this.#build()
    return this.#bundle
  }

  async #build(): Promise<string> {
    const outfile = join(this.directory, 'host-process.mjs')
    const entry = join(import.meta.dirname, 'host-process.ts')
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      logLevel: 'warning',
    })
    return outfile
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** A physical host made of a mount and a network namespace, with a process in it that runs drivers. Its files are those of this machine. */
export class NamespaceHost {
  readonly settings: HostSettings
  readonly #workshop: Workshop
  readonly #keeper: ChildProcess
  readonly #others: ChildProcess[] = []
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #driver: ChildProcess | undefined
  #calls = 0

  private constructor(workshop: Workshop, settings: HostSettings, keeper: ChildProcess) {
    this.#workshop = workshop
    this.settings = settings
    this.#keeper = keeper
  }

  static async start(workshop: Workshop, settings: HostSettings): Promise<NamespaceHost> {
    const words = [
      '--mount',
      '--net',
      '--propagation',
      'private',
      'sh',
      '-c',
      'ip link set lo up; echo ready; exec sleep infinity',
    ]
    const keeper = spawn(...dyingWithUs('unshare', ...words), { stdio: ['ignore', 'pipe', 'inherit'] })
    await firstOutput(keeper)
    return new NamespaceHost(workshop, settings, keeper)
  }

  /** The pid whose namespaces are this host's. */
  get pid(): number {
    return this.#keeper.pid ?? 0
  }

  /** Runs a command in the namespaces of the host. */
  run(...words: readonly [string, ...string[]]): Promise<string> {
    return command('nsenter', '-t', String(this.pid), '-m', '-n', '--', ...words)
  }

  /** Starts a program in the namespaces of the host, and waits until it prints something. */
  async launch(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<ChildProcess> {
    const child = spawn(...dyingWithUs('nsenter', '-t', String(this.pid), '-m', '-n', '--', ...words), {
      env: { PATH, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#others.push(child)
    await firstOutput(child)
    return child
  }

  /** Calls a method of a driver in the host. */
  async call(driver: string, method: string, words: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    const process_ = await this.#process()
    this.#calls += 1
    const id = this.#calls
    const send = (request: Request): boolean => process_.stdin?.write(`${JSON.stringify(request)}\n`) ?? false
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    send({ kind: 'call', id, driver, method, words, isAborted: signal.aborted })
    const abort = (): void => void send({ kind: 'abort', id })
    signal.addEventListener('abort', abort, { once: true })
    try {
      return valueIn(await answer)
    } finally {
      signal.removeEventListener('abort', abort)
      this.#waiting.delete(id)
    }
  }

  /** Kills the process that runs the drivers, as if clustd were killed. Mounts and addresses stay; the next call starts another one. */
  async killDrivers(): Promise<void> {
    await kill(this.#driver)
    this.#driver = undefined
  }

  /** Ends the host with all that it has: mounts and network go with their namespaces. */
  async powerOff(): Promise<void> {
    await Promise.all([...this.#others, this.#driver, this.#keeper].map(kill))
    this.#driver = undefined
  }

  async #process(): Promise<ChildProcess> {
    if (this.#driver !== undefined) return this.#driver
    const bundle = await this.#workshop.bundle()
    const words = ['-t', String(this.pid), '-m', '-n', '--', process.execPath, bundle, JSON.stringify(this.settings)]
    const child = spawn(...dyingWithUs('nsenter', ...words), { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.on('error', () => undefined) // It was killed while a request was on its way.
    createInterface({ input: child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer
      this.#waiting.get(answer.id)?.(answer)
    })
    child.once('exit', () => {
      for (const [id, answer] of this.#waiting)
        answer({ id, kind: 'error', error: null, text: 'the host process was killed' })
    })
    this.#driver = child
    return child
  }
}

/** A test run that is killed takes its hosts along. setpriv becomes the program, so the pid is the same. */
function dyingWithUs(...words: readonly string[]): [string, string[]] {
  return ['setpriv', ['--pdeathsig', 'KILL', '--', ...words]]
}

function valueIn(answer: Answer): unknown {
  if (answer.kind === 'value') return answer.value ?? undefined
  const { error, text } = answer
  if (error === null) throw new Error(text)
  throw new HaError(error.code, error.message, {
    details: error.details,
    ...(error.hint === null ? {} : { hint: error.hint }),
  })
}

function firstOutput(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (code) =>
      reject(new Error(`${child.spawnargs.join(' ')} ended with ${code} before it was ready`)),
    )
  })
}

/** Kills a process we started and waits until it is gone. nsenter and unshare become the program, so no other pid is behind them. */
export async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}
