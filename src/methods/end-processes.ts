import type { Effects } from '../framework/ports/effects.ts'
import type { ProcessScope } from '../framework/ports/method-runner.ts'
import { killCgroups, removeCgroups } from './cgroup.ts'
import { isAlive, ownLine, signalProcess } from './proc.ts'
import { findProcesses, type ProcessPlace, type ScopedProcess } from './processes.ts'

/** What is not gone this long after KILL does not go by KILL: it hangs in the kernel, or is born again faster than it is killed. */
export const AFTER_KILL_MS_MAX = 2000

/** First and longest pause between two looks at processes that were told to end; most are gone within a millisecond or two. */
const LOOK_EVERY_MS = { min: 1, max: 20 }
/** After KILL, processes that were not known are searched for this often. */
const SEARCH_AGAIN_MS = 100

/** How the processes of a scope are to be ended. */
export interface Ending {
  /** How long they have between TERM and KILL; 0 = KILL at once. */
  readonly graceMs: number
  /** Ends the waiting: the call then rejects with its reason. */
  readonly signal: AbortSignal
  readonly effects: Effects
}

/**
 * Ends every process of a scope and returns those that would not go; takes at most `graceMs` + `AFTER_KILL_MS_MAX` and two looks.
 * Rejects with the reason of the signal, or with `METHOD_FAILED` when it cannot look.
 */
export async function endScope(
  place: ProcessPlace,
  scope: ProcessScope,
  ending: Ending,
): Promise<readonly ScopedProcess[]> {
  ending.signal.throwIfAborted()
  const wentByThemselves = ending.graceMs > 0 && (await terminate(place, scope, ending))
  const left = wentByThemselves ? [] : await kill(place, scope, ending)
  if (left.length === 0 && place.cgroupHome !== undefined) removeCgroups(place.cgroupHome, scope)
  return left
}

/** TERM to each process once, also to those that appear meanwhile; true = all are gone. */
async function terminate(place: ProcessPlace, scope: ProcessScope, ending: Ending): Promise<boolean> {
  const untilMs = ending.effects.nowMonotonicMs() + ending.graceMs
  const told = new Set<string>()
  for (;;) {
    const found = await findProcesses(place, scope)
    if (found.length === 0) return true
    if (ending.effects.nowMonotonicMs() >= untilMs) return false
    for (const process of found) {
      const identity = `${process.pid}@${process.startTicks}`
      if (told.has(identity)) continue
      told.add(identity)
      signalProcess(process, 'SIGTERM')
      // A stopped process hears of nothing but KILL until it goes on.
      signalProcess(process, 'SIGCONT')
    }
    await waitUntilGone(found, untilMs, ending)
  }
}

/** KILL to all, again and again: a process may have forked between the look and its own end. */
async function kill(place: ProcessPlace, scope: ProcessScope, ending: Ending): Promise<readonly ScopedProcess[]> {
  const untilMs = ending.effects.nowMonotonicMs() + AFTER_KILL_MS_MAX
  for (;;) {
    if (place.cgroupHome !== undefined) killCgroups(place.cgroupHome, scope, ownLine())
    const found = await findProcesses(place, scope)
    for (const process of found) signalProcess(process, 'SIGKILL')
    const nowMs = ending.effects.nowMonotonicMs()
    if (found.length === 0 || nowMs >= untilMs) return found
    await waitUntilGone(found, Math.min(untilMs, nowMs + SEARCH_AGAIN_MS), ending)
  }
}

async function waitUntilGone(processes: readonly ScopedProcess[], untilMs: number, ending: Ending): Promise<void> {
  const { effects, signal } = ending
  for (let pauseMs = LOOK_EVERY_MS.min; processes.some(isAlive); pauseMs = Math.min(pauseMs * 2, LOOK_EVERY_MS.max)) {
    const leftMs = untilMs - effects.nowMonotonicMs()
    if (leftMs <= 0) return
    await effects.sleep(Math.min(pauseMs, leftMs), signal)
  }
}
