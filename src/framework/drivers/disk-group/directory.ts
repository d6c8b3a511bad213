import assert from 'node:assert/strict'
import { lstat, mkdir, readlink, realpath, rmdir, stat, symlink, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describeError, HaError } from '../../errors/ha-error.ts'
import type { DiskGroup } from '../../model/cluster-config.ts'
import type { Leftover } from '../../model/step.ts'
import type { DiskGroupCall, DiskGroupDriver, DiskGroupStatus } from '../../ports/disk-group-driver.ts'
import { belowRoot, type DriverHost, TERM_GRACE_MS_DEFAULT } from '../driver-host.ts'
import {
  createHolderLook,
  describeHolder,
  describeHung,
  type Holder,
  type HolderLook,
  type Holders,
  holderDetails,
} from '../find-holders.ts'
import { isErrno, OwnershipMark, refuseHeld } from '../ownership-mark.ts'
import { belongingOf, endProcesses, ownLine } from '../processes.ts'

type Directory = Extract<DiskGroup, { kind: 'directory' }>

/** Where the mark lies in the directory. Nothing else in it is Haven's. */
const MARK = '.haven-owner'

/**
 * Makes the driver of disk groups that are a directory which all possible masters see: on one machine, or on a network file system.
 *
 * "Mounted" is a symbolic link from the mount point to the directory. It needs no rights but those to write in both places.
 *
 * Which processes hold it? Hosts may share the machine, so the tag decides: processes of this host are ended, those of another host never.
 * A process without a tag cannot be told to belong to a host. While the mark is ours nobody else has business in the directory, so one that
 * has a file open for writing is ended with the others (it may be a server that lost its environment to `su`); one that only reads or has
 * its working directory there neither hinders nor harms, and is left alone.
 */
export function directoryDriver(host: DriverHost): DiskGroupDriver {
  const lookForHolders = createHolderLook(host.searchProc)
  const at = (group: DiskGroup, call: DiskGroupCall): Place => placeOf({ host, lookForHolders }, group, call)
  return {
    kind: 'directory',
    status: async (group, call) => readStatus(at(group, call)),
    import: async (group, call) => importDirectory(at(group, call), call.force),
    export: async (group, call) => exportDirectory(at(group, call)),
    leftovers: async (group, call) => findLeftovers(at(group, call)),
  }
}

/** One directory, where it is to appear, and for whom. */
interface Place {
  readonly host: DriverHost
  readonly group: Directory
  readonly mountPoint: string
  readonly mark: OwnershipMark
  readonly signal: AbortSignal
  readonly lookForHolders: HolderLook
}

function placeOf(
  { host, lookForHolders }: Pick<Place, 'host' | 'lookForHolders'>,
  group: DiskGroup,
  call: DiskGroupCall,
): Place {
  assert(group.kind === 'directory', `the driver for directories was given a disk group of kind ${group.kind}`)
  call.signal.throwIfAborted()
  const mark = new OwnershipMark(host, { directory: join(group.path, MARK), what: group.name })
  return { host, group, mark, lookForHolders, mountPoint: belowRoot(host, call.mountPoint), signal: call.signal }
}

async function readStatus(place: Place): Promise<DiskGroupStatus> {
  try {
    await checkDirectory(place)
    const { owner } = await place.mark.read()
    if (!place.mark.isOurs(owner)) return { kind: 'absent', owner: owner?.physicalHost }
    if ((await targetOf(place.mountPoint)) === place.group.path) return { kind: 'imported' }
    return { kind: 'partly', what: `owned, but ${place.mountPoint} is no link to ${place.group.path}` }
  } catch (error) {
    return { kind: 'unusable', why: describeError(error) }
  }
}

async function importDirectory(place: Place, force: boolean): Promise<void> {
  const { host, group, mark } = place
  await checkDirectory(place)
  await checkMountPoint(place)
  place.signal.throwIfAborted()
  try {
    await mark.take((owner) => refuseHeld(host, { diskGroup: group.name, owner, where: mark.directory, force }))
  } catch (error) {
    if (error instanceof HaError) throw error
    throw unusable(group, `its ownership mark ${mark.directory} cannot be written`, {
      cause: error,
      hint: 'Let Haven write into the directory.',
    })
  }
  place.signal.throwIfAborted()
  await makeLink(place)
}

async function exportDirectory(place: Place): Promise<void> {
  // First the link, so that nobody comes in by it while the others are sent out.
  if ((await targetOf(place.mountPoint)) === place.group.path) {
    await unlink(place.mountPoint).catch((error: unknown) => {
      if (!isErrno(error, 'ENOENT')) throw error
    })
  }
  await endHolders(place)
  place.signal.throwIfAborted()
  await place.mark.release()
}

/** Processes may start others while they are told to end, so it is looked again; more rounds than this are no accident. */
const ROUNDS_MAX = 3

async function endHolders(place: Place): Promise<void> {
  const { effects, termGraceMs = TERM_GRACE_MS_DEFAULT } = place.host
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const { holders } = await holdersNow(place)
    if (holders.length === 0) return
    await endProcesses(holders, { graceMs: termGraceMs, signal: place.signal, effects })
  }
  const left = await holdersNow(place)
  if (left.holders.length === 0) return
  throw new HaError(
    'DISK_GROUP_BUSY',
    `disk group '${place.group.name}' is held by ${left.holders.length} process(es) that do not end`,
    {
      hint: 'End them by hand, then give the disk group up again.',
      details: holderDetails(left),
    },
  )
}

async function holdersNow(place: Place): Promise<Holders> {
  const { owner } = await place.mark.read()
  return holdersOf(place, { isOwned: place.mark.isOurs(owner), tagged: undefined })
}

/** `tagged`: the processes that carry a tag of this host, if that is known; while the mark is not ours no others count, so no others are looked at. */
async function holdersOf(
  place: Place,
  { isOwned, tagged }: { readonly isOwned: boolean; readonly tagged: ReadonlySet<number> | undefined },
): Promise<Holders> {
  const among = isOwned ? undefined : tagged
  const none: Holders = { holders: [], hung: [] }
  if (among?.size === 0) return none
  const directory = await realpath(place.group.path).catch(() => undefined)
  if (directory === undefined) return none
  const spared = ownLine()
  const things = {
    directories: [directory],
    devices: new Set<string>(),
    except: join(directory, MARK),
    ...(among === undefined ? {} : { among }),
  }
  const { holders, hung } = await place.lookForHolders(things, place.signal)
  const isMeant = (holder: Holder): boolean => {
    const belonging = belongingOf(holder.tag, place.host.scope)
    return !spared.has(holder.pid) && (belonging === 'ours' || (belonging === 'nobody' && isOwned && holder.writes))
  }
  return { holders: holders.filter(isMeant), hung }
}

async function findLeftovers(place: Place): Promise<readonly Leftover[]> {
  const { group, host, mountPoint, mark } = place
  // Asked for first of all: so one look for tags serves this and whoever else asks in the same moment.
  const [tags, { owner }] = await Promise.all([host.lookForTags?.(), mark.read()])
  const isOwned = mark.isOurs(owner)
  const tagged = tags === undefined ? undefined : new Set(tags.keys())
  const { holders, hung } = await holdersOf(place, { isOwned, tagged })
  const known = holders.map(
    (holder) => ({ kind: 'process', what: describeHolder(holder), remedy: `kill -KILL ${holder.pid}` }) as const,
  )
  // Whether they hold it nobody can tell, so it is not proved that they do not.
  const doubtful = hung
    .filter(({ pid }) => !holders.some((holder) => holder.pid === pid))
    .map((process) => ({ kind: 'process', what: describeHung(process), remedy: HUNG_REMEDY }) as const)
  const processes = [...known, ...doubtful]
  const isLinked = (await targetOf(mountPoint)) === group.path
  const link = { kind: 'mount', what: `${mountPoint} -> ${group.path}`, remedy: `rm ${mountPoint}` } as const
  const ownership = {
    kind: 'disk-group',
    what: `ownership mark ${mark.directory}`,
    remedy: `rm -r ${mark.directory}`,
  } as const
  return [...processes, ...(isLinked ? [link] : []), ...(isOwned ? [ownership] : [])]
}

const HUNG_REMEDY = 'bring back what it waits for (a disk, a file server). Else reboot this host'

async function checkDirectory({ group }: Place): Promise<void> {
  const facts = await stat(group.path).catch((error: unknown) => {
    throw unusable(group, `directory ${group.path} cannot be found`, {
      cause: error,
      hint: `Make it, or mount what holds it.`,
    })
  })
  if (facts.isDirectory()) return
  throw unusable(group, `${group.path} is not a directory`, {
    hint: 'Configure the directory that all possible masters see.',
  })
}

/** An empty directory in the way is what an administrator makes for a mount point: it is replaced. Anything else is somebody's. */
async function checkMountPoint({ group, mountPoint }: Place): Promise<void> {
  const facts = await lstat(mountPoint).catch(() => undefined)
  if (facts === undefined || facts.isDirectory()) return
  const target = await targetOf(mountPoint)
  if (target === group.path) return
  const what = target === undefined ? 'a file' : `a link to ${target}`
  throw unusable(group, `its mount point ${mountPoint} is ${what}`, {
    hint: `Look whose it is, then remove ${mountPoint}.`,
  })
}

async function makeLink(place: Place): Promise<void> {
  const { group, mountPoint } = place
  if ((await targetOf(mountPoint)) === group.path) return
  await mkdir(dirname(mountPoint), { recursive: true })
  await rmdir(mountPoint).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return
    throw unusable(group, `its mount point ${mountPoint} is in use`, {
      cause: error,
      hint: `Empty it (it is a directory with something in it, or something is mounted there), or remove it.`,
    })
  })
  // Not synced: after a loss of power it is made anew by the next import, or in the way of nothing.
  await symlink(group.path, mountPoint)
}

async function targetOf(link: string): Promise<string | undefined> {
  return readlink(link).catch(() => undefined) // Absent, or no link.
}

function unusable(group: Directory, why: string, options: { hint: string; cause?: unknown }): HaError {
  const details = options.cause === undefined ? [] : [describeError(options.cause)]
  return new HaError('DISK_GROUP_UNUSABLE', `disk group '${group.name}' cannot be imported: ${why}`, {
    ...options,
    details,
  })
}
