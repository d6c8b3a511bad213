import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { deviceName, isWithin } from './mount-table.ts'

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
  /** Only these processes are looked at; absent: all. */
  readonly among?: ReadonlySet<number>
}

/** One way in which a process holds on. */
export interface Use {
  /** Such as `cwd /ha1`. */
  readonly what: string
  readonly writes: boolean
}

/** A link of /proc that names a file which a process uses. */
export interface UsedLink {
  readonly name: string
  readonly link: string
  /** The number of an open file; undefined for the others. */
  readonly descriptor: string | undefined
  readonly path: string
}

/** Reads what a process uses, memory maps excepted. Empty when it is gone, a kernel thread, or not ours to look into. */
export function readUsedLinks(pid: number): readonly UsedLink[] {
  // A kernel thread has no program, and a process of another user shows neither that nor anything else.
  const exe = readLink(`/proc/${pid}/exe`)
  if (exe === undefined) return []
  const used: UsedLink[] = [{ name: 'exe', link: `/proc/${pid}/exe`, descriptor: undefined, path: exe }]
  const add = (name: string, link: string, descriptor: string | undefined): void => {
    const path = readLink(link)
    if (path?.startsWith('/')) used.push({ name, link, descriptor, path })
  }
  for (const name of ['cwd', 'root']) add(name, `/proc/${pid}/${name}`, undefined)
  for (const descriptor of listOf(`/proc/${pid}/fd`)) add('file', `/proc/${pid}/fd/${descriptor}`, descriptor)
  return used
}

/** Picks what is a use of the things out of the links and the lines of `maps` of a process. */
export async function usesAmong(
  pid: number,
  links: readonly UsedLink[],
  maps: readonly string[],
  things: HeldThings,
): Promise<readonly Use[]> {
  const uses: Use[] = []
  for (const used of links) {
    if (!isBelow(used.path, things) || !(await isOnDevice(used.link, things))) continue
    const writes = used.descriptor !== undefined && isOpenForWriting(pid, used.descriptor)
    uses.push({ what: `${used.name} ${used.path}`, writes })
  }
  return [...uses, ...mapsAmong(maps, things)]
}

async function isOnDevice(link: string, { devices }: HeldThings): Promise<boolean> {
  if (devices.size === 0) return true
  // Another mount namespace may have something else at the same path: the file itself says what it lies on.
  const facts = await stat(link).catch(() => undefined)
  return facts !== undefined && devices.has(deviceName(facts.dev))
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

function mapsAmong(maps: readonly string[], things: HeldThings): readonly Use[] {
  const uses = new Map<string, Use>()
  for (const line of maps) {
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

/** Reads a link of /proc; undefined when it is gone, that of a kernel thread, or not ours to look into. */
export function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
