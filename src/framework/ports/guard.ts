import type { LogicalAddress, DiskGroup } from '../model/cluster-config.ts'
import type { DataServiceName, LogicalHostName } from '../model/names.ts'

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
}
