import { spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { dirname } from 'node:path'
import { isAlive, type ProcessFacts, readAllProcesses, readProcess, signalProcess } from '../../methods/proc.ts'
import type { Effects } from '../ports/effects.ts'
import { voterPaths } from './voter-paths.ts'

/** How often an etcd is looked at that another supervisor has started: the kernel tells only its parent that it ended. */
const LOOK_EVERY_MS = 100
/** An orderly end takes some milliseconds, and the handing over of the lead an election. */
const STOP_WITHIN_MS = 5000
/** After KILL the kernel takes what it takes. */
const KILL_WITHIN_MS = 5000

/** An etcd that runs. It outlives its supervisor. */
export interface EtcdProcess {
  readonly pid: number
  /** Where in the log begins what it said itself; 0 = not known. */
  readonly logFrom: number
  /** Its command line, the program left out. */
  readonly flags: readonly string[]
  /** Resolves with how it ended, a few words. Never rejects. */
  readonly ended: Promise<string>
  /** Ends it in order, by force when that takes too long. Resolves when it has ended. */
  stop(): Promise<void>
  /** Ends it at once. */
  kill(): void
}

/** Finds the etcd that runs on the data of this root already; undefined when there is none. */
export function adoptEtcd(root: string, effects: Effects): EtcdProcess | undefined {
  const wanted = `--data-dir=${voterPaths(root).data}`
  for (const facts of readAllProcesses()) {
    // Only of an etcd: the command line of a process that hangs on a dead disk cannot be read without hanging as well.
    if (facts.command !== 'etcd') continue
    const flags = flagsOf(facts)
    if (flags.includes(wanted)) return processOf(facts, { flags, logFrom: 0 }, watchEnd(facts, effects), effects)
  }
  return undefined
}

/** Starts etcd in the background; what it says goes to the end of its log. Rejects when the program cannot be started. */
export async function startEtcd(
  root: string,
  program: string,
  flags: readonly string[],
  effects: Effects,
): Promise<EtcdProcess> {
  const { log, data } = voterPaths(root)
  mkdirSync(data, { recursive: true, mode: 0o700 })
  mkdirSync(dirname(log), { recursive: true })
  const output = openSync(log, 'a', 0o600)
  const logFrom = fstatSync(output).size
  try {
    const child = spawn(program, flags, {
      detached: true,
      cwd: '/',
      // Nothing else: etcd takes every variable ETCD_* for an option.
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        ...(process.arch === 'arm64' && { ETCD_UNSUPPORTED_ARCH: 'arm64' }),
      },
      stdio: ['ignore', 'ignore', output],
    })
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `by ${signal}`))
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    const pid = child.pid ?? 0
    prefer(pid)
    const facts = readProcess(pid) ?? { pid, startTicks: 0 }
    return processOf(facts, { flags, logFrom }, ended, effects)
  } finally {
    closeSync(output)
  }
}

type Identity = Pick<ProcessFacts, 'pid' | 'startTicks'>

function processOf(
  identity: Identity,
  facts: Pick<EtcdProcess, 'flags' | 'logFrom'>,
  ended: Promise<string>,
  effects: Effects,
): EtcdProcess {
  return {
    ...facts,
    pid: identity.pid,
    ended,
    kill: () => signalProcess(identity, 'SIGKILL'),
    stop: async () => {
      signalProcess(identity, 'SIGTERM')
      if (await endsWithin(ended, STOP_WITHIN_MS, effects)) return
      signalProcess(identity, 'SIGKILL')
      await endsWithin(ended, KILL_WITHIN_MS, effects)
    },
  }
}

async function endsWithin(ended: Promise<string>, ms: number, effects: Effects): Promise<boolean> {
  const timer = new AbortController()
  const late = effects.sleep(ms, timer.signal).then(
    () => false,
    () => false, // It ended before.
  )
  const isEnded = await Promise.race([ended.then(() => true), late])
  timer.abort()
  return isEnded
}

async function watchEnd(identity: Identity, effects: Effects): Promise<string> {
  while (isAlive(identity)) await effects.sleep(LOOK_EVERY_MS)
  return 'in a way that nobody saw'
}

function flagsOf({ pid }: ProcessFacts): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, -1)
  } catch {
    return [] // It ended meanwhile, or is not ours.
  }
}

/** All hosts wait for it, so it goes before what they wait with. Without rights it runs like any other process. */
function prefer(pid: number): void {
  const preferences = [() => setPriority(pid, -10), () => writeFileSync(`/proc/${pid}/oom_score_adj`, '-900')]
  for (const one of preferences) {
    try {
      one()
    } catch {
      // Not root.
    }
  }
}
