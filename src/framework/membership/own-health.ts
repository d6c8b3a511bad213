import type { Timings } from '../model/cluster-config.ts'

/** Whether this host may judge others. `sick`: it abstains, and observes anew once it is well. */
export type OwnHealth = { readonly kind: 'well' } | { readonly kind: 'sick'; readonly reason: string }

/** What a host knows of itself; own monotonic clock, milliseconds. */
export interface OwnSigns {
  /** When the loop ran before now. */
  readonly lastTickMs: number
  readonly nowMs: number
  /** When the last stamp of its own that was committed was SENT; undefined before the first. */
  readonly lastStampSentMs: number | undefined
}

/** One moment on the three clocks, milliseconds: monotonic, since boot with suspended time, wall. Read together. */
export interface Clocks {
  readonly monotonicMs: number
  readonly bootMs: number
  readonly wallMs: number
}

/** `slept`: a missed deadline. `wall-jumped`: perhaps one; the host has to prove by a new stamp that it is still a member. */
export type ClockJump = 'none' | 'slept' | 'wall-jumped'

/** A host whose own stamps are older than so many intervals does not reach the database, or is too slow: one interval until the next, one for the commit. */
const STAMP_INTERVALS_MAX = 2

/**
 * Judges this host itself: whose own loop or stamps are late cannot tell whether the others are late or it did not look.
 * (The Lifeguard extensions of SWIM found most false suspicions to come from slow observers.)
 */
export function ownHealth(signs: OwnSigns, timings: Timings): OwnHealth {
  const tickedAgoMs = signs.nowMs - signs.lastTickMs
  if (tickedAgoMs > timings.stampMs) {
    return sick(`its own loop was stopped for ${Math.round(tickedAgoMs)} ms`)
  }
  if (signs.lastStampSentMs === undefined) return sick('it has not stamped yet')
  const stampedAgoMs = signs.nowMs - signs.lastStampSentMs
  if (stampedAgoMs > timings.stampMs * STAMP_INTERVALS_MAX) {
    return sick(`its own last stamp that was committed is ${Math.round(stampedAgoMs)} ms old`)
  }
  return { kind: 'well' }
}

/**
 * Compares two moments. Slept: the time since boot ran ahead of the monotonic clock by more than guardMs. Wall-jumped: the wall clock did;
 * that is a virtual machine that was paused, or somebody who set the clock. A wall clock set back says nothing.
 */
export function clockJump(before: Clocks, after: Clocks, timings: Pick<Timings, 'guardMs'>): ClockJump {
  const ranMs = after.monotonicMs - before.monotonicMs
  if (after.bootMs - before.bootMs - ranMs > timings.guardMs) return 'slept'
  return after.wallMs - before.wallMs - ranMs > timings.guardMs ? 'wall-jumped' : 'none'
}

function sick(reason: string): OwnHealth {
  return { kind: 'sick', reason }
}
