import { constants, readFileSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogicalHostName } from '../model/names.ts'
import type { Holding } from '../ports/guard.ts'
import { decodeLine, encodeLine, encodeText, type GuardAck, type GuardOrders, LINE_BYTES } from './guard-orders.ts'

/** Where the guard and clustd speak to each other, below `HAVEN_ROOT`. Best in memory (tmpfs): nothing in it outlives a boot. */
export interface GuardPlaces {
  readonly directory: string
  readonly orders: string
  readonly ack: string
  /** One file for each logical host that is held. */
  readonly holdings: string
  readonly reports: string
  readonly log: string
}

/** Tells where the guard's files of a host are. */
export function guardPlaces(root: string): GuardPlaces {
  const directory = join(root, 'run/haven')
  return {
    directory,
    orders: join(directory, 'guard-deadline'),
    ack: join(directory, 'guard-ack'),
    holdings: join(directory, 'guard-holdings'),
    reports: join(root, 'var/lib/haven/guard-reports'),
    log: join(root, 'var/log/haven/failfastd.log'),
  }
}

/** Makes the directories. */
export async function makeGuardPlaces(places: GuardPlaces): Promise<void> {
  const options = { recursive: true, mode: 0o700 } as const
  // One after the other: when one fails, none of the others is still under way.
  for (const path of [places.holdings, places.reports, join(places.log, '..')]) await mkdir(path, options)
}

/** The boot that monotonic times belong to. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

/**
 * A small file that is written over in place, again and again: one `pwrite` of always the same size through a file that stays open.
 * Measured on ext4, through Node.js's thread pool: 50 us, where making a new file and renaming it takes 360 us and needs free space, and `readFile`
 * takes 280 us. Never synced: it matters only as long as this boot. Not done synchronously (1 us), for a disk that hangs must not hang its reader.
 */
export class LineFile<Line extends GuardOrders | GuardAck> {
  private readonly path: string
  private writer: FileHandle | undefined
  private reader: FileHandle | undefined

  constructor(path: string) {
    this.path = path
  }

  async write(line: Line): Promise<void> {
    this.writer ??= await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600)
    await this.writer.write(encodeLine(line), 0, LINE_BYTES, 0)
  }

  /** Reads the line; undefined when it is missing or torn. Not waited for without a bound by those who have no time. */
  async read(): Promise<Line | undefined> {
    try {
      this.reader ??= await open(this.path, constants.O_RDONLY)
      const { buffer, bytesRead } = await this.reader.read(Buffer.alloc(LINE_BYTES), 0, LINE_BYTES, 0)
      return decodeLine<Line>(buffer.subarray(0, bytesRead))
    } catch {
      await this.close()
      return undefined
    }
  }

  /** Lets the file go; the next call opens what is there under its name then. */
  async close(): Promise<void> {
    const files = [this.writer, this.reader]
    this.writer = undefined
    this.reader = undefined
    await Promise.all(files.map((file) => file?.close()))
  }
}

/** Replaces the file of one holding. Whoever reads sees the old one or the new one, whole. */
export async function writeHolding(places: GuardPlaces, holding: Holding): Promise<void> {
  const path = holdingPath(places, holding.logicalHost)
  // Hidden, so that a reader does not take it for a logical host's: their names begin with a letter or digit.
  const draft = join(places.holdings, `.${holding.logicalHost}`)
  await writeFile(draft, encodeText(holding), { mode: 0o600 })
  await rename(draft, path)
}

/** Removes the file of one holding; nothing when it is not there. */
export async function removeHolding(places: GuardPlaces, logicalHost: LogicalHostName): Promise<void> {
  await rm(holdingPath(places, logicalHost), { force: true })
}

/** Reads all holdings, in no order. One that cannot be read is taken from `known`, the holdings read before, if it is there. */
export async function readHoldings(places: GuardPlaces, known: readonly Holding[] = []): Promise<readonly Holding[]> {
  const names = await readdir(places.holdings).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const found = await Promise.all(
    names
      .filter((name) => !name.startsWith('.'))
      .map(async (name) => {
        const text = await readFile(join(places.holdings, name), 'utf8').catch(() => '')
        return decodeLine<Holding>(text) ?? known.find(({ logicalHost }) => logicalHost === name)
      }),
  )
  return found.filter((holding) => holding !== undefined)
}

function holdingPath(places: GuardPlaces, logicalHost: LogicalHostName): string {
  return join(places.holdings, logicalHost)
}
