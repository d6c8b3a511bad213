import assert from 'node:assert/strict'
import type { Timings } from '../model/cluster-config.ts'
import type { Member } from '../model/cluster-state.ts'
import type { PhysicalHostName } from '../model/names.ts'
import { expiryMs } from './check-timings.ts'

/** A stamp as the database shows it: the record's value and the revision of the commit that wrote it. */
export interface SeenStamp {
  readonly host: PhysicalHostName
  readonly incarnation: number
  readonly sequence: number
  readonly expiryMs: number
  readonly revision: number
}

/** What is known of the present stamp of one member. */
interface Sighting {
  readonly incarnation: number
  /** 0 = the member has not stamped since it was first seen. */
  readonly sequence: number
  /** Revision of the stamp record; undefined when there was none. What the commit of an eviction is guarded on. */
  readonly revision: number | undefined
  /** What the stamp says it takes to run out; 0 when there was none. Timings that were shortened since do not make it run out earlier. */
  readonly expiryMs: number
  /** The observer's own monotonic clock when it first saw this stamp (or this life of the member). */
  readonly seenMs: number
}

/** What one host knows of the stamps of the others. A value: every function here returns a new one. */
export interface StampWatch {
  readonly sightings: ReadonlyMap<PhysicalHostName, Sighting>
}

/** `suspect`: it should have stamped by now; for display, and a reason to look at the database again. */
export type Tardiness = 'on-time' | 'suspect' | 'lost'

/** A member that cannot act any more, with what the commit of its eviction is guarded on. */
export interface LostHost {
  readonly host: PhysicalHostName
  readonly incarnation: number
  /** Its stamp record must still be at this revision; undefined: must still be absent. */
  readonly stampRevision: number | undefined
  /** How long it has been silent, milliseconds. */
  readonly silentMs: number
}

/** What is looked at, by whom, and when. */
export interface Look {
  readonly members: ReadonlyMap<PhysicalHostName, Member>
  readonly me: PhysicalHostName
  /** Configured hosts in order: the first fit one tries first. */
  readonly order: readonly PhysicalHostName[]
  readonly nowMs: number
  readonly timings: Timings
}

/** Nothing seen yet. */
export const EMPTY_WATCH: StampWatch = { sightings: new Map() }

/** At most so many turns are waited for the hosts before this one: more would cost more than the races they avoid. */
const TURNS_MAX = 4

/** After a sickness of the observer itself: the others renew their stamps at least every quarter of an interval then, and each try may take half a one. */
const GRACE_INTERVALS = 2

/** A member whose stamp is older than so many intervals is suspect: one interval until the next, one for a slow commit. */
const SUSPECT_INTERVALS = 2

/**
 * Notes a stamp. Only one with a greater revision than the known one is new and restarts the clock of its host: watch events may repeat or be old,
 * and a database only ever gets greater revisions. A new life or sequence without a greater revision cannot be.
 */
export function observe(watch: StampWatch, stamp: SeenStamp, nowMs: number): StampWatch {
  const known = watch.sightings.get(stamp.host)
  if (known?.revision !== undefined && stamp.revision <= known.revision) return watch
  const { host, incarnation, sequence, expiryMs, revision } = stamp
  return withSighting(watch, host, { incarnation, sequence, expiryMs, revision, seenMs: nowMs })
}

/**
 * Takes over who is a member: forgets those who left, and starts the clock of a member, or of a new life of one, that has not stamped yet.
 * To be called with every change of the membership: a host that joins and dies before its first stamp would otherwise never be lost.
 */
export function observeMembers(
  watch: StampWatch,
  members: ReadonlyMap<PhysicalHostName, Member>,
  nowMs: number,
): StampWatch {
  const sightings = new Map<PhysicalHostName, Sighting>()
  for (const { host, incarnation } of members.values()) {
    const known = watch.sightings.get(host)
    const isKnown = known !== undefined && known.incarnation >= incarnation
    // The stamp of the former life is still there, and an eviction of this one is guarded on it.
    sightings.set(
      host,
      isKnown ? known : { incarnation, sequence: 0, expiryMs: 0, revision: known?.revision, seenMs: nowMs },
    )
  }
  return { sightings }
}

/**
 * Gives every host a little time, because the observer itself was sick: what kept it from stamping or looking may have kept the others from stamping.
 * The silence before counts all the same: it was real, and that no stamp was missed is what the commit of an eviction is guarded on.
 */
export function restartObservation(watch: StampWatch, nowMs: number, timings: Timings): StampWatch {
  const leaveTime = (host: PhysicalHostName, sighting: Sighting): Sighting => {
    const latestMs = nowMs - expiryOfMs(watch, host, timings) + timings.stampMs * GRACE_INTERVALS
    return { ...sighting, seenMs: Math.max(sighting.seenMs, latestMs) }
  }
  return { sightings: new Map([...watch.sightings].map(([host, sighting]) => [host, leaveTime(host, sighting)])) }
}

/** Milliseconds since the present stamp of the host was first seen; 0 when nothing is known of it. */
export function silentMs(watch: StampWatch, host: PhysicalHostName, nowMs: number): number {
  const seenMs = watch.sightings.get(host)?.seenMs ?? nowMs
  assert(seenMs <= nowMs, `the monotonic clock went back: ${seenMs} before ${nowMs}`)
  return nowMs - seenMs
}

/** Judges one host; one that nothing is known of is on time. */
export function tardiness(watch: StampWatch, host: PhysicalHostName, nowMs: number, timings: Timings): Tardiness {
  const silent = silentMs(watch, host, nowMs)
  if (silent > expiryOfMs(watch, host, timings)) return 'lost'
  return silent > timings.stampMs * SUSPECT_INTERVALS ? 'suspect' : 'on-time'
}

/**
 * Milliseconds of silence after which the host is lost: what its last stamp allows it must have run out, and what the present timings allow as well, since
 * it may have read them already.
 */
export function expiryOfMs(watch: StampWatch, host: PhysicalHostName, timings: Timings): number {
  return Math.max(expiryMs(timings), watch.sightings.get(host)?.expiryMs ?? 0)
}

/**
 * Returns the members that this host should evict now, in host order; empty when there are none or it is the turn of another host. The first living
 * host in order tries at once, the k-th other one k turns later. When its turn has come for one, it takes all others that are lost by then along.
 */
export function lostHosts(watch: StampWatch, look: Look): readonly LostHost[] {
  const lost = lostMembers(watch, look)
  const waitMs = turnWaitMs(watch, look)
  const isMyTurn = lost.some(({ host, silentMs }) => silentMs > expiryOfMs(watch, host, look.timings) + waitMs)
  return isMyTurn ? lost : []
}

/**
 * Returns when, on the observer's clock, `lostHosts` may become non-empty if no further stamp comes; undefined when there is no other member. The loop
 * sleeps until then instead of looking every few milliseconds.
 */
export function nextLossMs(watch: StampWatch, look: Look): number | undefined {
  const losses = otherMembers(look).map(
    (host) => (watch.sightings.get(host)?.seenMs ?? look.nowMs) + expiryOfMs(watch, host, look.timings),
  )
  if (losses.length === 0) return undefined
  return Math.min(...losses) + turnWaitMs(watch, look)
}

/** The longest that a host waits for others to evict, on top of expiry: so an eviction is tried within expiry + this by any observer that is well. */
export function turnWaitMsMax(timings: Timings): number {
  return turnMs(timings) * TURNS_MAX
}

/** Long enough for a commit to be seen by the next host, short beside the expiry. */
function turnMs(timings: Timings): number {
  return timings.stampMs / 4
}

function turnWaitMs(watch: StampWatch, look: Look): number {
  const living = byOrder([...look.members.keys()], look.order).filter(
    (host) => host === look.me || tardiness(watch, host, look.nowMs, look.timings) !== 'lost',
  )
  return Math.min(Math.max(0, living.indexOf(look.me)), TURNS_MAX) * turnMs(look.timings)
}

function lostMembers(watch: StampWatch, look: Look): readonly LostHost[] {
  return otherMembers(look).flatMap((host) => {
    const sighting = watch.sightings.get(host)
    if (sighting === undefined || tardiness(watch, host, look.nowMs, look.timings) !== 'lost') return []
    const { incarnation, revision } = sighting
    return [{ host, incarnation, stampRevision: revision, silentMs: look.nowMs - sighting.seenMs }]
  })
}

function otherMembers(look: Look): readonly PhysicalHostName[] {
  const others = [...look.members.keys()].filter((host) => host !== look.me)
  return byOrder(others, look.order)
}

/** Hosts that are not in the order (their configuration was just removed) come last, by name, so that all observers agree. */
function byOrder(hosts: readonly PhysicalHostName[], order: readonly PhysicalHostName[]): readonly PhysicalHostName[] {
  const rank = (host: PhysicalHostName): number => (order.includes(host) ? order.indexOf(host) : order.length)
  return [...hosts].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

function withSighting(watch: StampWatch, host: PhysicalHostName, sighting: Sighting): StampWatch {
  return { sightings: new Map(watch.sightings).set(host, sighting) }
}
