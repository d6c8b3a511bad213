import type { Timings } from '../model/cluster-config.ts'

/** Names of the profiles of `scconf`. */
export type ProfileName = 'default' | 'fast' | 'relaxed'

/**
 * Timings that were chosen together. The margins are about twice what `marginMsMin` asks for: the other half is for the unmounting
 * of a disk group that has something to write. Expiry comes to 2.2 s, 0.9 s and 5.5 s.
 */
export const PROFILES: Readonly<Record<ProfileName, Timings>> = {
  default: { stampMs: 400, guardMs: 1500, abortMs: 400, marginMs: 300 },
  fast: { stampMs: 150, guardMs: 600, abortMs: 150, marginMs: 150 },
  relaxed: { stampMs: 1000, guardMs: 4000, abortMs: 1000, marginMs: 500 },
}

/** Every clock may run this much too fast or too slow. Quartz is a thousand times better; a virtual machine under load is not. */
const CLOCK_DRIFT_MAX = 0.01

/** The guard process may wake up this much after its deadline, on a machine that has other things to do (measured: 1-25 ms). */
const GUARD_WAKES_LATE_MS = 50

/** To KILL what the ABORT methods left, and to see it gone. */
const END_BY_FORCE_MS = 50

/** Below this a store with an fsync, a scheduler and a garbage collector are in the way. */
const STAMP_MS_MIN = 50
/** Above this it is not high availability any more but a mistake of the unit. */
const GUARD_MS_MAX = 120_000
/** Enough to start one shell script. */
const ABORT_MS_MIN = 50
const ABORT_MS_MAX = 60_000
const MARGIN_MS_MAX = 60_000

/**
 * Milliseconds after which a call of the cluster database is given up: a stamp that fails by then can be sent again, elsewhere, several times before the guard fires.
 */
export function databaseCallMs({ guardMs }: Pick<Timings, 'guardMs'>): number {
  return guardMs / 5
}

/**
 * Milliseconds without a new stamp after which a member is lost, on the observer's own monotonic clock, counted from when the observer saw its last stamp.
 * A lost host has stopped: its guard fired guardMs after it sent that stamp and had everything down abortMs (and a part of the margin) later.
 */
export function expiryMs(timings: Timings): number {
  return timings.guardMs + timings.abortMs + timings.marginMs
}

/**
 * The least margin that keeps the observer's clock behind the lost host's: it runs 1 % too fast, that of the lost host 1 % too slow,
 * and the guard needs its time to wake up and to end by force what is left.
 */
export function marginMsMin(timings: Pick<Timings, 'guardMs' | 'abortMs'>): number {
  const stoppedAfterMs = timings.guardMs + timings.abortMs + GUARD_WAKES_LATE_MS + END_BY_FORCE_MS
  const onFastClockMs = (stoppedAfterMs * (1 + CLOCK_DRIFT_MAX)) / (1 - CLOCK_DRIFT_MAX)
  return Math.ceil(onFastClockMs - timings.guardMs - timings.abortMs)
}

/** Returns what is wrong with the timings, one sentence each, for the operator who sets them; empty = nothing. */
export function timingProblems(timings: Timings): readonly string[] {
  const { stampMs, guardMs, abortMs, marginMs } = timings
  const notWhole = Object.entries(timings).filter(([, value]) => !Number.isSafeInteger(value))
  if (notWhole.length > 0) {
    return notWhole.map(([name, value]) => `${name} is ${value}, and must be a whole number of milliseconds`)
  }
  const least = marginMsMin(timings)
  const rules: readonly (readonly [boolean, string])[] = [
    [stampMs >= STAMP_MS_MIN, `stampMs is ${stampMs}, and must be at least ${STAMP_MS_MIN}`],
    [
      stampMs * 3 < guardMs,
      `stampMs is ${stampMs}, and must be less than a third of guardMs (${guardMs}): one lost stamp must not stop a host`,
    ],
    [guardMs <= GUARD_MS_MAX, `guardMs is ${guardMs}, and must be at most ${GUARD_MS_MAX}`],
    [abortMs >= ABORT_MS_MIN, `abortMs is ${abortMs}, and must be at least ${ABORT_MS_MIN}`],
    [abortMs <= ABORT_MS_MAX, `abortMs is ${abortMs}, and must be at most ${ABORT_MS_MAX}`],
    [
      marginMs >= least,
      `marginMs is ${marginMs}, and must be at least ${least}: clocks may be 1 % off, and the guard needs time to end by force what is left`,
    ],
    [marginMs <= MARGIN_MS_MAX, `marginMs is ${marginMs}, and must be at most ${MARGIN_MS_MAX}`],
  ]
  return rules.filter(([holds]) => !holds).map(([, problem]) => problem)
}
