import type { NetworkVerdict } from '../membership/networks.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import type { Fence, FenceDeviceStatus } from '../model/fencing.ts'
import type { GuardReport } from '../model/guard-report.ts'
import type { ClusterName, FenceDeviceName, LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { GroupSight } from '../model/network.ts'
import type { Cause, Plan, Reconfiguration } from '../model/reconfiguration.ts'
import type { HalfRun, Progress } from '../model/timeline.ts'
import type { Snapshot } from '../ports/cluster-database.ts'
import type { AdapterVerdict } from '../supervise/adapter-verdict.ts'

export type { GuardReport } from '../model/guard-report.ts'

/** What the API needs of the daemon. The daemon implements it; tests of the API run it over the memory database and simulated hands. */
export interface ApiServices {
  /** Tells who answers. */
  identity(): Identity
  /** Returns what this host has read of the cluster last; never older than what `submit` and `configure` of this host committed. */
  state(): ClusterState
  /** Tells for each member how long ago, on this host's monotonic clock, its present stamp was first seen; milliseconds. Own stamp: since it was sent. */
  stampAges(): ReadonlyMap<PhysicalHostName, number>
  /** Tells since when the cluster database takes no stamp of this host, and how long it may act all the same; undefined while it does. */
  databaseAway(): DatabaseAway | undefined
  /** Says what each configured network is, by what all members see; in order of their names. */
  networks(): readonly NetworkVerdict[]
  /** Says what keeps heartbeats of this host from going out or coming in, one sentence each; empty = nothing. */
  heartbeatTroubles(): readonly string[]
  /** Returns the kept reconfigurations, oldest first; at most the bound of the journal. */
  reconfigurations(): readonly Reconfiguration[]
  /** Returns the halves of a reconfiguration that have ended, in order of their start; empty when unknown. */
  halfRuns(reconfiguration: number): readonly HalfRun[]
  /** Returns the steps that have been running for a while, on any host. */
  progress(): readonly Progress[]
  /** Returns what members cannot execute although they may have to, as each found when it last looked; members that miss nothing are left out. */
  missingPrograms(): ReadonlyMap<PhysicalHostName, readonly string[]>
  /** Plans without committing. Throws what the planner throws. The plan is remembered, bounded and for a bounded time, under `id`. */
  preview(cause: Cause): { readonly id: string; readonly plan: Plan }
  /**
   * Plans, checks and commits. Returns the number of the reconfiguration, or null when there is nothing to do.
   * A logical host that is in motion is waited for, up to `busyWaitMs`; then `LOGICAL_HOST_BUSY`. Throws what the planner throws, `LOST_RACE`, `DATABASE_*`.
   */
  submit(cause: Cause, options: { readonly busyWaitMs: number }): Promise<number | null>
  /** Commits a plan shown earlier. Throws `NOT_FOUND` (never shown here, or too long ago) or `PLAN_STALE` when what it was based on has moved. */
  apply(planId: string): Promise<number | null>
  /**
   * Changes the configuration: `decide` is given the state and returns the changes (or throws why not); they are committed if nothing they touch
   * has changed meanwhile, else `decide` is asked again. Plans `settle` afterwards when there is something to settle. Returns the revision.
   */
  configure(decide: (state: ClusterState) => readonly ConfigurationChange[]): Promise<number>
  /** Resolves when the state, the journal or the progress has changed after `revision` (returns the new revision), or `withinMs` has passed (returns `revision`). */
  changed(revision: number, withinMs: number, signal: AbortSignal): Promise<number>
  /** Begins the orderly leave of this host; the daemon ends after it. Resolves when everything is given up and the host has left, with what others still take on of it. Rejects with why it cannot. */
  leave(by: string): Promise<readonly StillTakenOn[]>
  /** Returns what this host sees of its public adapters; empty when none are configured. */
  publicGroups(): readonly PublicGroupSeen[]
  /** Moves the addresses of a backup group of this host to one of its adapters. Throws `NOT_FOUND`, `INTERFACE_FAILED`. */
  switchAdapter(group: string, adapter: string): Promise<void>
  /** Reads the whole database, for backups. */
  snapshot(): Promise<Snapshot>
  /** Replaces the configuration by that of a backup that was checked already. Refused (`IN_USE`) while any logical host is mastered. */
  restore(records: Snapshot['records']): Promise<void>
  /** Returns the last fence of each host that was ever fenced. */
  fences(): readonly Fence[]
  /** Returns what fence devices said when members asked them last. */
  fenceStatus(): readonly FenceDeviceStatus[]
  /**
   * Fences a host by an operator's order. Resolves when a device has confirmed it; `reconfiguration` null = the host was no member. Throws `FENCE_FAILED`,
   * `HOST_ALIVE` unless `evenIfAlive`, `NOT_FOUND`, `LOST_RACE`, `DATABASE_*`.
   */
  fence(order: FenceByHand & { readonly evenIfAlive: boolean }): Promise<FencedByHand>
  /** Takes an operator's word that a host is off. Returns the reconfiguration, null = it was no member. Throws `HOST_ALIVE`, `NOT_FOUND`, `LOST_RACE`, `DATABASE_*`. */
  confirmDown(order: FenceByHand): Promise<number | null>
  /** Returns reports of what the guard of this host stopped in former lives, newest first; bounded. */
  guardReports(): readonly GuardReport[]
}

/** A cluster database that does not take this host's stamps. */
export interface DatabaseAway {
  /** Milliseconds since the last stamp that was taken. */
  readonly awayForMs: number
  /** Milliseconds for which this host may act as things are; moves on as long as everybody in `promisedBy` promises to take nothing over. */
  readonly actsForMs: number
  /** Hosts that have to promise so; empty when it holds nothing that another host could take over. */
  readonly promisedBy: readonly PhysicalHostName[]
}

/** Who wants which host fenced, or says that it is off, and why. */
export interface FenceByHand {
  readonly host: PhysicalHostName
  /** User name. */
  readonly operator: string
  readonly reason: string
}

/** What came of a fence. */
export interface FencedByHand {
  readonly confirmed: { readonly devices: readonly FenceDeviceName[]; readonly tookMs: number }
  readonly reconfiguration: number | null
}

/** A backup group of this host, or an adapter that is a group of its own, with what its tests say. */
export interface PublicGroupSeen {
  readonly sight: GroupSight
  readonly tests: ReadonlyMap<string, AdapterVerdict>
  /** Null: its addresses have not moved in the life of this clustd. */
  readonly secondsSinceMoved: number | null
}

/** A logical host that one host gave up and another has not taken on yet. */
export interface StillTakenOn {
  readonly logicalHost: LogicalHostName
  readonly by: PhysicalHostName
  /** The number of the reconfiguration that does it. */
  readonly reconfiguration: number
}

/** Who answers. */
export interface Identity {
  readonly cluster: ClusterName
  readonly physicalHost: PhysicalHostName
  /** `HAVEN_ROOT`, absolute. */
  readonly root: string
  readonly pid: number
  readonly version: string
  /** `joining` until the host is a member. */
  readonly role: 'joining' | 'member' | 'leaving'
  /** 0 while joining. */
  readonly incarnation: number
}
