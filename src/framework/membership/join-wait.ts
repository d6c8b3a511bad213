import type { Timings } from '../model/cluster-config.ts'
import { expiryMs } from './check-timings.ts'

/**
 * Tells whether a member may begin a take-on from lost hosts: one expiry after it joined (or after its clustd was restarted and carried the life on), so
 * that whatever it promised or saw before it lost its memory has run out. Both times on its own monotonic clock.
 */
export function mayTakeOnUncleanFrom(joinedAtMs: number, nowMs: number, timings: Timings): boolean {
  return nowMs > takeOnUncleanFromMs(joinedAtMs, timings)
}

/** The moment that `mayTakeOnUncleanFrom` waits for, for the timer of the loop. */
export function takeOnUncleanFromMs(joinedAtMs: number, timings: Timings): number {
  return joinedAtMs + expiryMs(timings)
}
