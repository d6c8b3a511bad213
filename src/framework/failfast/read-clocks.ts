import type { Clocks } from '../membership/own-health.ts'
import type { Effects } from '../ports/effects.ts'

/** Readings that took longer than this are not of one moment: the process was interrupted in between. */
const ONE_MOMENT_MS = 5
const TRIES_MAX = 3

/** Reads the three clocks in as near as can be one moment: an interruption in between would look like time that the machine slept. */
export function readClocks(effects: Effects): Clocks {
  for (let tries = 1; ; tries += 1) {
    const beforeMs = effects.nowMonotonicMs()
    const bootMs = effects.nowBootMs()
    const wallMs = effects.nowWallMs()
    const monotonicMs = effects.nowMonotonicMs()
    if (monotonicMs - beforeMs < ONE_MOMENT_MS || tries >= TRIES_MAX) return { monotonicMs, bootMs, wallMs }
  }
}
