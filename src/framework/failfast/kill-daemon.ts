import { isAlive, type ProcessFacts, readAllProcesses, readProcess, signalProcess } from '../../methods/proc.ts'
import { createTagLook } from '../../methods/tagged-processes.ts'
import type { Effects } from '../ports/effects.ts'
import type { ProcessIdentity } from './guard-orders.ts'
import { within } from './within.ts'

/** After KILL a process runs no code of its own any more, even if the kernel still holds it; this is for the report. */
const GONE_WITHIN_MS = 100
const LOOK_EVERY_MS = 2
/** Commands of drivers that a dead clustd left are searched for this long at most; more would cost the ABORT methods their time. */
const SEARCH_MS = 250
/** A family that still grows after so many looks is not stopped by looking. */
const LOOKS_MAX = 5

/**
 * Ends clustd and all that it had under way on this host, before anything else is done: what is stopped afterwards must not be started again.
 *
 * clustd is stopped first, so that it starts nothing more, then its descendants are found: methods in flight and commands of drivers (mount, fsck, ip).
 * Had it ended before, its commands are found by the tag that drivers give them; its methods by the scope of their logical host, later. Never throws.
 * Returns one line for each that was ended. (Linux could pin a process by a pidfd; Node.js cannot, so the start time is compared right before each signal.)
 */
export async function endDaemon(
  clustd: ProcessIdentity,
  hostKey: string,
  effects: Effects,
): Promise<readonly string[]> {
  const daemon = readProcess(clustd.pid)
  const isThere = daemon !== undefined && daemon.startTicks === clustd.startTicks
  const family = isThere ? stopFamily(daemon) : []
  for (const member of family) signalProcess(member, 'SIGKILL')
  const found = await within(effects, effects.nowMonotonicMs() + SEARCH_MS, () => findDriverCommands(hostKey))
  const commands = found.kind === 'done' ? found.value : []
  for (const command of commands) signalProcess(command, 'SIGKILL')
  const ended = [...family, ...commands]
  await waitUntilGone(ended, effects)
  const lines = ended.map((process) => describe(process, isThere && process.pid === clustd.pid))
  return isThere ? lines : ['clustd had ended before', ...lines]
}

/** Stops a process and all that descend from it, the guard itself excepted; looks again until there is no new one. */
function stopFamily(daemon: ProcessFacts): readonly ProcessFacts[] {
  signalProcess(daemon, 'SIGSTOP')
  const family = new Map([[daemon.pid, daemon]])
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const children = readAllProcesses().filter(
      ({ pid, parent }) => family.has(parent) && !family.has(pid) && pid !== process.pid,
    )
    if (children.length === 0) break
    for (const child of children) {
      signalProcess(child, 'SIGSTOP')
      family.set(child.pid, child)
    }
  }
  return [...family.values()]
}

async function findDriverCommands(hostKey: string): Promise<readonly ProcessFacts[]> {
  // No logical host is called `-`: by this the drivers' own commands are told from methods.
  const prefix = `${hostKey}/-/`
  const tags = await createTagLook(hostKey)()
  return [...tags].flatMap(([pid, tag]) => (tag.startsWith(prefix) ? (readProcess(pid) ?? []) : []))
}

async function waitUntilGone(processes: readonly ProcessFacts[], effects: Effects): Promise<void> {
  const untilMs = effects.nowMonotonicMs() + GONE_WITHIN_MS
  while (processes.some(isAlive) && effects.nowMonotonicMs() < untilMs) await effects.sleep(LOOK_EVERY_MS)
}

function describe(process: ProcessFacts, isClustd: boolean): string {
  const what = isClustd ? `clustd (process ${process.pid})` : `process ${process.pid} ${process.command} of clustd`
  return isAlive(process) ? `${what} killed, and still held by the kernel` : `${what} killed`
}
