import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Effects } from '../framework/ports/effects.ts'
import { findOwnCgroup } from './cgroup.ts'

/** A move keeps those after it quick for one grace period of the kernel's RCU, 8 ms at least where it was measured. */
const AGAIN_AFTER_MS = 6
/** What was expected and has not come within this time is in the middle of a long step: one slow move more is nothing beside that. */
const EXPECTED_WITHIN_MS = 200

/** Keeps moves into cgroups quick while methods are about to be called. Neither call throws or waits, and both cost nothing where it is of no use. */
export interface QuickMoves {
  /** Methods will be called soon. */
  expectCalls(): void
  /** One is called now, and moves by itself. */
  called(): void
}

/**
 * Each method enters its cgroup before it is executed. The first process that moves between any two cgroups of a machine waits for a grace period of
 * RCU (8 to 12 ms; a shell itself takes 1.5 ms), as moves are made cheap for forks and not for themselves (`favordynmods` in cgroups(7) and the kernel's
 * cgroup-v2.rst); those that follow within another such period do not wait. So this process moves itself to where it is already, in the time that steps
 * without methods take. To let a method begin and move it meanwhile would be as quick, but what it had started by then would be outside.
 */
export function createQuickMoves(effects: Effects): QuickMoves {
  let untilMs = 0
  let movedMs = 0
  let isRunning = false
  const keepQuick = async (): Promise<void> => {
    for (;;) {
      const nowMs = effects.nowMonotonicMs()
      if (nowMs >= untilMs) return
      const restMs = movedMs + AGAIN_AFTER_MS - nowMs
      if (restMs > 0) {
        await effects.sleep(restMs)
        continue
      }
      // Looked up each time: somebody else may have moved this process meanwhile, and then that is where it belongs.
      const own = findOwnCgroup()
      if (own === undefined) return
      // 0 is whoever writes. In the thread pool, as this is what waits.
      await writeFile(join(own, 'cgroup.procs'), '0')
      movedMs = effects.nowMonotonicMs()
    }
  }
  return {
    called: () => {
      movedMs = effects.nowMonotonicMs()
    },
    expectCalls: () => {
      untilMs = effects.nowMonotonicMs() + EXPECTED_WITHIN_MS
      if (isRunning) return
      isRunning = true
      keepQuick()
        .catch(() => undefined) // Not allowed: then moves are slow.
        .finally(() => {
          isRunning = false
        })
    },
  }
}
