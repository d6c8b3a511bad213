import { readFileSync } from 'node:fs'
import { HaError } from '../framework/errors/ha-error.ts'
import { findCgroupHome, methodCgroupOf } from './cgroup.ts'
import { readProcess } from './proc.ts'
import { tagOf } from './scope-names.ts'

/** What a look has found out of each process there was: its tag, undefined = none of this host. */
export type Verdicts = ReadonlyMap<number, string | undefined>

/** An earlier look. */
export interface EarlierLook {
  /** When it began, clock ticks since boot. */
  readonly atTicks: number
  readonly verdicts: Verdicts
}

/** A process that is found without a tag this soon after its start may just be on its way to become a method. */
const SETTLED_TICKS = 100

/**
 * Judges processes that hang in the kernel with their memory locked, so that their tag cannot be read: by their cgroup, else by what the last look has found.
 *
 * If neither says that a process is of this host, and the host keeps cgroups (`keepsCgroups`), it is not. This is safe: a method enters its cgroup before it
 * becomes the method, all that it starts is born there, and none can leave by itself. One that somebody else has moved out (a login session) is known from an
 * earlier look or by its parent; and whether it still holds a disk group or an address is proved by looks at those, which need no lock. Where no cgroups can
 * be made the tag is all there is: one that was never read may be anything then, and no proof can be given: throws `METHOD_FAILED`.
 */
export function judgeHung(
  hostKey: string,
  pids: readonly number[],
  earlier: EarlierLook | undefined,
  keepsCgroups = (): boolean => findCgroupHome(hostKey) !== undefined,
): Verdicts {
  const verdicts = new Map<number, string | undefined>()
  const unknown: string[] = []
  for (const pid of pids) {
    const process = readProcess(pid)
    if (process === undefined) continue
    const scope = methodCgroupOf(hostKey, pid)
    const known = scope === undefined ? earlierVerdict(earlier, process) : { tag: tagOf(hostKey, scope) }
    if (known !== undefined) verdicts.set(pid, known.tag)
    else unknown.push(`process ${pid} (${process.command})`)
  }
  if (unknown.length > 0 && !keepsCgroups()) throw cannotTell(unknown)
  return verdicts
}

/** Clock ticks since boot, as in the start times of processes: both are counted in hundredths of a second on every machine that Node.js runs on. */
export function readTicks(): number {
  return Math.floor(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 100)
}

/** Who has this pid now and had started before the look is whom the look has read. */
function earlierVerdict(
  earlier: EarlierLook | undefined,
  { pid, startTicks }: { readonly pid: number; readonly startTicks: number },
): { readonly tag: string | undefined } | undefined {
  if (earlier?.verdicts.has(pid) !== true || startTicks >= earlier.atTicks) return undefined
  const tag = earlier.verdicts.get(pid)
  return tag === undefined && startTicks >= earlier.atTicks - SETTLED_TICKS ? undefined : { tag }
}

function cannotTell(unknown: readonly string[]): HaError {
  return new HaError('METHOD_FAILED', 'processes hang in the kernel, and nothing tells whether they are of a method', {
    details: unknown,
    hint: 'Bring back what they wait for (a disk, a file server), or reboot this host. Where clustd can make cgroups, it can tell.',
  })
}
