import { readFile } from 'node:fs/promises'

/** One mounted file system, from proc(5) `mountinfo`. */
export interface Mount {
  readonly id: number
  readonly parent: number
  /** `major:minor` of the file system's device. */
  readonly device: string
  readonly mountPoint: string
  readonly type: string
  /** What was mounted, as it was named then: `/dev/loop3`. */
  readonly source: string
  readonly isReadOnly: boolean
}

/** Reads the mounts of a process's mount namespace, in their order; empty when the process is gone or not ours to look at. */
export async function readMounts(pid: number | 'self' = 'self'): Promise<readonly Mount[]> {
  const text = await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch((error: unknown) => {
    if (pid === 'self') throw error
    return '' // Others come and go.
  })
  return text.split('\n').flatMap((line) => parseMount(line) ?? [])
}

/** Parses a line of `mountinfo`; undefined when it is not one. */
export function parseMount(line: string): Mount | undefined {
  const [before = '', after = ''] = line.split(' - ')
  const [id, parent, device, , mountPoint] = before.split(' ')
  const [type, source, superOptions] = after.split(' ')
  if (device === undefined || mountPoint === undefined || type === undefined || source === undefined) return undefined
  return {
    id: Number(id),
    parent: Number(parent),
    device,
    mountPoint: unescapeOctal(mountPoint),
    type,
    source: unescapeOctal(source),
    isReadOnly: (superOptions ?? '').split(',').includes('ro'),
  }
}

/** Blank, tab, newline and backslash are octal in this file. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** Finds what is seen at a mount point: the last one that was mounted there. */
export function mountAt(mounts: readonly Mount[], mountPoint: string): Mount | undefined {
  return mounts.findLast((mount) => mount.mountPoint === mountPoint)
}

/** Orders mounts for unmounting: what lies on another one of them before that one, later before earlier. */
export function unmountOrder(mounts: readonly Mount[]): readonly Mount[] {
  const depthOf = (mount: Mount, seen = 0): number => {
    const parent = mounts.find((other) => other.id === mount.parent)
    return parent === undefined || seen > mounts.length ? 0 : 1 + depthOf(parent, seen + 1)
  }
  return mounts
    .map((mount, index) => ({ mount, index, depth: depthOf(mount) }))
    .sort((a, b) => b.depth - a.depth || b.index - a.index)
    .map(({ mount }) => mount)
}

/** Tells whether a path is the directory itself or lies below it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)
}

/** Writes a device number of stat(2) as `major:minor`. The number has up to 64 bits, which bit operations of JavaScript would cut. */
export function deviceName(device: number): string {
  const bits = BigInt(device)
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}
