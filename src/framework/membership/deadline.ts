import type { Timings } from '../model/cluster-config.ts'
import { type Clocks, clockJump } from './own-health.ts'

/** Until when a host may act in its present life. A value: every function here returns a new one. */
export interface Deadline {
  /** Of the present life. */
  readonly incarnation: number
  /** Monotonic clock, milliseconds; -Infinity: may not act. */
  readonly untilMs: number
  /** How far the clock since boot was ahead of the monotonic one; what it gains on top of that is time slept. */
  readonly aheadMs: number
  /** After a sleep or a jump: only a stamp that was sent after this moment (monotonic) counts. Undefined: nothing to prove. */
  readonly proveAfterMs: number | undefined
  /** The clocks when they were looked at last. */
  readonly seen: Clocks
}

/** A stamp of this host that was committed. */
export interface CommittedStamp {
  readonly incarnation: number
  /** Own monotonic clock right before the commit was sent. */
  readonly sentMs: number
}

type GuardTime = Pick<Timings, 'guardMs'>

/** `/proc/uptime` counts in hundredths of a second, and the clocks are not read in the same instant; no machine sleeps for less. */
const SLEEP_NOISE_MS = 50

/** Begins a life: it may not act before its first stamp. */
export function newDeadline(incarnation: number, now: Clocks): Deadline {
  return {
    incarnation,
    untilMs: Number.NEGATIVE_INFINITY,
    aheadMs: now.bootMs - now.monotonicMs,
    proveAfterMs: undefined,
    seen: now,
  }
}

/**
 * Looks at the clocks, before every step and at every stamp. Time slept counts, so it is taken off. After a sleep or a jump of the wall clock
 * only a stamp that is sent from now on counts: one that was under way may have been committed long ago.
 */
export function lookAtClocks(deadline: Deadline, now: Clocks, timings: GuardTime): Deadline {
  const slept = sleptMs(deadline.aheadMs, now)
  const jumped = slept > 0 || clockJump(deadline.seen, now, timings) !== 'none'
  return {
    ...deadline,
    untilMs: deadline.untilMs - slept,
    aheadMs: deadline.aheadMs + slept,
    proveAfterMs: jumped ? now.monotonicMs : deadline.proveAfterMs,
    seen: now,
  }
}

/**
 * Extends the deadline to guardMs after the stamp was sent. Never backwards, only for a stamp of the present life, and not once
 * it has passed: then the guard is at work (the first stamp of a life has no deadline before it).
 */
export function extendDeadline(deadline: Deadline, stamp: CommittedStamp, now: Clocks, timings: GuardTime): Deadline {
  const seen = lookAtClocks(deadline, now, timings)
  const untilMs = stamp.sentMs + timings.guardMs
  // In the very moment of the look nobody can tell which was first.
  const isProof = seen.proveAfterMs === undefined || stamp.sentMs > seen.proveAfterMs
  const isLater = untilMs > seen.untilMs
  if (stamp.incarnation !== deadline.incarnation || isPassed(seen, now) || !isProof || !isLater) return seen
  return { ...seen, untilMs, proveAfterMs: undefined }
}

/** Tells whether the deadline was set once and is over. */
export function isPassed(deadline: Deadline, now: Clocks): boolean {
  return deadline.untilMs !== Number.NEGATIVE_INFINITY && leftMs(deadline, now) <= 0
}

/** Tells whether a step may begin now. */
export function mayAct(deadline: Deadline, now: Clocks, timings: GuardTime): boolean {
  const seen = lookAtClocks(deadline, now, timings)
  return seen.proveAfterMs === undefined && leftMs(seen, now) > 0
}

/** Milliseconds until the deadline, time slept since it was set taken off; negative when it has passed. */
export function leftMs(deadline: Pick<Deadline, 'untilMs' | 'aheadMs'>, now: Clocks): number {
  return deadline.untilMs - now.monotonicMs - sleptMs(deadline.aheadMs, now)
}

function sleptMs(aheadMs: number, now: Clocks): number {
  const gainedMs = now.bootMs - now.monotonicMs - aheadMs
  return gainedMs > SLEEP_NOISE_MS ? gainedMs : 0
}
