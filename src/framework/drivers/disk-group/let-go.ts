import { readlink } from 'node:fs/promises'
import { HaError } from '../../errors/ha-error.ts'
import { TERM_GRACE_MS_DEFAULT } from '../driver-host.ts'
import { createHolderLook, type Holder, type Holders, holderDetails } from '../find-holders.ts'
import { isWithin, type Mount, readMounts, unmountOrder } from '../mount-table.ts'
import { belongingOf, endProcesses, listPids, ownLine, readTags } from '../processes.ts'
import { mountFileSystem, UMOUNT_FAILED } from './check-and-mount.ts'
import { type FileSystemPlace, type FoundGroup, findGroup, readOwner, type View, viewOf } from './group-view.ts'
import { loopList } from './loop-devices.ts'
import { reserveGroup } from './reservation.ts'
import { isBusy } from './storage.ts'

/** One look serves all disk groups of this process that are given up at the same time. */
const lookForHolders = createHolderLook()

/** Exit code of losetup, such as for a device that carries nothing any more. */
const NOT_DETACHED = 1

/** Processes may start others while they are told to end; more rounds than this are no accident. */
const ROUNDS_MAX = 4
/** After each round: the kernel may still be letting a device go that nobody holds any more, or another host looks whether it is in use. */
const PAUSES_MS = [5, 50, 250]
/** nsenter found no namespace (1) or no umount in it (126, 127); or umount found it in use: who holds it is ended next, then it is tried again. */
const NOT_UNMOUNTED_ELSEWHERE = [0, 1, UMOUNT_FAILED, 126, 127]

/**
 * Ends whatever uses a disk group on this host, unmounts it and gives its mark up. Nothing is ever unmounted lazily: that only hides who
 * still writes. Throws `DISK_GROUP_BUSY` with who holds it.
 *
 * Another host's mark is left alone, and so is what that host does with the storage on this machine.
 */
export async function letGo(place: FileSystemPlace): Promise<void> {
  const group = await findGroup(place)
  const start = await viewOf(group)
  const whose = await ownership(group, start)
  await unmountAll(group, start, { isOursToClear: whose === 'ours' || whose === 'nobody' })
  if (group.mark.kind === 'beside') await group.mark.mark.release()
  else if (whose === 'ours') await unmarkUnmounted(group)
}

async function unmountAll(
  group: FoundGroup,
  start: View,
  { isOursToClear }: { isOursToClear: boolean },
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    group.place.signal.throwIfAborted()
    await unmountHere(group)
    if (isOursToClear ? await isFree(group) : (await viewOf(group)).mounts.length === 0) return
    if (isOursToClear) await unmountElsewhere(group)
    await endHolders(group, start)
    await group.place.host.effects.sleep(PAUSES_MS[round] ?? 0, group.place.signal)
  }
  throw await busy(group, start)
}

/** `unknown`: the mark cannot be read, so the storage may be another host's, and only what is mounted here is ours to clear. */
async function ownership(group: FoundGroup, view: View): Promise<'ours' | 'nobody' | 'other' | 'unknown'> {
  if (group.first.storage.kind === 'missing') return 'unknown'
  try {
    const owner = await readOwner(group, view)
    if (owner === undefined) return 'nobody'
    return group.mark.mark.isOurs(owner) ? 'ours' : 'other'
  } catch {
    group.place.signal.throwIfAborted()
    return 'unknown' // Damaged or gone; the operator hears of it from `status`.
  }
}

/**
 * Removes a mark inside that was not removed with the last unmount, as it was not mounted here: after a crash. It is mounted for that.
 * What cannot be mounted keeps its mark, which `leftovers` lists.
 */
async function unmarkUnmounted(group: FoundGroup): Promise<void> {
  if ((await ownership(group, await viewOf(group))) !== 'ours') return
  try {
    await reserveGroup(group, { force: false })
    await mountFileSystem(group, group.first)
  } catch (error) {
    if (error instanceof HaError) return
    throw error
  }
  await unmountHere(group)
}

/** Unmounts all of it that can be unmounted now. The mark inside goes right before the last unmount, which brings that to the disk. */
async function unmountHere(group: FoundGroup): Promise<void> {
  const { run, signal } = group.place
  const { mark } = group
  for (const mount of unmountOrder((await viewOf(group)).mounts)) {
    const inside = mark.kind === 'inside' && (await isLastOfFirst(group, mount)) ? mark.mark : undefined
    const wasOurs = (await inside?.remove(mount.mountPoint)) === true
    const words = ['umount', '--no-canonicalize', '--', mount.mountPoint] as const
    const { exitCode } = await run(words, { signal, accept: [0, UMOUNT_FAILED] })
    // It stays mounted, so the mark has to stay too.
    if (wasOurs && exitCode !== 0) await inside?.write(mount.mountPoint, { replace: true })
  }
}

async function isLastOfFirst(group: FoundGroup, mount: Mount): Promise<boolean> {
  const view = await viewOf(group)
  const isFirst = group.first.mounted(view)?.id === mount.id
  return isFirst && view.mounts.filter((other) => other.device === mount.device).length === 1
}

/** Tells whether nothing of this machine uses the storage any more; a loop device that is only left attached is detached. */
async function isFree(group: FoundGroup): Promise<boolean> {
  const view = await viewOf(group)
  if (view.mounts.length > 0) return false
  for (const device of view.devices) if (await isBusy(device)) return false
  if (view.loops.length === 0) return true
  for (const loop of view.loops)
    await group.place.run(['losetup', '--detach', loop.path], { signal: group.place.signal, accept: [0, NOT_DETACHED] })
  // In use since the look just now, it is detached only after that use, although losetup says nothing; it may also have gone by itself meanwhile.
  return (await viewOf(group)).loops.length === 0
}

/**
 * Unmounts copies of our mounts that other mount namespaces got when they were made (a container, a service with private mounts).
 * A namespace in which a process of another physical host lives is not touched.
 */
async function unmountElsewhere(group: FoundGroup): Promise<void> {
  const { host, run, signal } = group.place
  const { numbers } = await viewOf(group)
  if (numbers.size === 0) return
  for (const { pid, mounts } of await otherNamespaces(host.scope)) {
    for (const mount of unmountOrder(mounts.filter(({ device }) => numbers.has(device)))) {
      const words = [
        'nsenter',
        `--mount=/proc/${pid}/ns/mnt`,
        '--',
        'umount',
        '--no-canonicalize',
        '--',
        mount.mountPoint,
      ] as const
      await run(words, { signal, accept: NOT_UNMOUNTED_ELSEWHERE })
    }
  }
}

async function otherNamespaces(
  scope: string,
): Promise<readonly { readonly pid: number; readonly mounts: readonly Mount[] }[]> {
  const own = await readlink('/proc/self/ns/mnt')
  const first = new Map<string, number>()
  const inside = new Map<number, string>()
  for (const pid of listPids()) {
    const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => own) // Gone, or not ours to look at.
    if (namespace === own) continue
    if (!first.has(namespace)) first.set(namespace, pid)
    inside.set(pid, namespace)
  }
  const foreign = new Set<string>()
  for (const [pid, tag] of await readTags([...inside.keys()])) {
    if (belongingOf(tag, scope) === 'other-host') foreign.add(inside.get(pid) ?? '')
  }
  const ours = [...first].filter(([namespace]) => !foreign.has(namespace))
  return Promise.all(ours.map(async ([, pid]) => ({ pid, mounts: await readMounts(pid) })))
}

async function endHolders(group: FoundGroup, start: View): Promise<void> {
  const { host, signal } = group.place
  const spared = ownLine()
  const holders = (await holdersOf(group, start)).holders.filter((holder) => !spared.has(holder.pid))
  const { effects, termGraceMs = TERM_GRACE_MS_DEFAULT } = host
  await endProcesses(holders, { graceMs: termGraceMs, signal, effects })
}

/** `start`: how it was before anything was unmounted; a process may still be where a mount has been. Its devices may be another's by now. */
async function holdersOf(group: FoundGroup, start: View): Promise<Holders> {
  const { numbers: devices, mounts } = await viewOf(group)
  if (devices.size === 0) return { holders: [], hung: [] }
  const nestedDevices = new Set(mounts.map((mount) => mount.device).filter((device) => !devices.has(device)))
  const ownMounts = start.mounts.filter((mount) => start.numbers.has(mount.device))
  const directories = [...group.parts.map((part) => part.target), ...ownMounts.map((mount) => mount.mountPoint)]
  const { holders, hung } = await lookForHolders({ directories, devices, nestedDevices }, group.place.signal)
  const isMeant = (holder: Holder): boolean => belongingOf(holder.tag, group.place.host.scope) !== 'other-host'
  return { holders: holders.filter(isMeant), hung }
}

async function busy(group: FoundGroup, start: View): Promise<HaError> {
  const { place } = group
  const [found, view, loops] = [
    await holdersOf(group, start),
    await viewOf(group),
    await loopList.list(place.run, place.signal),
  ]
  const mounts = view.mounts.map((mount) => `mount ${mount.mountPoint} (${mount.source})`)
  const files = loops.filter((loop) => view.mounts.some((mount) => isWithin(loop.file, mount.mountPoint)))
  const carried = files.map((loop) => `loop device ${loop.path} carries ${loop.file}`)
  const devices = await Promise.all(
    view.devices.map(async (device) => ((await isBusy(device)) ? [`device ${device.path} is in use`] : [])),
  )
  return new HaError('DISK_GROUP_BUSY', `disk group '${place.group.name}' cannot be unmounted: it is still in use`, {
    hint:
      found.holders.length > 0
        ? 'End these processes by hand, then give the disk group up again.'
        : 'No process holds it: look for a swap file, an NFS export or a loop device on it, or a process in another pid namespace.',
    details: [...holderDetails(found), ...mounts, ...carried, ...devices.flat()],
  })
}
