import type { Timings } from '../model/cluster-config.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { HeartbeatTimings, NetworkRole } from '../model/network.ts'

/** What a host has heard, and since when it listens; own monotonic clock, milliseconds. */
export interface Hearing {
  readonly heard: readonly { readonly host: PhysicalHostName; readonly network: string; readonly atMs: number }[]
  /** `Infinity` = it does not listen. */
  readonly listeningSinceMs: number
  readonly nowMs: number
}

/** Below this the timers of a thread are in the way. */
const INTERVAL_MS_MIN = 10
/** A heartbeat that is seldomer says nothing sooner than a stamp does. */
const INTERVAL_MS_MAX = 5_000

/** Tells whether heartbeats go over a network of that role. */
export function carriesHeartbeats(role: NetworkRole): boolean {
  return role === 'internal' || role === 'both'
}

/**
 * Milliseconds for which nothing was heard of a host over any network, as far as this host listened: 0 while it does not. Whoever was stopped itself has
 * heard nobody, and learns nothing from that.
 */
export function silentForMs({ heard, listeningSinceMs, nowMs }: Hearing, host: PhysicalHostName): number {
  const lastMs = heard.reduce(
    (latest, one) => (one.host === host ? Math.max(latest, one.atMs) : latest),
    listeningSinceMs,
  )
  return Math.max(0, nowMs - lastMs)
}

/** Hosts that were heard over a network within `silentMs`, in order of their names. What was not listened to is no silence. */
export function audibleOver(hearing: Hearing, network: string, silentMs: number): readonly PhysicalHostName[] {
  const { heard, listeningSinceMs, nowMs } = hearing
  return heard
    .filter((one) => one.network === network && nowMs - Math.max(one.atMs, listeningSinceMs) < silentMs)
    .map(({ host }) => host)
    .toSorted()
}

/** Returns what is wrong with the timings of heartbeats, one sentence each, for the operator who sets them; empty = nothing. */
export function heartbeatProblems(
  heartbeats: HeartbeatTimings,
  { guardMs }: Pick<Timings, 'guardMs'>,
): readonly string[] {
  const { intervalMs, suspectMs } = heartbeats
  const notWhole = Object.entries(heartbeats).filter(([, value]) => !Number.isSafeInteger(value))
  if (notWhole.length > 0) {
    return notWhole.map(([name, value]) => `${name} is ${value}, and must be a whole number of milliseconds`)
  }
  const rules: readonly (readonly [boolean, string])[] = [
    [intervalMs >= INTERVAL_MS_MIN, `intervalMs is ${intervalMs}, and must be at least ${INTERVAL_MS_MIN}`],
    [intervalMs <= INTERVAL_MS_MAX, `intervalMs is ${intervalMs}, and must be at most ${INTERVAL_MS_MAX}`],
    [
      intervalMs * 3 <= suspectMs,
      `suspectMs is ${suspectMs}, and must be at least three times intervalMs (${intervalMs}): two lost heartbeats are no silence`,
    ],
    [
      suspectMs < guardMs,
      `suspectMs is ${suspectMs}, and must be less than guardMs (${guardMs}): later than that stamps tell as much`,
    ],
  ]
  return rules.filter(([holds]) => !holds).map(([, problem]) => problem)
}
