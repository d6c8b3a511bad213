import { describeError, HaError } from '../../errors/ha-error.ts'
import type { FileSystem } from '../../model/cluster-config.ts'
import type { Leftover } from '../../model/step.ts'
import type { ImportCall } from '../../ports/disk-group-driver.ts'
import { refuseInUse } from './check-and-mount.ts'
import { type FileSystemPlace, type FoundGroup, type Part, viewOf } from './group-view.ts'
import { clusterNumber, findSharedNumber, hostNumber, parseReservationKey, reservationKey } from './reservation-key.ts'
import {
  bothEnded,
  isWithoutReservations,
  type ReservableDisk,
  type ReservationTable,
  reservableDisk,
} from './reservation-program.ts'
import { unusable } from './storage.ts'

/** Every try is ended by another host that was faster; more of them than this are no race but a disk that answers nonsense. */
const TRIES_MAX = 8

type Wish = Pick<ImportCall, 'force' | 'lostHosts' | 'physicalHosts' | 'incarnation'>

/** One disk of a disk group that is reserved, and whose it is to become. */
interface Claim {
  readonly group: FoundGroup
  readonly disk: ReservableDisk
  readonly key: bigint
  readonly wish: Wish
  readonly persist: boolean
}

/**
 * Reserves the disks of a disk group for this host (docs/decisions/0015-reservations.md), before anything of it is touched. Nothing to do when it is
 * configured without reservations. Throws `DISK_GROUP_HELD` when another host has one that may not be taken from it, and `DISK_GROUP_UNUSABLE` when a disk
 * knows no reservations.
 *
 * What is mounted here already is never registered anew while another host may have written meanwhile: with that, what this host still has in memory
 * would be written over it.
 */
export async function reserveGroup(group: FoundGroup, wish: Wish): Promise<void> {
  const { place } = group
  if (place.group.reservation === undefined) return
  refuseSharedNumber(place, wish)
  // All disks are reserved before the first one is mounted.
  const isMounted = (await viewOf(group)).mounts.length > 0
  const key = ownKey(place, { state: 'held', life: wish.incarnation ?? 0 })
  for (const { storage } of group.parts) if (storage.kind === 'image') throw isImage(place, storage.fileSystem)
  for (const [part, disk] of disksOf(group)) {
    await asUnusable(place, disk, async () => {
      const { persistsThroughPowerLoss: persist } = await capabilitiesOf(place, disk)
      const claim = { group, disk, key, wish, persist }
      await (isMounted ? keepDisk(claim) : reserveDisk(claim, part))
    })
  }
}

/** Looks after the reservations of a disk group of which something is mounted here; otherwise does nothing. Throws like `reserveGroup`. */
export async function keepGroup(group: FoundGroup, wish: Wish): Promise<void> {
  const isImported = group.place.group.reservation !== undefined && (await viewOf(group)).mounts.length > 0
  if (isImported) await reserveGroup(group, wish)
}

/**
 * Marks the disks as let go, after everything was unmounted: the reservation stays, by a key that says so, until the next host takes it. So a host that
 * was paused before any of this cannot write in between either. Disks that another host has are left alone.
 */
export async function freeGroup(group: FoundGroup): Promise<void> {
  const { place } = group
  if (place.group.reservation === undefined) return
  for (const [, disk] of disksOf(group)) await asUnusable(place, disk, () => freeDisk(place, disk))
}

/** Says in words why what is mounted here cannot write; undefined = the disks are reserved for this host, or it is configured without reservations. */
export async function reservationTrouble(group: FoundGroup): Promise<string | undefined> {
  const { place } = group
  if (place.group.reservation === undefined) return undefined
  for (const [, disk] of disksOf(group)) {
    const { holder } = await disk.read()
    if (isOwn(place, holder) && parseReservationKey(holder)?.state === 'held') continue
    const whose = holder === undefined ? 'nobody has it reserved' : `${describeKey(place, holder, {})} has it`
    return `the reservation of ${disk.device} was lost: ${whose}`
  }
  return undefined
}

/** Lists the disks that this host has reserved as imported, and those of which that cannot be told. */
export async function reservationLeftovers(group: FoundGroup): Promise<readonly Leftover[]> {
  const { place } = group
  if (place.group.reservation === undefined) return []
  const leftovers: Leftover[] = []
  const add = (what: string, remedy: string): void => void leftovers.push({ kind: 'disk-group', what, remedy })
  for (const [, { device, read }] of disksOf(group)) {
    try {
      const { holder } = await read()
      if (!isOwn(place, holder) || parseReservationKey(holder)?.state !== 'held') continue
      add(`reservation of ${device}`, `Give the disk group '${place.group.name}' up again.`)
    } catch (error) {
      place.signal.throwIfAborted()
      if (isWithoutReservations(error)) continue
      add(`perhaps a reservation of ${device} (${describeError(error)})`, `sg_persist --in --read-keys ${device}`)
    }
  }
  return leftovers
}

function disksOf({ place, parts }: FoundGroup): readonly (readonly [Part, ReservableDisk])[] {
  const { reservation } = place.group
  const seen = new Set<string>()
  return parts.flatMap((part): readonly (readonly [Part, ReservableDisk])[] => {
    const { storage } = part
    if (storage.kind !== 'block' || reservation === undefined) return []
    if (seen.has(storage.device.number)) return []
    seen.add(storage.device.number)
    const { run, signal } = place
    return [[part, reservableDisk(storage.device.path, { program: reservation.program, run, signal })]]
  })
}

function isImage({ group }: FileSystemPlace, { device }: FileSystem): HaError {
  return unusable(group.name, `${device} is an image file, which cannot be reserved`, {
    hint: 'Name a SCSI disk, or configure the disk group without reservations.',
  })
}

async function capabilitiesOf(
  place: FileSystemPlace,
  disk: ReservableDisk,
): ReturnType<ReservableDisk['capabilities']> {
  const hint = 'Use a disk that supports them (sg_persist --in --report-capabilities), or configure it without.'
  const refused = (why: string, details: readonly string[], cause?: unknown): HaError =>
    unusable(place.group.name, why, { hint, details, cause })
  const capabilities = await disk.capabilities().catch((cause: unknown) => {
    if (!isWithoutReservations(cause)) throw cause
    const why = cause.facts.isMissing
      ? 'the program that reserves its disks is not there (Debian: package sg3-utils)'
      : `${disk.device} does not support SCSI-3 persistent reservations`
    throw refused(why, [cause.message], cause)
  })
  if (capabilities.hasType === false) {
    throw refused(`${disk.device} has no reservations of the type Write Exclusive, Registrants Only`, [])
  }
  return capabilities
}

/** Takes a disk of which nothing is mounted here. */
async function reserveDisk(claim: Claim, part: Part): Promise<void> {
  const { disk, key, persist, group } = claim
  await refuseInUse(group, part)
  refuseOthers(claim, await disk.read())
  await disk.registerAnyhow({ to: key, persist })
  try {
    await endOthers(claim, await holdDisk(claim))
  } catch (error) {
    // Who does not get the disk has no business to be able to write to it.
    await stepBack(claim)
    throw error
  }
}

async function holdDisk(claim: Claim): Promise<ReservationTable> {
  const { disk, key } = claim
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const table = await disk.read()
    refuseOthers(claim, table)
    if (!table.keys.includes(key)) throw lostRace(claim, table)
    const { holder } = table
    if (holder === key) return table
    if (holder === undefined) await disk.reserve(key)
    else await disk.preempt({ key, other: holder, abort: isHeldByOther(claim.group.place, holder) })
    // Whoever came first: the next look says who has it now.
  }
  throw new Error(`the reservation changed hands ${TRIES_MAX} times`)
}

/** Ends registrations beside our own: of lost hosts, and of calls that were cut off. Then this host is the only one that can write. */
async function endOthers(claim: Claim, { keys }: ReservationTable): Promise<void> {
  const { disk, key, group } = claim
  const others = new Set(keys.filter((other) => other !== key))
  if (others.size === 0) return
  for (const other of others) await disk.preempt({ key, other, abort: isHeldByOther(group.place, other) })
  const table = await disk.read()
  if (table.holder !== key || !table.keys.includes(key)) throw lostRace(claim, table)
}

/** Looks after the reservation of a disk that is mounted here. */
async function keepDisk(claim: Claim): Promise<void> {
  const { disk, key, persist, group } = claim
  const table = await disk.read()
  const { holder } = table
  if (holder === undefined && table.keys.length === 0) return await reserveForgotten(claim)
  if (!isOwn(group.place, holder)) throw lost(claim, table)
  // Succeeds only for a session that is registered, so it proves that this one can write.
  if ((await disk.register({ from: holder, to: key, persist })) === 'done') return
  // The key is still there, so nobody has taken the disk from this host; but its session is another one than that which was registered.
  if ((await disk.register({ from: 0n, to: key, persist })) === 'conflict') throw lost(claim, await disk.read())
  const now = await disk.read()
  if (now.holder === holder) {
    if (holder === key || (await disk.preempt({ key, other: holder, abort: false })) === 'done') return
  }
  await disk.registerAnyhow({ to: 0n, persist })
  throw lost(claim, now)
}

/** A disk that knows nobody any more has lost its power, or somebody has cleared it. Had another host taken it over, that would be registered. */
async function reserveForgotten(claim: Claim): Promise<void> {
  const { disk, key, persist } = claim
  const isRegistered = (await disk.register({ from: 0n, to: key, persist })) === 'done'
  if (isRegistered && (await disk.reserve(key)) === 'done') return
  const table = await disk.read()
  await disk.registerAnyhow({ to: 0n, persist })
  throw lost(claim, table)
}

async function freeDisk(place: FileSystemPlace, disk: ReservableDisk): Promise<void> {
  const found = await bothEnded(disk.read(), disk.capabilities()).catch(unlessWithout)
  if (found === undefined) return
  const [{ holder, keys }, { persistsThroughPowerLoss: persist }] = found
  if (!isOwn(place, holder)) {
    // What a call that was cut off has left: a host that does not hold the disk has no business to be able to write.
    if (keys.some((key) => isOwn(place, key))) await disk.registerAnyhow({ to: 0n, persist: false })
    return
  }
  const own = parseReservationKey(holder)
  if (own?.state === 'free') return
  const free = ownKey(place, { state: 'free', life: own?.life ?? 0 })
  const isOurSession = (await disk.register({ from: holder, to: free, persist })) === 'done'
  if (!isOurSession) await disk.registerAnyhow({ to: free, persist })
  const now = (await disk.read()).holder
  if (now === holder) await disk.preempt({ key: free, other: holder, abort: false })
}

function unlessWithout(error: unknown): undefined {
  if (!isWithoutReservations(error)) throw error
}

async function stepBack({ group, disk }: Claim): Promise<void> {
  await freeDisk(group.place, disk).catch(() => undefined) // The export that follows a failed import tries again.
}

function ownKey({ host }: FileSystemPlace, made: { readonly state: 'held' | 'free'; readonly life: number }): bigint {
  return reservationKey({ cluster: host.cluster, physicalHost: host.physicalHost, ...made })
}

function isOwn({ host }: FileSystemPlace, key: bigint | undefined): key is bigint {
  const found = key === undefined ? undefined : parseReservationKey(key)
  return found?.clusterNumber === clusterNumber(host.cluster) && found.hostNumber === hostNumber(host.physicalHost)
}

function isHeldByOther(place: FileSystemPlace, key: bigint): boolean {
  return !isOwn(place, key) && parseReservationKey(key)?.state === 'held'
}

/** Throws `DISK_GROUP_HELD` when a host that may not be ended has the disk, or somebody who is not of this cluster is registered. */
function refuseOthers(claim: Claim, { holder, keys }: ReservationTable): void {
  const { place } = claim.group
  const stranger = [...keys, ...(holder === undefined ? [] : [holder])].find(
    (key) => parseReservationKey(key)?.clusterNumber !== clusterNumber(place.host.cluster),
  )
  if (stranger !== undefined) throw held(claim, stranger, strangerHint(claim, stranger))
  if (holder === undefined || !isHeldByOther(place, holder)) return
  const { force, lostHosts } = claim.wish
  const number = parseReservationKey(holder)?.hostNumber
  if (force && (lostHosts === undefined || lostHosts.some((name) => hostNumber(name) === number))) return
  throw held(claim, holder, 'Give it up there first. If that host is gone for good, let the cluster take it over.')
}

function strangerHint({ disk }: Claim, stranger: bigint): string {
  const key = `0x${stranger.toString(16)}`
  return `Find out who uses the disk. If nobody does: sg_persist --out --register-ignore --param-sark=1 ${disk.device}; sg_persist --out --clear --param-rk=1 ${disk.device} (ends ${key} and all others).`
}

function held({ group, disk, wish }: Claim, key: bigint, hint: string): HaError {
  const { place } = group
  const whose = describeKey(place, key, wish)
  return new HaError('DISK_GROUP_HELD', `disk group '${place.group.name}': ${disk.device} is reserved by ${whose}`, {
    hint,
    details: [`reservation key 0x${key.toString(16)}`],
  })
}

function lostRace(claim: Claim, { holder }: ReservationTable): HaError {
  const { group, wish } = claim
  const whose = holder === undefined ? 'another host' : describeKey(group.place, holder, wish)
  return new HaError('DISK_GROUP_HELD', `disk group '${group.place.group.name}' was taken by ${whose} at the same time`)
}

function lost({ group, disk, wish }: Claim, { holder }: ReservationTable): HaError {
  const whose = holder === undefined ? 'nobody has it reserved' : `${describeKey(group.place, holder, wish)} has it now`
  return new HaError(
    'DISK_GROUP_HELD',
    `disk group '${group.place.group.name}' is mounted here, but the reservation of ${disk.device} was lost: ${whose}`,
    { hint: 'Nothing that is written here reaches the disk any more. Give the disk group up on this host.' },
  )
}

/** Names whose a key is, as far as the names of hosts are known. */
function describeKey(
  place: FileSystemPlace,
  key: bigint,
  { physicalHosts = [], lostHosts = [] }: Partial<Wish>,
): string {
  const found = parseReservationKey(key)
  if (found?.clusterNumber !== clusterNumber(place.host.cluster)) return 'somebody who is not of this cluster'
  const names = [place.host.physicalHost, ...physicalHosts, ...lostHosts]
  const name = names.find((known) => hostNumber(known) === found.hostNumber)
  return name === undefined ? 'another physical host of this cluster' : `physical host '${name}'`
}

function refuseSharedNumber({ group, host }: FileSystemPlace, { physicalHosts = [] }: Wish): void {
  const shared = findSharedNumber([...physicalHosts, host.physicalHost])
  if (shared === undefined) return
  throw unusable(group.name, `reservations cannot tell the physical hosts ${shared.join(' and ')} apart`, {
    hint: 'Give one of them another name.',
  })
}

/** What the program said that was not expected is for the operator. */
async function asUnusable(place: FileSystemPlace, disk: ReservableDisk, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof HaError || place.signal.aborted) throw error
    throw unusable(place.group.name, `the reservation of ${disk.device} could not be changed`, {
      hint: 'See whether the disk answers: sg_persist --in --read-keys',
      details: [describeError(error)],
      cause: error,
    })
  }
}
