import type { LogicalAddress, DiskGroup } from '../model/cluster-config.ts'
import type { DataServiceName, LogicalHostName } from '../model/names.ts'
import type { Leftover } from '../model/step.ts'

/** What must be stopped of one logical host when the guard fires; complete, so that the guard needs nobody's help. */
export interface Holding {
  readonly logicalHost: LogicalHostName
  readonly reconfiguration: number
  readonly generation: number
  readonly pathPrefix: string
  /** Services that are on, dependants first. `null` = has no such method. */
  readonly services: readonly {
    readonly name: DataServiceName
    /** Logical hosts the service is configured on, for argv[2] of its ABORT methods. */
    readonly logicalHosts: readonly LogicalHostName[]
    readonly abortNet: { readonly program: string; readonly timeoutMs: number } | null
    readonly abort: { readonly program: string; readonly timeoutMs: number } | null
  }[]
  readonly addresses: readonly { readonly address: LogicalAddress; readonly adapter: string }[]
  readonly diskGroups: readonly { readonly diskGroup: DiskGroup; readonly mountPoint: string }[]
}

/** What the guard knows about the life that this host led before the present clustd. */
export type FormerLife =
  /** None, or it ended in an orderly way: nothing is held. */
  | { readonly kind: 'none' }
  /** The guard process still watches, in the same boot; it has not fired and its deadline is ahead: a new clustd may carry that life on. */
  | { readonly kind: 'watching'; readonly incarnation: number; readonly deadlineMs: number }
  /** It fired, or was lost (another boot, no guard process): what it held may be partly there; `abortRemains` stops and proves. */
  | { readonly kind: 'ended' }

/**
 * The daemon's side of its guard (failfastd): a separate process that stops this host's logical hosts when the deadline passes.
 * The daemon may act only while `deadlineMs()` is ahead of the monotonic clock.
 */
export interface Guard {
  /** Starts or finds the guard process and gives it the deadline. Throws `GUARD_LOST`. */
  arm(deadlineMonotonicMs: number): Promise<void>
  /** Moves the deadline; only ever forward. Throws `GUARD_LOST` when the guard process does not answer and cannot be replaced: the host must then leave. */
  extend(deadlineMonotonicMs: number): Promise<void>
  /** The deadline that the guard has now; -Infinity when not armed. */
  deadlineMs(): number
  /** Tells what to stop, before any of it is started. Resolves once the guard can read it, whatever happens to this process then. */
  hold(holdings: readonly Holding[]): Promise<void>
  /** Stands the guard down after an orderly leave: nothing is held. */
  disarm(): Promise<void>
  /** Makes the guard stop everything now, this process included; `why` goes into its report. Resolves when the guard can read it (a deadline of 0); idempotent. */
  fire(why: string): Promise<void>
  /** Tells what is left of the life before this process, without changing anything. Asked before `arm`. */
  formerLife(): Promise<FormerLife>
  /**
   * Stops all that the former life held, by the same code as the guard's, and proves it gone. Resolves with what would not go; empty = proved.
   * A guard process that still watches is stood down first. Nothing held: empty at once.
   */
  abortRemains(): Promise<readonly Leftover[]>
  /** Tells the guard which life it guards, so that a later clustd can carry it on. Called once the host is a member, before anything is held. */
  live(incarnation: number): Promise<void>
}
