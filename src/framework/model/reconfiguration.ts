import type { DataService } from './cluster-config.ts'
import type { Member } from './cluster-state.ts'
import type { LogicalHostState, StartFailure } from './mastery.ts'
import type { DataServiceName, LogicalHostName, NetworkName, PhysicalHostName } from './names.ts'
import type { Half } from './step.ts'

/** How it is known that a host cannot act any more. */
export type LossEvidence =
  /** No new stamp for guard + abort + margin on the observer's own clock. */
  | 'expired'
  /** A fence agent confirmed it. */
  | 'fenced'
  /** An operator says that it is off (`scadmin confirm-down`). */
  | 'confirmed'
  /** The host itself came back, proved its former life ended, and cleaned up. */
  | 'restarted'

/** What a reconfiguration begins with. `by` is who asked: an operator's user name, or empty when Haven did by itself. */
export type Cause =
  | { readonly kind: 'cluster-started'; readonly host: PhysicalHostName }
  | { readonly kind: 'host-joined'; readonly host: PhysicalHostName }
  | { readonly kind: 'host-leaving'; readonly host: PhysicalHostName; readonly by: string }
  | {
      readonly kind: 'hosts-lost'
      readonly hosts: readonly {
        readonly host: PhysicalHostName
        readonly evidence: LossEvidence
        /** How long whoever gave it up had waited for a sign of life, milliseconds on its own clock. Absent = not known, or not waited for. */
        readonly silentMs?: number
        /** What proved it: the fence devices, or the operator who gave his word. Absent for any other loss. */
        readonly provedBy?: string
        /** Who asked for the fence, or gave his word: a user name. Absent = Haven found out by itself. */
        readonly operator?: string
        /** How long the fence took, milliseconds. */
        readonly tookMs?: number
        /**
         * For `expired`: the revision of the database that it had read when it stamped last. Absent = not known: nobody can be sure then whom it asks
         * for promises, and nobody takes over from it.
         */
        readonly seenRevision?: number
      }[]
    }
  | {
      readonly kind: 'switchover'
      readonly logicalHosts: readonly LogicalHostName[]
      readonly to: PhysicalHostName
      readonly by: string
    }
  /** A leaving host has given everything up. */
  | { readonly kind: 'host-left'; readonly host: PhysicalHostName }
  | { readonly kind: 'maintenance'; readonly logicalHosts: readonly LogicalHostName[]; readonly by: string }
  /** `haswitch -r`: call the methods again with unchanged lists. */
  | { readonly kind: 'reconfigure'; readonly by: string }
  | { readonly kind: 'services-on'; readonly services: readonly DataServiceName[]; readonly by: string }
  | { readonly kind: 'services-off'; readonly services: readonly DataServiceName[]; readonly by: string }
  /** A service is configured on further logical hosts, or no longer on some (`scconf -s`, `scconf -s -r`). */
  | {
      readonly kind: 'service-hosts'
      readonly service: DataServiceName
      readonly add: readonly LogicalHostName[]
      readonly remove: readonly LogicalHostName[]
      readonly by: string
    }
  /** A take-on or adjust half ended with a failed step. `service` is set when a START or START_NET failed. */
  | {
      readonly kind: 'half-failed'
      readonly logicalHost: LogicalHostName
      readonly host: PhysicalHostName
      readonly half: 'take-on' | 'adjust'
      readonly follows: number
      readonly start?: StartFailure
      readonly message: string
    }
  /** A give-up half ended well, but its destination is no longer fit. */
  | {
      readonly kind: 'heir-lost'
      readonly logicalHost: LogicalHostName
      readonly host: PhysicalHostName
      readonly follows: number
    }
  /** A backup group (or a lone adapter) is faulty on one host, while its network works for others. */
  | {
      readonly kind: 'interface-failed'
      readonly host: PhysicalHostName
      readonly network: NetworkName
      readonly group: string
    }
  /** An operator says that leftovers are gone or a budget may be used again (`scadmin clear`). */
  | { readonly kind: 'cleared'; readonly logicalHost: LogicalHostName; readonly by: string }
  /** Configuration changed, or something that can be mastered is not. */
  | { readonly kind: 'settle'; readonly why: string }

/** A change of the cluster's state that a plan (or the end of a half) asks to be committed. */
export type StateChange =
  | { readonly kind: 'logical-host'; readonly state: LogicalHostState }
  | { readonly kind: 'service'; readonly service: DataService }
  | { readonly kind: 'member-joined'; readonly member: Member }
  | { readonly kind: 'member-leaving'; readonly host: PhysicalHostName }
  | { readonly kind: 'member-gone'; readonly host: PhysicalHostName }

/** Why one logical host goes where it goes, one sentence. */
export interface Because {
  readonly logicalHost: LogicalHostName
  readonly sentence: string
}

/**
 * A plan: immutable, complete, the executor chooses nothing. What `haswitch --plan` prints, what the journal keeps, what
 * scenarios show and what the simulator runs. `changes` is what its commit writes; empty `changes` and `halves` = nothing to do.
 */
export interface Plan {
  readonly number: number
  readonly cause: Cause
  readonly because: readonly Because[]
  readonly halves: readonly Half[]
  readonly changes: readonly StateChange[]
  /** What the plan relied on beside what it changes; its commit is refused when any of it has changed since. */
  readonly basedOn: {
    readonly logicalHosts: readonly LogicalHostName[]
    readonly dataServices: readonly DataServiceName[]
    readonly members: readonly PhysicalHostName[]
  }
}

/** A committed plan as the journal keeps it; record `reconfigurations/<number>`. */
export interface Reconfiguration {
  readonly number: number
  readonly cause: Cause
  readonly because: readonly Because[]
  readonly halves: readonly Half[]
  readonly plannedBy: PhysicalHostName
  readonly atWallMs: number
}
