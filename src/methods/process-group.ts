import type { Effects } from '../framework/ports/effects.ts'
import { isAlive, type ProcessFacts, readAllProcesses, trySignal } from './proc.ts'

/** What is not gone this long after KILL hangs in the kernel; the caller goes on without it. */
export const GROUP_AFTER_KILL_MS_MAX = 1000

/** First and longest pause between two looks at a group that was told to end. */
const LOOK_EVERY_MS = { min: 1, max: 20 }

/**
 * Ends a whole process group: TERM, and KILL to what is left of it after `graceMs`. Resolves when it is gone, or when it hangs although it was killed;
 * true = it needed KILL. Processes that left the group are not looked for.
 */
export async function endProcessGroup(
  group: number,
  options: { readonly graceMs: number; readonly effects: Effects },
): Promise<boolean> {
  trySignal(-group, 'SIGTERM')
  // A stopped process hears of nothing but KILL until it goes on.
  trySignal(-group, 'SIGCONT')
  if (await isGoneWithin(group, options.graceMs, options.effects)) return false
  trySignal(-group, 'SIGKILL')
  await isGoneWithin(group, GROUP_AFTER_KILL_MS_MAX, options.effects)
  return true
}

async function isGoneWithin(group: number, withinMs: number, effects: Effects): Promise<boolean> {
  const untilMs = effects.nowMonotonicMs() + withinMs
  let members: readonly ProcessFacts[] = []
  for (let pauseMs = LOOK_EVERY_MS.min; ; pauseMs = Math.min(pauseMs * 2, LOOK_EVERY_MS.max)) {
    members = livingMembers(group, members)
    if (members.length === 0) return true
    const leftMs = untilMs - effects.nowMonotonicMs()
    if (leftMs <= 0) return false
    await effects.sleep(Math.min(pauseMs, leftMs))
  }
}

/** Returns some members if there are any. Zombies are none, although signals reach them. All processes are read only when those known are gone. */
function livingMembers(group: number, known: readonly ProcessFacts[]): readonly ProcessFacts[] {
  const still = known.filter(isAlive)
  if (still.length > 0) return still
  return trySignal(-group, 0) ? readAllProcesses().filter((process) => process.group === group) : []
}
