import type { DiskGroup, LogicalAddress } from '../model/cluster-config.ts'
import type { DataServiceName, LogicalHostName } from '../model/names.ts'
import type { Leftover } from '../model/step.ts'

/** An ABORT or ABORT_NET method of a service. */
export interface AbortMethod {
  readonly program: string
  readonly timeoutMs: number
}

/** A service of a holding. */
export interface HeldService {
  readonly name: DataServiceName
  /** Logical hosts the service is configured on, for argv[2] of its ABORT methods. */
  readonly logicalHosts: readonly LogicalHostName[]
  /** `null` = has no such method. */
  readonly abortNet: AbortMethod | null
  readonly abort: AbortMethod | null
}

/** What must be stopped of one logical host when the guard fires; complete, so that the guard needs nobody's help. */
export interface Holding {
  readonly logicalHost: LogicalHostName
  readonly reconfiguration: number
  readonly generation: number
  readonly pathPrefix: string
  /** Services that are on, dependants first. */
  readonly services: readonly HeldService[]
  readonly addresses: readonly { readonly address: LogicalAddress; readonly adapter: string }[]
  /** In the order of their import; they are exported in reverse. */
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
 *
 * Order of calls: `formerLife`, then `abortRemains` and `prepare` if that life cannot be carried on; `arm`, `live`; then `hold` and `extend` as needed; at
 * last `disarm`.
 */
export interface Guard {
  /**
   * Tells what is left of the life before this process, without changing anything. Asked before `arm`.
   * Throws `CLUSTD_RUNNING` when the daemon of that life is still alive.
   */
  formerLife(): Promise<FormerLife>
  /**
   * Stops all that the former life held, by the same code as the guard's, and proves it gone. Resolves with what would not go; empty = proved.
   * A guard process that still watches is stood down first; one that has fired is waited for, up to 15 s. Nothing held: empty at once.
   */
  abortRemains(): Promise<readonly Leftover[]>
  /**
   * Starts the guard process, which watches nothing yet: `arm` then takes none of the time of the first stamp. It ends by itself when this process does,
   * or when it is not armed within a minute. Throws `GUARD_LOST`.
   */
  prepare(): Promise<void>
  /**
   * Starts or finds the guard process and gives it the deadline; resolves once it has confirmed that, in 0.1 s when it has to be started.
   * Throws `GUARD_LOST`, also when the guard that was found fires meanwhile: then that life has ended.
   */
  arm(deadlineMonotonicMs: number): Promise<void>
  /** Tells the guard which life it guards, so that a later clustd can carry it on. Called once the host is a member, before anything is held. */
  live(incarnation: number): Promise<void>
  /**
   * Moves the deadline, after a stamp that was committed: time it was sent + guardMs. One earlier than the present deadline is ignored.
   * Throws `DEADLINE_PASSED` when the present one has passed: nothing revives it. Throws `GUARD_LOST` when the guard process does not
   * answer and cannot be replaced, or its files cannot be written: the host must then leave.
   */
  extend(deadlineMonotonicMs: number): Promise<void>
  /**
   * The deadline that the guard has now, to be compared with the monotonic clock; -Infinity when not armed. Time for which the machine slept
   * is taken off; after a jump of the wall clock it is -Infinity until a stamp that was sent after the jump has extended it.
   */
  deadlineMs(): number
  /**
   * Tells what to stop, all of it, before any of it is started. Resolves once the guard can read it, whatever happens to this process then.
   * Throws `GUARD_LOST` when it cannot be written: what it was for must not begin. Many calls at once cost little more than one.
   */
  hold(holdings: readonly Holding[]): Promise<void>
  /** Stands the guard down for good after an orderly leave: nothing is held. Resolves when it has ended. Idempotent. */
  disarm(): Promise<void>
  /** Makes the guard stop everything now, this process included; `why` goes into its report. Resolves when the guard can read it; idempotent. */
  fire(why: string): Promise<void>
}
