import type { DiskGroup } from '../model/cluster-config.ts'
import type { DiskGroupName, LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { Action, Leftover } from '../model/step.ts'

/** A disk group and where it appears, an absolute path below `HAVEN_ROOT`. */
export interface PlacedDiskGroup {
  readonly diskGroup: DiskGroup
  readonly mountPoint: string
}

/** What every step is told beside its action. */
export interface StepCall {
  readonly logicalHost: LogicalHostName
  readonly reconfiguration: number
  readonly generation: number
  /** The incarnation of this host. */
  readonly incarnation: number
  /** Every physical host of the cluster. */
  readonly physicalHosts: readonly PhysicalHostName[]
  readonly timeoutMs: number
  /** argv[1] and argv[2] for a method; both empty for other actions. */
  readonly lists: readonly [string, string]
  /** Finds the configuration of a disk group of the logical host and where it appears; undefined when it was removed meanwhile. */
  diskGroup(name: DiskGroupName): PlacedDiskGroup | undefined
  /** Aborts when the step's time is up or the host may no longer act: the hands end what they began and settle soon. */
  readonly signal: AbortSignal
}

/** How a step ended, as the hands saw it. */
export type HandsOutcome =
  /** `output`: what a method printed, already bounded; empty for other actions. */
  | { readonly kind: 'done'; readonly output: readonly string[] }
  /** `leftovers`: what is still there, for `export`, `end-processes` and `prove-released`; empty for others. */
  | {
      readonly kind: 'failed'
      readonly message: string
      readonly output: readonly string[]
      readonly leftovers: readonly Leftover[]
    }
  | { readonly kind: 'timed-out'; readonly message: string; readonly output: readonly string[] }

/** The action of one kind. */
export type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>

/**
 * What carries the steps of a half out: one function per kind of action. There are two pairs: the real ones over drivers and methods, and those of the
 * simulation. Every action is idempotent and may be cut anywhere. A rejection with an error counts as failed; an assertion is a bug and ends the daemon.
 */
export type Hands = {
  readonly [Kind in Action['kind']]: (action: ActionOf<Kind>, call: StepCall) => Promise<HandsOutcome>
}

/** A step that went well without anything to show. */
export const DONE: HandsOutcome = { kind: 'done', output: [] }
