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
  await Promise.all([places.holdings, places.reports, join(places.log, '..')].map((path) => mkdir(path, options)))
}

/** The boot that monotonic times belong to. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

/** Reads a line; undefined when it is missing or torn. Not waited for without a bound by those who have no time: a dead disk never answers. */
export async function readLine<Line extends GuardOrders | GuardAck>(path: string): Promise<Line | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  return bytes === undefined ? undefined : decodeLine<Line>(bytes)
}

/**
 * A small file that is written over in place, again and again: one `pwrite` of always the same size. Measured on ext4: 25 us, where making a new file and
 * renaming it takes 70 us and needs free space. Never synced: it matters only as long as this boot.
 */
export class LineFile<Line extends GuardOrders | GuardAck> {
  private readonly path: string
  private file: FileHandle | undefined

  constructor(path: string) {
    this.path = path
  }

  async write(line: Line): Promise<void> {
    this.file ??= await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600)
    await this.file.write(encodeLine(line), 0, LINE_BYTES, 0)
  }

  async close(): Promise<void> {
    await this.file?.close()
    this.file = undefined
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
