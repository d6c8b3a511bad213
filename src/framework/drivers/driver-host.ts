import { join } from 'node:path'
import type { Effects } from '../ports/effects.ts'
import type { ProcSearch } from '../ports/proc-search.ts'

/** The physical host that a driver works for, and what it needs of the world. */
export interface DriverHost {
  readonly cluster: string
  readonly physicalHost: string
  /** `HAVEN_ROOT`: mount points lie below it. */
  readonly root: string
  /** The key that the tags of this host's processes begin with (`hostKey` of the method runner). */
  readonly scope: string
  readonly effects: Effects
  /**
   * Finds the processes that carry a tag of this host, by pid; what was there before the question is found. Absent: a driver looks for itself. It is the
   * look of the method runner, so that the proof of a release costs one.
   */
  readonly lookForTags?: () => Promise<ReadonlyMap<number, string>>
  /** Searches memory maps; default: a `grep`. */
  readonly searchProc?: ProcSearch
  /** Time between TERM and KILL for processes that hold a disk group, ms. The guard, which has no time, gives less. */
  readonly termGraceMs?: number
}

/** A process that holds a disk group has been through STOP and ABORT before: what is still there does not listen to TERM much longer than this. */
export const TERM_GRACE_MS_DEFAULT = 1_000

/** Puts a path of the configuration below the root of the host. */
export function belowRoot(host: Pick<DriverHost, 'root'>, path: string): string {
  return join(host.root, path)
}
