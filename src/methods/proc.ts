import { readdirSync, readFileSync } from 'node:fs'

/** One living process, from `/proc/<pid>/stat`. */
export interface ProcessFacts {
  readonly pid: number
  /** The kernel's short name of it, at most 15 characters. */
  readonly command: string
  /** One letter: R running, S sleeping, D in uninterruptible sleep, T stopped, ... */
  readonly state: string
  readonly parent: number
  readonly group: number
  /** When it started, clock ticks since boot. A pid with another start is another process. */
  readonly startTicks: number
}

/**
 * Reads a process; undefined when there is none, or only a zombie that waits for its parent: a zombie holds nothing.
 * Only `stat` is read: other than `environ` and `cmdline` it never waits for the memory lock of a process that hangs on a dead disk.
 */
export function readProcess(pid: number): ProcessFacts | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    // It ended (ENOENT, ESRCH), or is hidden from us (hidepid): not ours then.
    return undefined
  }
  const facts = parseStat(text)
  return facts === undefined || facts.state === 'Z' || facts.state === 'X' ? undefined : facts
}

/** Parses a line of proc(5) `stat`; undefined when it is not one. The command may hold blanks and brackets, so its last bracket counts. */
export function parseStat(text: string): ProcessFacts | undefined {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const fields = text.slice(close + 2).split(' ')
  const [state = '', parent, group] = fields
  const facts = {
    pid: Number.parseInt(text, 10),
    command: text.slice(open + 1, close),
    state,
    parent: Number(parent),
    group: Number(group),
    // Field 22 of the line; the fields here begin with number 3.
    startTicks: Number(fields[19]),
  }
  return Number.isNaN(facts.pid + facts.parent + facts.group + facts.startTicks) ? undefined : facts
}

/** Lists the pids of this pid namespace. */
export function listPids(): readonly number[] {
  return readdirSync('/proc').filter(isNumber).map(Number)
}

/** Reads every living process of this pid namespace. */
export function readAllProcesses(): readonly ProcessFacts[] {
  return listPids().flatMap((pid) => readProcess(pid) ?? [])
}

/** Tells whether that very process still lives. */
export function isAlive(process: Pick<ProcessFacts, 'pid' | 'startTicks'>): boolean {
  return readProcess(process.pid)?.startTicks === process.startTicks
}

/** Sends a signal to that very process, not to one that got its pid later. Gone, or not ours to signal: nothing happens. */
export function signalProcess(target: Pick<ProcessFacts, 'pid' | 'startTicks'>, signal: NodeJS.Signals): void {
  if (isAlive(target)) trySignal(target.pid, signal)
}

/** Sends a signal to a pid, or to a process group when it is negative. False when there is nothing to send it to. */
export function trySignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    // EPERM: it is there, but has become somebody else. Whoever looks for it afterwards finds it.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Lists this process and those it descends from: whoever ends processes spares them. */
export function ownLine(): ReadonlySet<number> {
  const line = new Set<number>([1])
  for (let pid = process.pid; pid > 0 && !line.has(pid); pid = readProcess(pid)?.parent ?? 0) line.add(pid)
  return line
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name)
}
