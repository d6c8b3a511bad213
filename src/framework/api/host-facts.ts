import type { FenceDevice } from '../model/fencing.ts'
import type { Effects } from '../ports/effects.ts'
import type { CheckedProgramJson, MessageJson } from './wire.ts'

/** What the API has to know of the world beside the cluster; `readLocalFacts` is that of a real host. */
export interface HostFacts {
  readonly effects: Pick<Effects, 'nowMonotonicMs' | 'nowWallMs'>
  /** Returns those of the programs that cannot be executed on this host now; empty also when that cannot be known. */
  missingPrograms(programs: readonly string[]): Promise<readonly string[]>
  /** Tells what programs are on this host now, in their order. Throws `METHOD_FAILED` when that cannot be known. */
  checkPrograms(programs: readonly string[]): Promise<readonly CheckedProgramJson[]>
  /** Says what is wrong with a fence device, one sentence each, as far as this host can tell. Absent: it can tell nothing. */
  checkFenceDevice?(device: FenceDevice): Promise<readonly string[]>
  /** Returns the IP address of a host name as this host knows it; undefined = it knows none. */
  lookUp(name: string): Promise<string | undefined>
  /** Says what is to be known of the voters of an etcd that Haven runs, one sentence each, as this host saw them last. Absent, or empty: nothing. */
  voterWarnings?(): readonly string[]
  /** Returns the last lines of this host's log, oldest first, at most `max`. */
  recentMessages(max: number): readonly MessageJson[]
}
