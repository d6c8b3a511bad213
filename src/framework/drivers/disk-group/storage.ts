import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { HaError } from '../../errors/ha-error.ts'
import type { FileSystem } from '../../model/cluster-config.ts'
import { deviceName } from '../mount-table.ts'
import { isErrno } from '../ownership-mark.ts'
import type { Loop } from './loop-devices.ts'

/** What a configured file system lies on. */
export type Storage =
  | { readonly kind: 'block'; readonly fileSystem: FileSystem; readonly device: BlockDevice }
  /** An image file. Its inode tells which loop devices carry it, for they may know it by another name. */
  | { readonly kind: 'image'; readonly fileSystem: FileSystem; readonly inode: number; readonly onDevice: string }
  | { readonly kind: 'missing'; readonly fileSystem: FileSystem; readonly why: string }

/** One of the kinds. */
export type StorageOf<Kind extends Storage['kind']> = Extract<Storage, { readonly kind: Kind }>

/** A block device of this machine. */
export interface BlockDevice {
  readonly path: string
  /** `major:minor`. */
  readonly number: string
}

/** Finds what a file system lies on; never rejects: what cannot be used is `missing`. */
export async function lookAtStorage(fileSystem: FileSystem): Promise<Storage> {
  const path = fileSystem.device
  try {
    const facts = await stat(path)
    if (facts.isBlockDevice()) return { kind: 'block', fileSystem, device: { path, number: deviceName(facts.rdev) } }
    if (facts.isFile()) return { kind: 'image', fileSystem, inode: facts.ino, onDevice: deviceName(facts.dev) }
    return { kind: 'missing', fileSystem, why: `${path} is neither a block device nor an image file` }
  } catch (error) {
    return {
      kind: 'missing',
      fileSystem,
      why: `${path} cannot be found (${error instanceof Error ? error.message : error})`,
    }
  }
}

/** Lists the block devices that carry a storage now: itself, the loop devices of an image, or none. */
export function devicesOf(storage: Storage, loops: readonly Loop[]): readonly BlockDevice[] {
  switch (storage.kind) {
    case 'block':
      return [storage.device]
    case 'image':
      return loops.filter((loop) => loop.inode === storage.inode && loop.onDevice === storage.onDevice)
    case 'missing':
      return []
  }
}

/**
 * Tells whether the kernel uses a block device: mounted in whatever mount namespace (detached or not), or part of something else.
 * An exclusive opening is refused exactly then, and needs no look into processes of others.
 */
export async function isBusy(device: BlockDevice): Promise<boolean> {
  try {
    const handle = await open(device.path, constants.O_RDONLY | constants.O_EXCL)
    await handle.close()
    return false
  } catch (error) {
    if (isErrno(error, 'EBUSY')) return true
    if (isErrno(error, 'ENXIO', 'ENOENT', 'ENODEV', 'ENOMEDIUM')) return false // Gone, and so used by nobody.
    throw error
  }
}

/** Makes the error for a disk group that cannot be imported. */
export function unusable(
  diskGroup: string,
  why: string,
  options: { hint: string; details?: readonly string[]; cause?: unknown },
): HaError {
  return new HaError('DISK_GROUP_UNUSABLE', `disk group '${diskGroup}' cannot be imported: ${why}`, options)
}
