import type { MethodName } from './cluster-config.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from './names.ts'
import type { Leftover } from './step.ts'

/** Why nobody masters a logical host. */
export type UnmasteredWhy =
  /** Configured just now; never mastered. */
  | 'new'
  /** Deliberately without a master (`haswitch -m`); survives everything but a switchover. */
  | 'maintenance'
  /** None of its possible masters is a member that may take it on. */
  | 'no-possible-master'
  /** It was taken over too often within the window of the budget; `haswitch` or `scadmin clear` ends this. */
  | 'too-many-takeovers'
  /** Taking it on failed on every possible master for a reason other than a service (disk group, address). */
  | 'cannot-be-taken-on'

/** Where a logical host goes once it is given up. */
export type Destination =
  | { readonly kind: 'to'; readonly host: PhysicalHostName }
  | { readonly kind: 'nobody'; readonly why: UnmasteredWhy }

/**
 * The life of one logical host (ARCHITECTURE.md has the picture). `by` and `on` name the actor: only it, or an eviction of it, may
 * commit the next state; others ask by committing `mastered(x)` -> `givingUp(x)` or `adjusting(x)`.
 */
export type Mastery =
  /** `uncleanOn`: lost hosts that may have left the disk groups imported; empty after a clean release. */
  | { readonly kind: 'unmastered'; readonly why: UnmasteredWhy; readonly uncleanOn: readonly PhysicalHostName[] }
  | { readonly kind: 'takingOn'; readonly by: PhysicalHostName; readonly uncleanOn: readonly PhysicalHostName[] }
  | { readonly kind: 'mastered'; readonly by: PhysicalHostName }
  /** Mastered, with services being switched on or off in place. */
  | { readonly kind: 'adjusting'; readonly by: PhysicalHostName }
  /** `uncleanOn`: not empty when a take-on of unclean disk groups failed half-way; whoever is next may still have to force the import. */
  | {
      readonly kind: 'givingUp'
      readonly by: PhysicalHostName
      readonly destination: Destination
      readonly uncleanOn: readonly PhysicalHostName[]
    }
  | {
      readonly kind: 'stuck'
      readonly on: PhysicalHostName
      readonly leftovers: readonly Leftover[]
      readonly destination: Destination
      readonly uncleanOn: readonly PhysicalHostName[]
    }

/** A service that would not start on a host, remembered until it starts there, the host joins anew, or an operator acts. */
export interface StartFailure {
  readonly service: DataServiceName
  readonly host: PhysicalHostName
  readonly method: MethodName
  /** The reconfiguration in which it failed. */
  readonly reconfiguration: number
  readonly message: string
}

/** A host that could not take the logical host on for a reason that is not a service: a disk group or an address. It is tried again a few times. */
export interface TakeOnFailure {
  readonly host: PhysicalHostName
  /** Wall clock of the last try. */
  readonly atWallMs: number
  /** Tries that failed in a row, at least 1. */
  readonly tries: number
  readonly reconfiguration: number
  readonly message: string
}

/** A list of possible masters that was replaced. */
export interface FormerList {
  readonly physicalHosts: readonly PhysicalHostName[]
  /** A revision of the cluster database at which it still held. */
  readonly heldAt: number
}

/** Lists kept: who has not seen so many changes is so far behind that nobody is sure whom it asks. */
export const FORMER_LISTS_MAX = 4

/** Everything that changes about one logical host; record `mastery/<name>`. Absent = unmastered, new, generation 0. */
export interface LogicalHostState {
  readonly name: LogicalHostName
  readonly mastery: Mastery
  /** Grows by one with each change of `mastery`; whoever acts on an older one is refused. */
  readonly generation: number
  /** The reconfiguration whose halves are (or were last) executed for it; 0 = none yet. */
  readonly reconfiguration: number
  /** Wall clock of the last change, for people. */
  readonly sinceWallMs: number
  /** At most one per service and host. */
  readonly startFailures: readonly StartFailure[]
  /** At most one per host. */
  readonly takeOnFailures: readonly TakeOnFailure[]
  /** Services that are on but that it is mastered without, because they start nowhere. */
  readonly without: readonly DataServiceName[]
  /** A more preferred host that joined while this logical host was in motion: it moves there once it is mastered. Null = none. */
  readonly switchbackTo: PhysicalHostName | null
  /** Wall clock of the latest takeovers, oldest first; at most `takeoversMax` + 1 are kept. */
  readonly takeoversWallMs: readonly number[]
  /** Lists of possible masters before the present one, oldest first, at most `FORMER_LISTS_MAX`. */
  readonly formerLists: readonly FormerList[]
  /**
   * While a host that was given up for its silence may still hold it: the possible masters that host knew of. Without the database it asks those, and
   * those alone, to promise not to take over, so nobody else may. Null = whoever is a possible master.
   */
  readonly heirs: readonly PhysicalHostName[] | null
}

/** The host that acts on the logical host now, or undefined when nobody does. */
export function actorOf(mastery: Mastery): PhysicalHostName | undefined {
  switch (mastery.kind) {
    case 'unmastered':
      return undefined
    case 'stuck':
      return mastery.on
    default:
      return mastery.by
  }
}

/** The lost hosts that may have left the disk groups imported; empty once they were imported well or released with proof. */
export function uncleanOf(mastery: Mastery): readonly PhysicalHostName[] {
  return mastery.kind === 'mastered' || mastery.kind === 'adjusting' ? [] : mastery.uncleanOn
}

/** Whether something is under way: a half of a plan is to be executed by its actor. */
export function isInMotion(mastery: Mastery): boolean {
  return mastery.kind === 'takingOn' || mastery.kind === 'givingUp' || mastery.kind === 'adjusting'
}

/** The host that holds the logical host for clients: mastered or being adjusted. Undefined in every other state. */
export function masterOf(mastery: Mastery): PhysicalHostName | undefined {
  return mastery.kind === 'mastered' || mastery.kind === 'adjusting' ? mastery.by : undefined
}
