import { link, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HaError } from '../../errors/ha-error.ts'
import type { DriverHost } from '../driver-host.ts'
import {
  describeHost,
  isErrno,
  type Owner,
  OwnershipMark,
  parseOwner,
  readIfThere,
  syncDirectory,
  writeDurably,
} from '../ownership-mark.ts'
import type { RunCommand } from '../run-command.ts'
import type { Storage } from './storage.ts'
import { unusable } from './storage.ts'

/** The name of the mark: behind the name of an image file, or in the root of the file system of a block device. */
const MARK = '.haven-owner'

/**
 * Who owns a disk group, written where its first file system is (docs/decisions/0004).
 *
 * - `beside` an image file: a directory next to it, taken before anything touches the image. Two hosts cannot both win.
 * - `inside` the file system of a block device, which has no beside: it is read without mounting, and written right after the mount.
 */
export type GroupMark =
  | { readonly kind: 'beside'; readonly mark: OwnershipMark }
  | { readonly kind: 'inside'; readonly mark: InsideMark }

/** Finds the mark of a disk group by its first storage, which must not be missing. */
export function markOf(
  host: DriverHost,
  diskGroup: string,
  made: { readonly first: Storage; readonly run: RunCommand; readonly signal: AbortSignal },
): GroupMark {
  const { device } = made.first.fileSystem
  if (made.first.kind !== 'block') {
    return { kind: 'beside', mark: new OwnershipMark(host, { directory: `${device}${MARK}`, what: diskGroup }) }
  }
  const { type } = made.first.fileSystem
  return {
    kind: 'inside',
    mark: new InsideMark(host, { device, type, what: diskGroup, run: made.run, signal: made.signal }),
  }
}

interface InsideMarkParts {
  readonly device: string
  readonly type: 'ext4' | 'xfs'
  readonly what: string
  readonly run: RunCommand
  readonly signal: AbortSignal
}

/** The mark in the root of a file system. What it says counts only after the file system was unmounted once since: until then it may be in the journal only. */
export class InsideMark {
  readonly where: string
  readonly #host: DriverHost
  readonly #parts: InsideMarkParts

  constructor(host: DriverHost, parts: InsideMarkParts) {
    this.#host = host
    this.#parts = parts
    this.where = `/${MARK} on ${parts.device}`
  }

  isOurs(owner: Owner | undefined): boolean {
    const { cluster, physicalHost } = this.#host
    return owner?.cluster === cluster && owner.physicalHost === physicalHost && owner.what === this.#parts.what
  }

  /** Reads who owns it; `root` is where it is mounted on this host, undefined when it is not. */
  async read(root: string | undefined): Promise<Owner | undefined> {
    const text = root === undefined ? await this.#peek() : await readIfThere(join(root, MARK))
    return text === undefined ? undefined : parseOwner(text, this.where)
  }

  /** Writes ours. Throws `DISK_GROUP_HELD` when there is one already, unless `replace`. */
  async write(root: string, options: { readonly replace: boolean }): Promise<void> {
    const mark = join(root, MARK)
    const draft = `${mark}-${process.pid}-${Math.floor(this.#host.effects.random() * 2 ** 48).toString(36)}`
    try {
      await writeDurably(draft, `${JSON.stringify({ owner: describeHost(this.#host, this.#parts.what) })}\n`)
      await (options.replace ? rename(draft, mark) : link(draft, mark))
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
      throw new HaError(
        'DISK_GROUP_HELD',
        `disk group '${this.#parts.what}' was taken by another physical host at the same time`,
        { cause: error },
      )
    } finally {
      await rm(draft, { force: true })
    }
    await syncDirectory(root)
  }

  /**
   * Removes ours, durably, and tells whether there was one; another host's is left alone. On a file system that has become read-only or
   * fails to write nothing can be removed: unmounting is more important, and the mark that stays is listed as a leftover.
   *
   * A program does it: on a disk that does not answer it hangs, and not one of the few threads that this process has for files.
   */
  async remove(root: string): Promise<boolean> {
    const { run, signal } = this.#parts
    try {
      if (!this.isOurs(await this.read(root))) return false
    } catch (error) {
      if (isErrno(error, 'EIO')) return false
      throw error
    }
    const { exitCode } = await run(['/bin/sh', '-c', REMOVE, 'sh', join(root, MARK), root], { signal, accept: [0, 1] })
    return exitCode === 0
  }

  /** Reads it without mounting, and so without replaying a journal that may be another host's. */
  async #peek(): Promise<string | undefined> {
    try {
      const text = await (this.#parts.type === 'ext4' ? this.#peekExt4() : this.#peekXfs())
      return text === '' ? undefined : text
    } catch (error) {
      throw this.#unreadable(error)
    }
  }

  async #peekExt4(): Promise<string> {
    const { run, signal, device } = this.#parts
    // debugfs ends with 0 even if it cannot open the device; only a listing with `.` in it shows that it could.
    // -c: without the bitmaps, which need not fit each other before the journal of a host that was lost is replayed.
    const { stdout: list } = await run(['debugfs', '-c', '-R', 'ls -p /', device], { signal })
    if (!list.includes('/.//')) throw new Error(`debugfs finds no ext4 file system on ${device}`)
    if (!list.includes(`/${MARK}/`)) return ''
    return (await run(['debugfs', '-c', '-R', `cat /${MARK}`, device], { signal })).stdout
  }

  async #peekXfs(): Promise<string> {
    const { run, signal, device } = this.#parts
    const commands = ['sb 0', 'print magicnum', `path /${MARK}`, 'print core.size', 'dblock 0', 'daddr']
    const words = commands.flatMap((command) => ['-c', command])
    const { stdout } = await run(['xfs_db', '-r', ...words, device], { signal, accept: [0, 1] })
    if (!stdout.includes('magicnum = 0x58465342')) throw new Error(`xfs_db finds no xfs file system on ${device}`)
    const size = /^core\.size = (\d+)$/m.exec(stdout)?.[1]
    const sector = /^current daddr is (\d+)$/m.exec(stdout)?.[1]
    if (size === undefined || sector === undefined) return ''
    return readAt(device, { offset: Number(sector) * SECTOR_BYTES, bytes: Math.min(Number(size), MARK_BYTES_MAX) })
  }

  #unreadable(error: unknown): unknown {
    const { signal, what, device, type } = this.#parts
    if (signal.aborted) return error
    const packageName = type === 'ext4' ? 'e2fsprogs' : 'xfsprogs'
    return unusable(what, `nobody can tell who owns ${device}, for its ${type} file system cannot be read`, {
      hint: `See whether the device is the right one, and whether ${packageName} is installed.`,
      details: [error instanceof Error ? error.message : String(error)],
      cause: error,
    })
  }
}

/** `sync` of a directory makes the removal durable; older versions of it sync everything, and so would wait for other disks. */
const REMOVE = 'rm -f -- "$1" && sync -- "$2"'

/** XFS counts addresses on the disk in units of this size, whatever the disk does. */
const SECTOR_BYTES = 512
/** A mark is a line of names; a longer one is not a mark. */
const MARK_BYTES_MAX = 4096

async function readAt(device: string, place: { readonly offset: number; readonly bytes: number }): Promise<string> {
  const handle = await open(device, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(place.bytes), 0, place.bytes, place.offset)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}
