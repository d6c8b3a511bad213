import type { PlanInput } from '../execute/commit-plan.ts'
import type { Hands, PlacedDiskGroup } from '../execute/hands.ts'
import type { GuardReport } from '../model/guard-report.ts'
import type { ClusterName, LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { ClusterDatabase } from '../ports/cluster-database.ts'
import type { ImportCall } from '../ports/disk-group-driver.ts'
import type { Effects } from '../ports/effects.ts'
import type { FenceAgents } from '../ports/fence-agents.ts'
import type { Guard } from '../ports/guard.ts'
import type { Log } from '../ports/log.ts'
import type { Peers } from '../ports/peers.ts'
import type { PublicAdapters } from '../ports/public-adapters.ts'

/** All that the loop of a host is made of. It reaches nothing else: with simulated parts it runs unchanged on virtual time. */
export interface HostParts {
  readonly host: PhysicalHostName
  /** The cluster that this host was set up for. */
  readonly cluster: ClusterName
  /** This host's own connection; the loop closes it. */
  readonly database: ClusterDatabase
  readonly effects: Effects
  /** Datagrams to and from the other hosts; the loop closes it. `silentPeers()` where there is no network for them. */
  readonly peers: Peers
  /** Switches other hosts off; absent: nothing that is configured can be asked. */
  readonly fenceAgents?: FenceAgents
  readonly hands: Hands
  readonly guard: Guard
  /** Looks after the reservations of a disk group that is imported here (`DiskGroupDriver.keep`); absent: there are no reservations. */
  readonly keepReservations?: (held: PlacedDiskGroup, call: ImportCall) => Promise<void>
  readonly log: Log
  /** Absent: this host has no adapters that could be looked at, as in the simulation. */
  readonly publicAdapters?: PublicAdapters
  /**
   * Ends what a clustd that was killed had under way on this host: methods and commands of drivers outlive it, and would act beside their own repetition.
   * Daemons that methods started run on. Resolves when nothing of it runs any more; nothing there: at once.
   */
  endStrays(): Promise<void>
  /** Absolute path of the administrative file system of a logical host, for the guard's ABORT methods. */
  pathPrefixOf(logicalHost: LogicalHostName): string
  /** For people who ask who answers. */
  readonly identity: { readonly root: string; readonly pid: number; readonly version: string }
  readonly settings: LoopSettings
  /** Told that methods will be called and addresses moved here soon; absent: there is nothing to make ready. */
  readonly expectCalls?: () => void
  /** Keeps what a plan was made from. Never throws, never waits. */
  recordPlan(input: PlanInput): void
  /**
   * Returns those of the programs that cannot be executed on this host, in their order. Bounded in time, also when a disk hangs; throws `METHOD_FAILED` when
   * nothing can be known.
   */
  missingPrograms(programs: readonly string[], signal: AbortSignal): Promise<readonly string[]>
  /** What the guard of this host stopped in former lives, newest first; bounded. */
  guardReports(): readonly GuardReport[]
}

/** Figures of the loop that are not part of the cluster's configuration. */
export interface LoopSettings {
  /** The whole database is read again this often, as a net below the watch. */
  readonly rereadMs: number
  /** Reconfigurations kept in the journal. */
  readonly journalMax: number
}

/** Seldom enough to cost nothing, often enough that a change which the watch lost is acted on within seconds. */
export const LOOP_SETTINGS: LoopSettings = { rereadMs: 5_000, journalMax: 200 }
