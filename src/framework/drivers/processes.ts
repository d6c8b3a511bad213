import { readdirSync, readFileSync } from 'node:fs'
import type { Effects } from '../ports/effects.ts'
import type { ProcSearch } from '../ports/proc-search.ts'
import { searchProcByGrep } from '../ports/real-proc-search.ts'

/** The variable by which processes are told to belong to a physical host: `<host key>/<logical host>/<data service>`. */
export const TAG_VARIABLE = 'HAVEN_SCOPE'

/** A process, told from a later one with the same pid by its start. */
export interface LiveProcess {
  readonly pid: number
  /** The kernel's short name of it. */
  readonly command: string
  /** Clock ticks since boot. */
  readonly startTicks: number
}

/** Reads a process; undefined when it is gone or a zombie, which holds nothing any more. */
export function readProcess(pid: number): LiveProcess | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined // It ended meanwhile, or is hidden from this user.
  }
  const close = stat.lastIndexOf(')')
  const fields = stat.slice(close + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { pid, command: stat.slice(stat.indexOf('(') + 1, close), startTicks: Number(fields[19]) }
}

/** Lists the pids of this pid namespace. */
export function listPids(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

/**
 * Reads the tags that processes were started with; one that has none, that this user may not look into, or that hangs in the kernel is left out. No file of
 * a process is read in this one: the kernel may wait for the memory lock of a process that hangs on a dead disk. Rejects with a plain error when it cannot look.
 */
export async function readTags(
  pids: readonly number[],
  search: ProcSearch = searchProcByGrep,
): Promise<ReadonlyMap<number, string>> {
  const prefix = `${TAG_VARIABLE}=`
  if (pids.length === 0) return new Map()
  const found = await search({ file: 'environ', pids: [...new Set(pids)], texts: [prefix], onHung: () => undefined })
  return new Map(
    [...found].flatMap(([pid, entries]) => {
      const tag = entries.find((entry) => entry.startsWith(prefix))
      return tag === undefined ? [] : [[pid, tag.slice(prefix.length)] as const]
    }),
  )
}

/** Whom a tag makes a process belong to, as seen from the physical host with the key `scope`. */
export type Belonging = 'ours' | 'other-host' | 'nobody'

/** Tells whose a process with this tag is. */
export function belongingOf(tag: string | undefined, scope: string): Belonging {
  if (tag === undefined || tag === '') return 'nobody'
  return tag.startsWith(`${scope}/`) ? 'ours' : 'other-host'
}

/** Tags what a driver itself runs. No logical host is named `-`, so no data service has such a tag. */
export function driverTag(scope: string, what: string): string {
  return `${scope}/-/${what}`
}

/**
 * Lists the processes whose tag is exactly this. With `lookForTags` (of a `DriverHost`) no file of a process is read in this one, where a few processes that hang
 * in the kernel would hold up all other work with files.
 */
export async function findTagged(
  tag: string,
  lookForTags: () => Promise<ReadonlyMap<number, string>> = readAllTags,
): Promise<readonly LiveProcess[]> {
  const found = [...(await lookForTags())].filter(([, each]) => each === tag).map(([pid]) => readProcess(pid))
  return found.filter((process) => process !== undefined)
}

function readAllTags(): Promise<ReadonlyMap<number, string>> {
  return readTags(listPids())
}

/** Lists this process and those it descends from: whoever ends processes spares them. */
export function ownLine(): ReadonlySet<number> {
  const line = new Set<number>([1])
  for (let pid = process.pid; pid > 0 && !line.has(pid); pid = parentOf(pid)) line.add(pid)
  return line
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0 // Gone: the line ends here.
  }
}

/** A process that was told to end is looked at this often. */
const POLL_MS = 5
/** After KILL only a process in the kernel (a dead disk) is still there after so long. */
const KILLED_WITHIN_MS = 500

export interface EndProcessesOptions {
  /** Time between TERM and KILL. */
  readonly graceMs: number
  readonly signal: AbortSignal
  readonly effects: Pick<Effects, 'sleep' | 'nowMonotonicMs'>
}

/** Ends processes with TERM, and KILL after the grace. Returns those that are still there; never rejects but for an abort. */
export async function endProcesses(
  targets: readonly LiveProcess[],
  options: EndProcessesOptions,
): Promise<readonly LiveProcess[]> {
  // A stopped process acts on TERM only once it is continued.
  for (const target of targets) if (signalProcess(target, 'SIGTERM')) signalProcess(target, 'SIGCONT')
  const stubborn = await waitUntilGone(targets, options.graceMs, options)
  for (const target of stubborn) signalProcess(target, 'SIGKILL')
  return waitUntilGone(stubborn, KILLED_WITHIN_MS, options)
}

async function waitUntilGone(
  targets: readonly LiveProcess[],
  withinMs: number,
  { signal, effects }: EndProcessesOptions,
): Promise<readonly LiveProcess[]> {
  const endMs = effects.nowMonotonicMs() + withinMs
  for (;;) {
    const alive = targets.filter(isAlive)
    if (alive.length === 0 || effects.nowMonotonicMs() >= endMs) return alive
    await effects.sleep(POLL_MS, signal)
  }
}

function isAlive(target: LiveProcess): boolean {
  return readProcess(target.pid)?.startTicks === target.startTicks
}

function signalProcess(target: LiveProcess, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false
  try {
    return process.kill(target.pid, signal)
  } catch {
    return false // Gone meanwhile, or not ours to signal: whoever looks afterwards sees it.
  }
}
