import { lstat, mkdir } from 'node:fs/promises'
import { HaError } from '../../errors/ha-error.ts'
import { mountAt, readMounts } from '../mount-table.ts'
import { CommandError } from '../run-command.ts'
import { isCleanExt4 } from './ext4-superblock.ts'
import { type FileSystemPlace, type FoundGroup, type Part, type View, viewOf } from './group-view.ts'
import { loopList } from './loop-devices.ts'
import { devicesOf, isBusy, type StorageOf, unusable } from './storage.ts'

/** A journal is replayed in seconds; only a whole check takes longer, and nobody should wait for that in a takeover. */
const CHECK_TIMEOUT_MS = 60_000
/** Looks for damage of an xfs file system that was not mounted, for the message; the mount has failed already. */
const DIAGNOSE_TIMEOUT_MS = 10_000

/** Exit code of umount when the file system is in use. */
export const UMOUNT_FAILED = 32

/** Exit codes of mount (32) and e2fsck (8) that can, among other things, mean that somebody else has opened the device exclusively. */
const IN_USE_PERHAPS = [8, 32]

/** Exit codes of e2fsck: 0 clean, 1 corrected, 2 corrected and "reboot", which is meant for mounted file systems. */
const REPAIRED = [0, 1, 2, 3]

/** Checks a file system and mounts it where it belongs; there already: success. Throws `DISK_GROUP_UNUSABLE` or `DISK_GROUP_HELD`. */
export async function mountFileSystem(group: FoundGroup, part: Part): Promise<void> {
  const { signal, run } = group.place
  const view = await viewOf(group)
  if (part.mounted(view) !== undefined) return
  await prepareMountPoint(group, part, view)
  await refuseInUse(group, part)
  signal.throwIfAborted()
  const { fileSystem, kind } = part.storage
  // An image's loop device is made by mount(8) with autoclear: the kernel detaches it when the last user is gone, also if this host is killed.
  const options = [...fileSystem.options, ...(kind === 'image' ? ['loop'] : [])]
  const words = options.length === 0 ? [] : ['-o', options.join(',')]
  const mount = ['mount', '-t', fileSystem.type, ...words, '--', fileSystem.device, part.target] as const
  try {
    await checkBefore(group, part, () => unlessInUse(group, part, () => run(mount, { signal })))
  } catch (error) {
    throw await mountFailed(group, part, error)
  }
  if (part.storage.kind === 'image') await rememberLoop(part.target, part.storage)
}

/** Which loop device mount(8) has made for it need not be found out again. */
async function rememberLoop(target: string, { fileSystem, inode, onDevice }: StorageOf<'image'>): Promise<void> {
  const mount = mountAt(await readMounts(), target)
  if (mount !== undefined) await loopList.remember(mount.device, { file: fileSystem.device, inode, onDevice })
}

/**
 * Tries something again that failed, unless the device is in use. Hosts of one machine that race meet in a device that can be opened
 * exclusively only once: for the check, the mount, or just for the look whether it is in use; and each may see half of what the other one writes.
 */
export async function unlessInUse<T>(
  group: FoundGroup,
  part: Part,
  work: () => Promise<T>,
  mayBeInUse: (error: unknown) => boolean = isInUsePerhaps,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (!mayBeInUse(error)) throw error
      await refuseInUse(group, part)
      if (tries >= TRIES_MAX) throw error
    }
  }
}

/** Each takes some milliseconds, in which another host is done with what it does, or has the device to itself. */
const TRIES_MAX = 4

function isInUsePerhaps(error: unknown): boolean {
  return error instanceof CommandError && IN_USE_PERHAPS.includes(error.facts.exitCode ?? 0)
}

/** Makes the directory to mount on. Throws `DISK_GROUP_UNUSABLE` when something else is in the way. */
export async function prepareMountPoint({ place }: FoundGroup, part: Part, view: View): Promise<void> {
  const { target, storage } = part
  const inTheWay = mountAt(view.all, target)
  if (inTheWay !== undefined && part.mounted(view) === undefined) {
    throw unusable(place.group.name, `${inTheWay.source} (${inTheWay.type}) is mounted at its mount point ${target}`, {
      hint: `Look whose it is, then run: umount ${target}`,
    })
  }
  const devices = devicesOf(storage, view.loops)
  const elsewhere = view.all.find(
    (mount) => mount.mountPoint !== target && devices.some(({ number }) => number === mount.device),
  )
  if (elsewhere !== undefined && part.mounted(view) === undefined) {
    throw unusable(
      place.group.name,
      `${storage.fileSystem.device} is mounted at ${elsewhere.mountPoint} instead of ${target}`,
      {
        hint: `Run: umount ${elsewhere.mountPoint}`,
      },
    )
  }
  const facts = await lstat(target).catch(() => undefined)
  if (facts !== undefined && !facts.isDirectory()) {
    const what = facts.isSymbolicLink() ? 'a symbolic link' : 'not a directory'
    throw unusable(place.group.name, `its mount point ${target} is ${what}`, {
      hint: `Look whose it is, then remove it.`,
    })
  }
  await mkdir(target, { recursive: true })
}

/** Throws `DISK_GROUP_HELD` when the kernel of this machine has a device of it in use. The mark may be forced; this cannot. */
export async function refuseInUse(group: FoundGroup, part: Part): Promise<void> {
  const view = await viewOf(group)
  if (part.mounted(view) !== undefined) return
  for (const device of devicesOf(part.storage, view.loops)) {
    if (!(await isBusy(device))) continue
    throw new HaError(
      'DISK_GROUP_HELD',
      `disk group '${group.place.group.name}': ${device.path} is in use on this very machine`,
      {
        hint: 'It is mounted in another mount namespace (another host of this machine), or part of another device. Release it there.',
        details: [`find it by: grep -l ${device.path} /proc/*/mountinfo`],
      },
    )
  }
}

/**
 * Unmounts the first file system again, which was mounted only to write the mark. Should somebody (an indexer) have opened it already,
 * it stays mounted, and the mark in the journal until the journal is full.
 */
export async function unmountForMark(group: FoundGroup): Promise<void> {
  const { place } = group
  if (group.first.mounted(await viewOf(group)) === undefined) return
  await place.run(['umount', '--', group.first.target], { signal: place.signal, accept: [0, UMOUNT_FAILED] })
}

/** Has an ext4 file system checked before it is mounted, or, where it is known to be clean, when it cannot be mounted all the same. */
async function checkBefore(group: FoundGroup, part: Part, mount: () => Promise<unknown>): Promise<void> {
  const isExt4 = part.storage.fileSystem.type === 'ext4'
  const isClean = isExt4 && (await isKnownClean(group, part))
  if (isExt4 && !isClean) await checkExt4(group, part)
  group.place.signal.throwIfAborted()
  try {
    await mount()
  } catch (error) {
    if (!isClean || !(error instanceof CommandError)) throw error
    await checkExt4(group, part)
    await mount()
  }
}

/** Only of an image is it read here: of a disk that does not answer a program hangs, and not one of the few threads that this process has for files. */
async function isKnownClean({ place }: FoundGroup, { storage }: Part): Promise<boolean> {
  if (storage.kind !== 'image') return false
  try {
    return await isCleanExt4(storage.fileSystem.device, place.host.effects.nowWallMs())
  } catch {
    return false // The check says why it cannot be read.
  }
}

async function checkExt4(group: FoundGroup, part: Part): Promise<void> {
  const { place } = group
  const { device } = part.storage.fileSystem
  const options = { signal: place.signal, accept: REPAIRED, timeoutMs: CHECK_TIMEOUT_MS }
  try {
    await unlessInUse(group, part, () => place.run(['e2fsck', '-p', device], options))
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw unusable(place.group.name, `the ext4 file system on ${device} cannot be repaired automatically`, {
      hint: error.facts.isMissing
        ? 'Install the package e2fsprogs.'
        : `Look what is wrong, then repair it by hand: e2fsck ${device}`,
      details: [error.message],
      cause: error,
    })
  }
}

async function mountFailed({ place }: FoundGroup, part: Part, error: unknown): Promise<unknown> {
  if (!(error instanceof CommandError)) return error
  const { device, type } = part.storage.fileSystem
  const repair = type === 'xfs' ? `xfs_repair ${device}` : `e2fsck -f ${device}`
  return unusable(place.group.name, `${device} cannot be mounted at ${part.target}`, {
    hint: `Look whether it holds an ${type} file system and the mount options are right; if it is damaged, repair it by hand: ${repair}`,
    details: [error.message, ...(type === 'xfs' ? await diagnoseXfs(place, part) : [])],
    cause: error,
  })
}

/** xfs replays its log in the mount, so it is looked at only when that failed. Nothing is changed (-n). */
async function diagnoseXfs(place: FileSystemPlace, { storage }: Part): Promise<readonly string[]> {
  const words = storage.kind === 'image' ? ['-f'] : []
  try {
    const { exitCode, stderr } = await place.run(['xfs_repair', '-n', ...words, storage.fileSystem.device], {
      signal: place.signal,
      accept: [0, 1, 2],
      timeoutMs: DIAGNOSE_TIMEOUT_MS,
    })
    return [`xfs_repair -n: exit code ${exitCode}: ${stderr.trim().split('\n').slice(-3).join('; ')}`]
  } catch (error) {
    place.signal.throwIfAborted()
    return [error instanceof Error ? error.message : String(error)]
  }
}
