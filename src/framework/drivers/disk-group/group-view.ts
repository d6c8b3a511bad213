import assert from 'node:assert/strict'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DiskGroup } from '../../model/cluster-config.ts'
import type { DiskGroupCall } from '../../ports/disk-group-driver.ts'
import { belowRoot, type DriverHost } from '../driver-host.ts'
import { type Mount, mountAt, readMounts } from '../mount-table.ts'
import type { Owner } from '../ownership-mark.ts'
import { driverTag } from '../processes.ts'
import { createRunCommand, type RunCommand } from '../run-command.ts'
import { type GroupMark, markOf } from './group-mark.ts'
import { type Loop, loopList } from './loop-devices.ts'
import { type BlockDevice, devicesOf, lookAtStorage, type Storage } from './storage.ts'

export type FileSystemGroup = Extract<DiskGroup, { kind: 'filesystem' }>

/** One call for one disk group. */
export interface FileSystemPlace {
  readonly host: DriverHost
  readonly group: FileSystemGroup
  readonly mountPoint: string
  readonly signal: AbortSignal
  readonly run: RunCommand
}

/** One file system of the disk group, and where it belongs on this host. */
export interface Part {
  readonly storage: Storage
  /** Absolute, with `HAVEN_ROOT`, links resolved as far as the path exists. */
  readonly target: string
  /** What is mounted there, if it is this file system. */
  mounted(view: View): Mount | undefined
}

/** A disk group as configured, looked at on this host. */
export interface FoundGroup {
  readonly place: FileSystemPlace
  readonly parts: readonly Part[]
  /** Carries the mark. */
  readonly first: Part
  readonly mark: GroupMark
  /** Where the mark is, for messages. */
  readonly where: string
}

/** What this mount namespace has of the disk group at a moment. */
export interface View {
  /** Every mount of this namespace. */
  readonly all: readonly Mount[]
  /** Mounts of the disk group's devices, and whatever is mounted below them. */
  readonly mounts: readonly Mount[]
  /** Block devices that carry the group now; other hosts of this machine may have made its loop devices. */
  readonly devices: readonly BlockDevice[]
  /** Those of them that are loop devices of images. */
  readonly loops: readonly Loop[]
  /** Device numbers of the group: of `devices`, and of mounts whose device has disappeared from the machine. */
  readonly numbers: ReadonlySet<string>
}

export function placeOf(host: DriverHost, group: FileSystemGroup, call: DiskGroupCall): FileSystemPlace {
  call.signal.throwIfAborted()
  const run = createRunCommand({ effects: host.effects, tag: driverTag(host.scope, group.name) })
  return { host, group, mountPoint: call.mountPoint, signal: call.signal, run }
}

export async function findGroup(place: FileSystemPlace): Promise<FoundGroup> {
  const parts = await Promise.all(
    place.group.fileSystems.map(async (fileSystem): Promise<Part> => {
      const storage = await lookAtStorage(fileSystem)
      const target = await resolveExisting(belowRoot(place.host, fileSystem.mountPoint || place.mountPoint))
      return { storage, target, mounted: (view) => ownMountAt(view, storage, target) }
    }),
  )
  const [first] = parts
  assert(first !== undefined, `disk group ${place.group.name} has no file system`)
  const mark = markOf(place.host, place.group.name, { first: first.storage, run: place.run, signal: place.signal })
  return { place, parts, first, mark, where: mark.kind === 'beside' ? mark.mark.directory : mark.mark.where }
}

/** Resolves links in the part of a path that exists, but not a link that is the path itself: nothing is mounted on that. */
async function resolveExisting(path: string): Promise<string> {
  if (path === '/') return path
  const parent = dirname(path)
  const resolved = await realpath(parent).catch(() => resolveExisting(parent))
  return join(resolved, basename(path))
}

export async function viewOf({ place, parts }: FoundGroup): Promise<View> {
  const hasImage = parts.some((part) => part.storage.kind === 'image')
  const known = hasImage ? await loopList.list(place.run, place.signal) : []
  const all = await readMounts()
  const loops = parts.flatMap(({ storage }) =>
    storage.kind === 'image' ? known.filter((loop) => devicesOf(storage, [loop]).length > 0) : [],
  )
  const devices = [...loops, ...parts.flatMap(({ storage }) => (storage.kind === 'block' ? [storage.device] : []))]
  const numbers = new Set(devices.map((device) => device.number))
  const own = all.filter((mount) => numbers.has(mount.device) || parts.some((part) => isOfMissing(part, mount)))
  for (const mount of own) numbers.add(mount.device)
  return { all, mounts: withNested(own, all), devices, loops, numbers }
}

/** A device that was pulled, or whose link in /dev/disk has gone with it, may still be mounted; then only the place and the type tell whose it is. */
function isOfMissing({ storage, target }: Part, mount: Mount): boolean {
  return storage.kind === 'missing' && mount.mountPoint === target && mount.type === storage.fileSystem.type
}

/** Adds what is mounted on mounts of the list, and on those again. */
function withNested(own: readonly Mount[], all: readonly Mount[]): readonly Mount[] {
  const ids = new Set(own.map((mount) => mount.id))
  for (let before = -1; before !== ids.size; ) {
    before = ids.size
    for (const mount of all) if (ids.has(mount.parent)) ids.add(mount.id)
  }
  return all.filter((mount) => ids.has(mount.id))
}

function ownMountAt(view: View, storage: Storage, target: string): Mount | undefined {
  const mount = mountAt(view.all, target)
  if (mount === undefined) return undefined
  return devicesOf(storage, view.loops).some((device) => device.number === mount.device) ? mount : undefined
}

/** Reads who owns the disk group. Rejects when the mark cannot be read. */
export async function readOwner({ mark, first }: FoundGroup, view: View): Promise<Owner | undefined> {
  if (mark.kind === 'beside') return (await mark.mark.read()).owner
  return mark.mark.read(first.mounted(view)?.mountPoint)
}

/** Tells whether a file system is mounted where it belongs, and visible there. */
export function isMountedRight(part: Part, view: View): boolean {
  return part.mounted(view) !== undefined
}
