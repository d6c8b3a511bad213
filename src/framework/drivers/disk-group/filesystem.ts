import assert from 'node:assert/strict'
import { assertNever } from '../../errors/assert-never.ts'
import { describeError, HaError, isHaError } from '../../errors/ha-error.ts'
import type { DiskGroup } from '../../model/cluster-config.ts'
import type { Leftover } from '../../model/step.ts'
import type { DiskGroupCall, DiskGroupDriver, DiskGroupStatus, ImportCall } from '../../ports/disk-group-driver.ts'
import type { DriverHost } from '../driver-host.ts'
import { type Owner, refuseHeld } from '../ownership-mark.ts'
import { driverTag, findTagged } from '../processes.ts'
import { settleSoon } from '../settle-soon.ts'
import { mountFileSystem, prepareMountPoint, unlessInUse, unmountForMark } from './check-and-mount.ts'
import { cutOffGroup } from './cut-off.ts'
import type { InsideMark } from './group-mark.ts'
import {
  type FileSystemGroup,
  type FileSystemPlace,
  type FoundGroup,
  findGroup,
  isMountedRight,
  placeOf,
  readOwner,
  type View,
  viewOf,
} from './group-view.ts'
import { letGo } from './let-go.ts'
import { freeGroup, keepGroup, reservationLeftovers, reservationTrouble, reserveGroup } from './reservation.ts'
import { type BlockDevice, isBusy, unusable } from './storage.ts'

/**
 * Makes the driver of disk groups that are file systems on block devices or image files: ext4 and xfs. It needs root.
 *
 * What keeps two hosts apart is the cluster database; the ownership mark is the second belt (docs/decisions/0004). A third one holds on one
 * machine: a device that the kernel has in use in another mount namespace is never imported, not even by force.
 */
export function fileSystemDriver(host: DriverHost): DiskGroupDriver {
  const at = <Value>(
    group: DiskGroup,
    call: DiskGroupCall,
    work: (place: FileSystemPlace) => Promise<Value>,
  ): Promise<Value> => settleSoon(host.effects, call.signal, () => work(placeOf(host, asFileSystems(group), call)))
  return {
    kind: 'filesystem',
    status: async (group, call) => at(group, call, readStatus),
    import: async (group, call) => at(group, call, (place) => importGroup(place, call)),
    keep: async (group, call) => at(group, call, async (place) => keepGroup(await findGroup(place), call)),
    export: async (group, call) => at(group, call, exportGroup),
    cutOff: async (group, call) => at(group, call, cutOffGroup),
    leftovers: async (group, call) => at(group, call, findLeftovers),
  }
}

function asFileSystems(group: DiskGroup): FileSystemGroup {
  assert(group.kind === 'filesystem', `the driver for file systems was given a disk group of kind ${group.kind}`)
  return group
}

async function readStatus(place: FileSystemPlace): Promise<DiskGroupStatus> {
  try {
    const group = await findGroup(place)
    const view = await viewOf(group)
    const missing = group.parts.find((part) => part.storage.kind === 'missing')
    if (missing?.storage.kind === 'missing') return { kind: 'unusable', why: missing.storage.why }
    const owner = await readOwner(group, view)
    const right = group.parts.filter((part) => isMountedRight(part, view))
    const spoiled = right.find(
      (part) => part.mounted(view)?.isReadOnly === true && !part.storage.fileSystem.options.includes('ro'),
    )
    if (spoiled !== undefined) return { kind: 'unusable', why: `${spoiled.target} has become read-only after an error` }
    const isOurs = group.mark.mark.isOurs(owner)
    const trouble = isOurs && right.length > 0 ? await reservationTrouble(group) : undefined
    if (trouble !== undefined) return { kind: 'unusable', why: trouble }
    if (isOurs && right.length === group.parts.length) return { kind: 'imported' }
    if (!isOurs && view.mounts.length === 0) return { kind: 'absent', owner: owner?.physicalHost }
    const owned = isOurs ? 'owned' : `mounted here, but owned by ${owner?.physicalHost ?? 'nobody'}`
    return { kind: 'partly', what: `${owned}; ${right.length} of ${group.parts.length} file systems are mounted` }
  } catch (error) {
    place.signal.throwIfAborted()
    return { kind: 'unusable', why: describeError(error) }
  }
}

async function exportGroup(place: FileSystemPlace): Promise<void> {
  await letGo(place)
  // Only now: whoever still has something mounted stays the one that the next host has to take the disks from.
  await freeGroup(await findGroup(place))
}

async function importGroup(place: FileSystemPlace, call: ImportCall): Promise<void> {
  const group = await findGroup(place)
  for (const { storage } of group.parts) {
    if (storage.kind !== 'missing') continue
    throw unusable(place.group.name, storage.why, { hint: 'Connect the storage, or correct the configuration.' })
  }
  await prepareMountPoint(group, group.first, await viewOf(group))
  await reserveGroup(group, call)
  try {
    await takeAndMount(group, call)
  } catch (error) {
    if (!place.signal.aborted) await freeUnlessMounted(group)
    throw error
  }
}

async function freeUnlessMounted(group: FoundGroup): Promise<void> {
  if ((await viewOf(group)).mounts.length > 0) return
  await freeGroup(group).catch(() => undefined) // Why the import failed is what matters; the export that follows tries again.
}

async function takeAndMount(group: FoundGroup, { force }: ImportCall): Promise<void> {
  const { place } = group
  const mayReplace = (owner: Owner): void =>
    refuseHeld(place.host, { diskGroup: place.group.name, owner, where: group.where, force })
  const { mark } = group
  // The looks so far may have needed no program, which would have noticed.
  place.signal.throwIfAborted()
  switch (mark.kind) {
    case 'beside':
      // Before anything touches the image: fsck and mount see only what this machine does with it.
      await takeBeside(place, () => mark.mark.take(mayReplace))
      break
    case 'inside':
      await takeInside(group, mark.mark, mayReplace)
      break
    default:
      assertNever(mark)
  }
  for (const part of group.parts) {
    await mountFileSystem(group, part)
    if (part === group.first) await refuseLostRace(group)
  }
}

/** Hosts that force at the same time replace each other's mark inside; the last one has it, and the others see that now. */
async function refuseLostRace(group: FoundGroup): Promise<void> {
  const { mark } = group
  // What is beside is read without a look at what is mounted, which would cost a program here.
  const owner = mark.kind === 'beside' ? (await mark.mark.read()).owner : await readOwner(group, await viewOf(group))
  if (mark.mark.isOurs(owner)) return
  await unmountForMark(group)
  const name = group.place.group.name
  throw new HaError('DISK_GROUP_HELD', `disk group '${name}' was taken by '${owner?.physicalHost}' at the same time`)
}

async function takeBeside(place: FileSystemPlace, take: () => Promise<void>): Promise<void> {
  try {
    await take()
  } catch (error) {
    if (error instanceof HaError) throw error
    throw unusable(place.group.name, 'its ownership mark cannot be written', {
      hint: 'The directory of the image file must let root write, on every possible master.',
      details: [describeError(error)],
      cause: error,
    })
  }
}

/** Writes the mark into the mounted file system, and has it brought in place (not only in the journal) by unmounting once. */
async function takeInside(group: FoundGroup, mark: InsideMark, mayReplace: (owner: Owner) => void): Promise<void> {
  const isUnreadable = (error: unknown): boolean => isHaError(error, 'DISK_GROUP_UNUSABLE')
  const owner = await unlessInUse(group, group.first, async () => readOwner(group, await viewOf(group)), isUnreadable)
  if (mark.isOurs(owner)) return
  if (owner !== undefined) mayReplace(owner)
  await mountFileSystem(group, group.first)
  try {
    // Two hosts of one machine that race see the same file system, so only one of them finds no mark there.
    await mark.write(group.first.target, { replace: owner !== undefined })
  } finally {
    await unmountForMark(group)
  }
}

async function findLeftovers(place: FileSystemPlace): Promise<readonly Leftover[]> {
  const underWay = await findTagged(driverTag(place.host.scope, place.group.name), place.host.lookForTags)
  const group = await findGroup(place)
  const view = await viewOf(group)
  const owner = await readOwner(group, view).catch(() => undefined) // What cannot be read is not ours.
  const processes = underWay.map(
    ({ pid, command }) =>
      ({
        kind: 'process',
        what: `process ${pid} (${command}), started by the driver`,
        remedy: `kill -KILL ${pid}`,
      }) as const,
  )
  const mounts = view.mounts.map(
    (mount) =>
      ({ kind: 'mount', what: `${mount.mountPoint} (${mount.source})`, remedy: `umount ${mount.mountPoint}` }) as const,
  )
  const isOurs = group.mark.mark.isOurs(owner)
  // Once another host owns it, what it does with the device on this machine is its own business.
  const devices = owner === undefined || isOurs ? await deviceLeftovers(view) : []
  const mark = {
    kind: 'disk-group',
    what: `ownership mark ${group.where}`,
    remedy: `Give the disk group '${place.group.name}' up again.`,
  } as const
  const reservations = await reservationLeftovers(group)
  return [...processes, ...mounts, ...devices, ...(isOurs ? [mark] : []), ...reservations]
}

async function deviceLeftovers(view: View): Promise<readonly Leftover[]> {
  const busy = await Promise.all(view.devices.map(async (device) => ((await isBusy(device)) ? device : undefined)))
  const isMountedHere = (device: BlockDevice): boolean => view.mounts.some((mount) => mount.device === device.number)
  const elsewhere = busy.filter((device) => device !== undefined).filter((device) => !isMountedHere(device))
  const inUse = elsewhere.map(
    ({ path }) =>
      ({
        kind: 'mount',
        what: `${path} is still in use by another mount namespace or the kernel`,
        remedy: `grep -l ${path} /proc/*/mountinfo`,
      }) as const,
  )
  const idle = view.loops.filter((loop) => !elsewhere.some(({ path }) => path === loop.path) && !isMountedHere(loop))
  const attached = idle.map(
    (loop) =>
      ({
        kind: 'disk-group',
        what: `${loop.path} carries ${loop.file}`,
        remedy: `losetup --detach ${loop.path}`,
      }) as const,
  )
  return [...inUse, ...attached]
}
