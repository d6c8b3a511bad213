import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { HaError } from '../errors/ha-error.ts'
import { deviceName, isWithin, readMounts } from './mount-table.ts'
import { type LiveProcess, listPids, readProcess, readTag } from './processes.ts'

/** A process that uses a disk group. */
export interface Holder extends LiveProcess {
  /** Its tag, undefined for a process that Haven did not start. */
  readonly tag: string | undefined
  /** How it holds on: `cwd /ha1`, `file /ha1/data/17`; at least one, at most `USES_MAX`. */
  readonly uses: readonly string[]
  /** Whether it has something of it open for writing. */
  readonly writes: boolean
}

/** What is looked for. */
export interface HeldThings {
  /** Directories as the kernel names them (no symbolic links in them). */
  readonly directories: readonly string[]
  /** Devices (`major:minor`) of the file systems meant; when there are any, a path counts only if its file is on one of them. */
  readonly devices: ReadonlySet<string>
  /**
   * Devices of what is mounted below. They count for processes of this mount namespace only: in others, and above, they may be anything,
   * such as the file system of the machine's root that was bound there.
   */
  readonly nestedDevices?: ReadonlySet<string>
  /** Below this directory nothing counts. */
  readonly except?: string
}

/**
 * Processes looked at side by side. Some, because most of the time goes into files of /proc that are read in the thread pool; not all, because
 * links are read in this thread, which has stamps to write between.
 */
const BATCH = 32

/** For a message some examples are enough. */
const USES_MAX = 4

/**
 * Finds the processes of this pid namespace that have a directory, an open file or a memory map there, in whatever mount namespace.
 * Processes that this user may not look into are not found. The caller is never among them.
 */
export async function findHolders(things: HeldThings, signal: AbortSignal): Promise<readonly Holder[]> {
  const mountsOf = new Map<string, Promise<readonly string[]>>()
  const found: (Holder | undefined)[] = []
  const pids = listPids().filter((pid) => pid !== process.pid)
  for (let done = 0; done < pids.length; done += BATCH) {
    signal.throwIfAborted()
    const batch = pids.slice(done, done + BATCH)
    found.push(...(await Promise.all(batch.map(async (pid) => holderIn(pid, await asSeenBy(pid, things, mountsOf))))))
  }
  return found.filter((holder) => holder !== undefined)
}

async function holderIn(pid: number, things: HeldThings): Promise<Holder | undefined> {
  const uses = await usesOf(pid, things)
  const process_ = uses.length === 0 ? undefined : readProcess(pid)
  if (process_ === undefined) return undefined
  const described = uses.slice(0, USES_MAX).map((use) => use.what)
  return { ...process_, tag: await readTag(pid), uses: described, writes: uses.some((use) => use.writes) }
}

/** Says what is looked for in the terms of a process's mount namespace. Many processes share one; it is read once. */
async function asSeenBy(
  pid: number,
  things: HeldThings,
  known: Map<string, Promise<readonly string[]>>,
): Promise<HeldThings> {
  if (things.devices.size === 0) return things
  const namespace = readLink(`/proc/${pid}/ns/mnt`)
  const isOurs = namespace === readLink('/proc/self/ns/mnt')
  if (isOurs) return { ...things, devices: new Set([...things.devices, ...(things.nestedDevices ?? [])]) }
  if (namespace === undefined) return things
  const look = async (): Promise<readonly string[]> =>
    (await readMounts(pid)).filter((mount) => things.devices.has(mount.device)).map((mount) => mount.mountPoint)
  const answer = known.get(namespace) ?? look()
  known.set(namespace, answer)
  return { ...things, directories: [...things.directories, ...(await answer)] }
}

interface Use {
  readonly what: string
  readonly writes: boolean
}

async function usesOf(pid: number, things: HeldThings): Promise<readonly Use[]> {
  // A kernel thread has no program, and a process of another user shows neither that nor anything else.
  if (readLink(`/proc/${pid}/exe`) === undefined) return []
  const links = ['cwd', 'root', 'exe'].map((name) => ({
    name,
    link: `/proc/${pid}/${name}`,
    descriptor: undefined as string | undefined,
  }))
  const files = listOf(`/proc/${pid}/fd`).map((name) => ({
    name: 'file',
    link: `/proc/${pid}/fd/${name}`,
    descriptor: name,
  }))
  const uses: Use[] = []
  for (const { name, link, descriptor } of [...links, ...files]) {
    const path = readLink(link)
    if (path === undefined || !(await isMeant(path, link, things))) continue
    uses.push({ what: `${name} ${path}`, writes: descriptor !== undefined && isOpenForWriting(pid, descriptor) })
  }
  return [...uses, ...(await mapsOf(pid, things))]
}

async function isMeant(path: string, link: string, things: HeldThings): Promise<boolean> {
  if (!path.startsWith('/') || !isBelow(path, things)) return false
  if (things.devices.size === 0) return true
  // Another mount namespace may have something else at the same path: the file itself says what it lies on.
  const facts = await stat(link).catch(() => undefined)
  return facts !== undefined && things.devices.has(deviceName(facts.dev))
}

function isBelow(path: string, things: HeldThings): boolean {
  if (things.except !== undefined && isWithin(path, things.except)) return false
  return things.directories.some((directory) => isWithin(path, directory))
}

function isOpenForWriting(pid: number, descriptor: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'latin1'))?.[1] ?? '0'
    return (Number.parseInt(flags, 8) & 3) !== 0 // O_WRONLY or O_RDWR
  } catch {
    return false // Closed meanwhile.
  }
}

async function mapsOf(pid: number, things: HeldThings): Promise<readonly Use[]> {
  // Not synchronously: the kernel may wait for the memory lock of a process that hangs on a dead disk.
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => '')
  if (!things.directories.some((directory) => maps.includes(directory))) return []
  const uses = new Map<string, Use>()
  for (const line of maps.split('\n')) {
    const use = parseMap(line, things)
    if (use !== undefined && (use.writes || !uses.has(use.what))) uses.set(use.what, use)
  }
  return [...uses.values()]
}

/** A line is `range permissions offset major:minor inode path`, the device in hexadecimal digits. */
function parseMap(line: string, things: HeldThings): Use | undefined {
  const match = /^\S+ (\S+) \S+ ([0-9a-f]+):([0-9a-f]+) \d+ +(\/.*)$/.exec(line)
  if (match === null) return undefined
  const [, permissions = '', major = '', minor = '', path = ''] = match
  const device = `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`
  if (!isBelow(path, things) || (things.devices.size > 0 && !things.devices.has(device))) return undefined
  return { what: `map ${path}`, writes: permissions.includes('w') && permissions.includes('s') }
}

function listOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return [] // Gone, or not ours to look into.
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined // Gone, a kernel thread, or not ours to look into.
  }
}

/** Describes a holder in a line of a message: `process 4711 (postgres): cwd /ha1/data`. */
export function describeHolder(holder: Holder): string {
  const tag = holder.tag === undefined ? '' : ` of ${holder.tag}`
  return `process ${holder.pid} (${holder.command})${tag}: ${holder.uses.join(', ')}`
}

/** Details of an error, one per holder. */
export function holderDetails(holders: readonly Holder[]): NonNullable<HaError['details']> {
  return holders.map(describeHolder)
}
