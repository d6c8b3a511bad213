import { link, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HaError } from '../errors/ha-error.ts'
import type { DriverHost } from './driver-host.ts'

/** Who owns what a mark is about. */
export interface Owner {
  readonly cluster: string
  /** What is owned: the name of a disk group, or an address. */
  readonly what: string
  readonly physicalHost: string
  /** `HAVEN_ROOT` of the owner: on a machine with several hosts it tells which one is meant. */
  readonly root: string
  /** When it was taken, for people: ISO 8601. */
  readonly since: string
}

/** A mark as it was read. */
export interface SeenMark {
  /** Grows by one with every change of owner; 0 when there was never one. */
  readonly sequence: number
  /** Undefined when nobody owns it. */
  readonly owner: Owner | undefined
}

/** Takers that lose a race look again; more losses in a row than this are no race any more. */
const TRIES_MAX = 32

/**
 * Keeps who owns something, in a directory that every possible owner sees. The file with the highest number says who it is.
 *
 * Changing hands is making the next number, by link(2): it is atomic (over NFS too), fails when the number is there, and so works as a
 * compare-and-set without a lock that a paused host could keep. Numbers below the highest are removed, the highest never is, so nobody who
 * slept between looking and linking can win with a number that was used before: he finds a higher one beside his own.
 */
export class OwnershipMark {
  readonly directory: string
  readonly #host: DriverHost
  readonly #what: string
  readonly #isForThisBoot: boolean

  /** `isForThisBoot`: what it is about ends with the machine, so the mark need not outlive a loss of power, and costs no fsync. */
  constructor(
    host: DriverHost,
    made: { readonly directory: string; readonly what: string; readonly isForThisBoot?: boolean },
  ) {
    this.#host = host
    this.#what = made.what
    this.#isForThisBoot = made.isForThisBoot ?? false
    this.directory = made.directory
  }

  /** Reads the mark. Throws a plain `Error` when it is there and cannot be understood. */
  async read(): Promise<SeenMark> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const sequence = Math.max(0, ...(await this.#numbers()))
      if (sequence === 0) return { sequence, owner: undefined }
      const text = await readIfThere(join(this.directory, String(sequence)))
      // A mark that went away between listing and reading has been followed by a higher one.
      if (text === undefined) continue
      // A loss of power keeps the name of a file that was not synced, and may lose what was in it.
      if (this.#isForThisBoot && isBlank(text)) return { sequence, owner: undefined }
      return { sequence, owner: parseOwner(text, join(this.directory, String(sequence))) }
    }
    throw new Error(`the ownership mark ${this.directory} changes faster than it can be read`)
  }

  isOurs(owner: Owner | undefined): boolean {
    return (
      owner !== undefined &&
      owner.cluster === this.#host.cluster &&
      owner.physicalHost === this.#host.physicalHost &&
      owner.what === this.#what
    )
  }

  /** Takes the mark, unless `mayReplace` refuses by throwing. Ours already: success. */
  async take(mayReplace: (owner: Owner) => void | Promise<void>): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const seen = await this.read()
      if (this.isOurs(seen.owner)) return
      if (seen.owner !== undefined) await mayReplace(seen.owner)
      if (await this.#publish(seen.sequence + 1, describeHost(this.#host, this.#what))) return
    }
    throw new Error(`lost the race for the ownership mark ${this.directory} ${TRIES_MAX} times`)
  }

  /** Gives the mark up if it is ours; another one's is left alone. */
  async release(): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const seen = await this.read()
      if (!this.isOurs(seen.owner)) return
      if (await this.#publish(seen.sequence + 1, null)) return
    }
    throw new Error(`lost the race for the ownership mark ${this.directory} ${TRIES_MAX} times`)
  }

  async #numbers(): Promise<readonly number[]> {
    const names = await readdir(this.directory).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    })
    return names.map(Number).filter(Number.isInteger)
  }

  /** False when somebody else was first. */
  async #publish(sequence: number, owner: Owner | null): Promise<boolean> {
    const isNew = (await mkdir(this.directory, { recursive: true })) !== undefined
    if (isNew && !this.#isForThisBoot) await syncDirectory(dirname(this.directory))
    const draft = join(
      this.directory,
      `draft-${process.pid}-${Math.floor(this.#host.effects.random() * 2 ** 48).toString(36)}`,
    )
    const mark = join(this.directory, String(sequence))
    try {
      const text = `${JSON.stringify({ owner })}\n`
      await (this.#isForThisBoot ? writeFile(draft, text, { flag: 'wx' }) : writeDurably(draft, text))
      await link(draft, mark)
    } catch (error) {
      // EEXIST: the number is taken. ENOENT: the winner has already removed our draft.
      if (isErrno(error, 'EEXIST') || isErrno(error, 'ENOENT')) return false
      throw error
    } finally {
      await rm(draft, { force: true })
    }
    if (!this.#isForThisBoot) await syncDirectory(this.directory)
    return this.#isHighest(sequence)
  }

  async #isHighest(sequence: number): Promise<boolean> {
    const names = await readdir(this.directory)
    const highest = Math.max(...names.map(Number).filter(Number.isInteger))
    const outdated = names.filter((name) =>
      Number.isInteger(Number(name)) ? Number(name) < highest : highest === sequence,
    )
    await Promise.all(outdated.map((name) => rm(join(this.directory, name), { force: true })))
    return highest === sequence
  }
}

/** Makes what this host writes into a mark. */
export function describeHost(host: DriverHost, what: string): Owner {
  const since = new Date(host.effects.nowWallMs()).toISOString()
  return { cluster: host.cluster, what, physicalHost: host.physicalHost, root: host.root, since }
}

/**
 * Decides over the mark of another host on a disk group: throws `DISK_GROUP_HELD` unless it may be taken over.
 * Force takes it from a lost host of this cluster only: of other clusters and other disk groups nobody here knows whether they are lost.
 */
export function refuseHeld(
  host: DriverHost,
  found: { readonly diskGroup: string; readonly owner: Owner; readonly where: string; readonly force: boolean },
): void {
  const { diskGroup, owner, where, force } = found
  const isOfThisGroup = owner.cluster === host.cluster && owner.what === diskGroup
  if (isOfThisGroup && force) return
  const as = isOfThisGroup ? '' : ` as disk group '${owner.what}' of cluster '${owner.cluster}'`
  throw new HaError(
    'DISK_GROUP_HELD',
    `disk group '${diskGroup}' is owned by physical host '${owner.physicalHost}'${as}`,
    {
      hint: isOfThisGroup
        ? `Give it up on '${owner.physicalHost}' first. If that host is gone for good, let the cluster take it over.`
        : `One storage is configured twice, or was part of another cluster. If nobody uses it any more, remove ${where}.`,
      details: [`mark ${where}: ${owner.physicalHost} (HAVEN_ROOT ${owner.root}) since ${owner.since}`],
    },
  )
}

/** Parses the text of a mark. Throws a plain `Error` that names `where`. */
export function parseOwner(text: string, where: string): Owner | undefined {
  const wrong = (): Error =>
    new Error(`the ownership mark ${where} cannot be understood: ${JSON.stringify(text.slice(0, 100))}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong()
  }
  const owner = isRecord(value) ? value['owner'] : undefined
  if (owner === null) return undefined
  if (!isRecord(owner)) throw wrong()
  const { cluster, what, physicalHost, root, since } = owner
  const isWhole = [cluster, what, physicalHost, root, since].every((part) => typeof part === 'string')
  if (!isWhole) throw wrong()
  return owner as unknown as Owner
}

/** Makes what is in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes a new file and makes its content survive a power cut. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o644)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Reads a text file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Tells whether an error of the system has this code. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function isBlank(text: string): boolean {
  return text.replaceAll('\0', '').trim() === ''
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
