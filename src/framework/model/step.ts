import type { LogicalAddress, MethodName } from './cluster-config.ts'
import type { DataServiceName, DiskGroupName, LogicalHostName, PhysicalHostName } from './names.ts'

/** What happens after a step that failed. */
export type AfterFailure =
  /** The half ends here; the loop asks the planner what next. */
  | { readonly kind: 'end-half' }
  /** The failure is written into the timeline and the half goes on. */
  | { readonly kind: 'note' }
  /** The ladder: these steps run instead, then the half goes on with the step behind the one that failed. */
  | { readonly kind: 'ladder'; readonly steps: readonly Step[] }

/** What a step does. Every action is idempotent: done already means success. */
export type Action =
  /** Take ownership, check and mount. `force` takes it from the hosts in `lostHosts`, which must be expired or fenced. */
  | {
      readonly kind: 'import'
      readonly diskGroup: DiskGroupName
      /** Where it appears, absolute, below `HAVEN_ROOT`. */
      readonly mountPoint: string
      readonly force: boolean
      readonly lostHosts: readonly PhysicalHostName[]
    }
  /** End who still holds it, unmount, give ownership up. */
  | { readonly kind: 'export'; readonly diskGroup: DiskGroupName; readonly mountPoint: string }
  | {
      readonly kind: 'address-up'
      readonly address: LogicalAddress
      readonly adapter: string
      /** Its last holder proves in the same reconfiguration that it has let go of it: nobody has to be looked for who has it. Absent = not so. */
      readonly isReleased?: true
    }
  | { readonly kind: 'address-down'; readonly address: LogicalAddress; readonly adapter: string }
  /** Call a method. argv[1] and argv[2] are made when it is called, from what the host then serves (`execute/served.ts`). */
  | {
      readonly kind: 'method'
      readonly service: DataServiceName
      readonly method: MethodName
      readonly program: string
    }
  /** TERM, then KILL, every process that the methods of the service (of all services when absent) left on this logical host. */
  | { readonly kind: 'end-processes'; readonly service: DataServiceName | 'all' }
  /** Look for processes, mounts and addresses of the logical host that are still here; any makes the step fail. */
  | {
      readonly kind: 'prove-released'
      readonly diskGroups: readonly DiskGroupName[]
      readonly addresses: readonly { readonly address: LogicalAddress; readonly adapter: string }[]
    }

/** One thing to do on one host. */
export interface Step {
  readonly action: Action
  /** The step is ended by force after this long. */
  readonly timeoutMs: number
  readonly ifItFails: AfterFailure
}

/**
 * The part of a plan that one host executes for one logical host, in order.
 *
 * - `give-up` runs while the mastery is `givingUp(by host)`; its end is committed as released, or stuck.
 * - `take-on` runs while the mastery is `takingOn(by host)`; its end is committed as mastered.
 * - `adjust` runs while the mastery is `adjusting(by host)`: services switched on or off in place.
 * - `watch-stop` (fault monitors off) runs on the other possible masters as soon as they see the plan; nobody waits for it.
 * - `watch-start` (fault monitors on) runs on every possible master once the logical host is mastered by this plan; nobody waits for it.
 */
export interface Half {
  readonly logicalHost: LogicalHostName
  readonly host: PhysicalHostName
  readonly kind: 'give-up' | 'take-on' | 'adjust' | 'watch-stop' | 'watch-start'
  readonly steps: readonly Step[]
}

/** Kinds of halves. */
export type HalfKind = Half['kind']

/** Something of a logical host that is still on a physical host although it should not be. */
export interface Leftover {
  readonly kind: 'process' | 'mount' | 'address' | 'disk-group'
  /** What it is: `process 4711 postgres (pgdata)`, `/ha1`, `10.0.0.11 on eth0`. */
  readonly what: string
  /** A command that clears it, or what to do in words. */
  readonly remedy: string
}
