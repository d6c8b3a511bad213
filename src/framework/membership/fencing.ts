import type { Timings } from '../model/cluster-config.ts'
import type { Member } from '../model/cluster-state.ts'
import type { Fence, FencingLimits } from '../model/fencing.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { HeartbeatTimings } from '../model/network.ts'
import type { StampWatch } from './observation.ts'

/** What is looked at, by whom, and when. Times without `Wall` are on the looker's own monotonic clock. */
export interface FenceLook {
  readonly me: PhysicalHostName
  readonly members: ReadonlyMap<PhysicalHostName, Member>
  /** Configured hosts in order: the first living one asks for a fence first. */
  readonly order: readonly PhysicalHostName[]
  /** How many logical hosts each host masters; absent = none. */
  readonly masters: ReadonlyMap<PhysicalHostName, number>
  /** Hosts that have a fence device, with how long a fence of them may take, milliseconds. */
  readonly fenceable: ReadonlyMap<PhysicalHostName, number>
  readonly watch: StampWatch
  /** When anything was last heard of a host over any network; absent = never. */
  readonly heardMs: ReadonlyMap<PhysicalHostName, number>
  /** When the machine of a host last said that it runs and its clustd does not; absent = never. */
  readonly vacantMs: ReadonlyMap<PhysicalHostName, number>
  /** Since when the looker has been well: what it did not hear before says nothing. */
  readonly wellSinceMs: number
  readonly nowMs: number
  readonly nowWallMs: number
  readonly timings: Timings
  readonly heartbeats: HeartbeatTimings
  readonly limits: FencingLimits
  readonly fences: ReadonlyMap<PhysicalHostName, Fence>
  /** When the present record of each fence was first seen. The wall clocks of hosts may be hours apart. */
  readonly fencesSeenMs: ReadonlyMap<PhysicalHostName, number>
}

/** A member that gives no sign of life, with what the commit of its fence is guarded on. */
export interface Suspect {
  readonly host: PhysicalHostName
  readonly incarnation: number
  /** Its stamp record must still be at this revision; undefined: must still be absent. */
  readonly stampRevision: number | undefined
  readonly silentMs: number
}

/** Whether a fence may be asked for now. `wait`: not now, and nobody needs to hear of it. */
export type FenceVerdict =
  | { readonly kind: 'may-fence' }
  | { readonly kind: 'wait'; readonly why: string }
  /** Not at all before the window has moved on: to be said loudly, once. */
  | { readonly kind: 'refused'; readonly why: string }

/** Of the time until a host is suspected this part is left for its answer to the question whether it lives: a commit there and one back. */
const ANSWER_PART = 0.4
/** At most so many turns are waited for the hosts before this one. */
const TURNS_MAX = 4
/** A fence that failed is tried again after this long; meanwhile the host expires as it would without a device. */
const FAILED_AGAIN_MS = 2_000

/** How long a host has to answer the question whether it lives, milliseconds; longer where nothing is as fast as heartbeats. */
export function answerMs({ heartbeats }: Pick<FenceLook, 'heartbeats'>): number {
  return heartbeats.suspectMs * ANSWER_PART
}

/**
 * Returns the members that should be asked for a sign of life now, because a fence of them is due if they do not answer; in host order. Only hosts that
 * have a device, and only when it is this host's turn.
 */
export function suspects(look: FenceLook): readonly Suspect[] {
  return candidates(look)
    .filter((host) => dueMs(look, host) <= look.nowMs)
    .flatMap((host): readonly Suspect[] => {
      const sighting = look.watch.sightings.get(host)
      if (sighting === undefined) return []
      const { incarnation, revision } = sighting
      return [{ host, incarnation, stampRevision: revision, silentMs: look.nowMs - lastSignMs(look, host) }]
    })
}

/** Returns when, on the looker's clock, `suspects` may become non-empty if no further sign of life comes; undefined when no other member can be fenced. */
export function nextSuspicionMs(look: FenceLook): number | undefined {
  const due = candidates(look).map((host) => dueMs(look, host))
  return due.length === 0 ? undefined : Math.min(...due)
}

/**
 * When the host was last known to live: a heartbeat, or a new stamp. A host whose heartbeats are lost but whose stamps go on is alive. One whose machine
 * says that clustd does not run has its guard, which stops it in time, or a clustd that comes back and carries on: it is not switched off for that.
 */
export function lastSignMs(look: FenceLook, host: PhysicalHostName): number {
  const stampedMs = look.watch.sightings.get(host)?.seenMs ?? Number.NEGATIVE_INFINITY
  const guardedMs = (look.vacantMs.get(host) ?? Number.NEGATIVE_INFINITY) + look.timings.guardMs
  return Math.max(look.heardMs.get(host) ?? Number.NEGATIVE_INFINITY, stampedMs, guardedMs, look.wellSinceMs)
}

/**
 * Judges whether the fence of a suspect may be committed, by the records of all fences (the commit is guarded on every one of them, so that two hosts
 * never fence each other, and never more than the share).
 */
export function fenceVerdict(
  look: FenceLook,
  { host, incarnation }: Pick<Suspect, 'host' | 'incarnation'>,
): FenceVerdict {
  const aboutMe = look.fences.get(look.me)
  if (
    aboutMe !== undefined &&
    isUnderWay(look, aboutMe) &&
    aboutMe.incarnation === look.members.get(look.me)?.incarnation
  )
    return { kind: 'wait', why: `${aboutMe.by} has asked for a fence of this host` }
  const last = look.fences.get(host)
  if (last?.incarnation === incarnation) {
    // Also when it was this host: by an operator's order, or before its clustd was started again.
    if (isUnderWay(look, last)) return { kind: 'wait', why: `${last.by} has asked for its fence already` }
    if (last.outcome.kind === 'failed' && seenForMs(look, last) < FAILED_AGAIN_MS)
      return { kind: 'wait', why: 'the last fence failed a moment ago' }
  }
  const others = fencedWithin(look).filter((fenced) => fenced !== host)
  const most = fencesMax(look)
  if (others.length < most) return { kind: 'may-fence' }
  const windowS = look.limits.windowMs / 1000
  return {
    kind: 'refused',
    why: `${others.join(', ')} ${others.length === 1 ? 'was' : 'were'} fenced within ${windowS} s, and ${most} of ${look.order.length} hosts is the limit`,
  }
}

/** How many hosts may be fenced within the window. */
export function fencesMax({ order, limits }: Pick<FenceLook, 'order' | 'limits'>): number {
  return Math.max(1, Math.floor(order.length * limits.shareMax))
}

/** Tells whether a host that was lost in this life was proved off since: nothing that it held or was promised needs to run out. */
export function isProvedOff(fence: Fence | undefined, lostIncarnation: number | null | undefined): boolean {
  if (fence === undefined || fence.incarnation !== lostIncarnation) return false
  return fence.outcome.kind === 'confirmed' || fence.outcome.kind === 'confirmed-by-operator'
}

function fencedWithin({ fences, limits, nowWallMs }: FenceLook): readonly PhysicalHostName[] {
  return [...fences.values()]
    .filter(({ byItselfWallMs }) => byItselfWallMs !== null && Math.abs(nowWallMs - byItselfWallMs) < limits.windowMs)
    .map(({ host }) => host)
}

/** What whoever asked was given up over, or is never heard of again, may be asked for again: a fence may be repeated. */
function isUnderWay(look: FenceLook, fence: Fence): boolean {
  if (fence.outcome.kind !== 'asked' || !look.members.has(fence.by)) return false
  return seenForMs(look, fence) < (look.fenceable.get(fence.host) ?? 0)
}

function seenForMs({ fencesSeenMs, nowMs }: FenceLook, { host }: Fence): number {
  return nowMs - (fencesSeenMs.get(host) ?? nowMs)
}

function candidates({ members, me, fenceable, order }: FenceLook): readonly PhysicalHostName[] {
  if (!members.has(me)) return []
  return order.filter((host) => host !== me && members.has(host) && fenceable.has(host))
}

/** When the question is due. */
function dueMs(look: FenceLook, host: PhysicalHostName): number {
  return lastSignMs(look, host) + silenceMs(look, host) + waitMs(look, host)
}

/**
 * How long a host has to be silent. Heartbeats come many times in that; but of a host that is not heard at all, or that was seen to stamp after it had
 * ceased to be heard, stamps are the only signs, and it has all the time that its guard gives it to renew them.
 */
function silenceMs(look: FenceLook, host: PhysicalHostName): number {
  const { heartbeats, timings } = look
  const heardMs = look.heardMs.get(host)
  const stampedMs = look.watch.sightings.get(host)?.seenMs ?? Number.NEGATIVE_INFINITY
  // A stamp is on its way for longer than a heartbeat.
  const isHeard = heardMs !== undefined && stampedMs <= heardMs + answerMs(look)
  return isHeard ? heartbeats.suspectMs - answerMs(look) : timings.guardMs
}

function waitMs(look: FenceLook, suspect: PhysicalHostName): number {
  const living = look.order.filter((host) => {
    if (host === suspect || !look.members.has(host)) return false
    return host === look.me || look.nowMs - lastSignMs(look, host) <= silenceMs(look, host)
  })
  const turns = Math.min(Math.max(0, living.indexOf(look.me)), TURNS_MAX)
  const delayMs = look.members.size === 2 && isLessPreferred(look, suspect) ? look.limits.delayMs : 0
  return turns * look.heartbeats.intervalMs + delayMs
}

/** Of two members the one that masters less is the one that may go; of equals the later one in order. */
function isLessPreferred({ me, masters, order }: FenceLook, other: PhysicalHostName): boolean {
  const [own, theirs] = [masters.get(me) ?? 0, masters.get(other) ?? 0]
  return own === theirs ? order.indexOf(me) > order.indexOf(other) : own < theirs
}
