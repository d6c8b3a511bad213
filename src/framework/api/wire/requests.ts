/**
 * What an operator can ask for and a plan can be made of. `POST /v1/plans` shows the plan, `POST /v1/reconfigurations` carries it out.
 */
export type RequestJson =
  /** `haswitch HOST LH...`: move the logical hosts there; also ends their maintenance. */
  | { readonly kind: 'switchover'; readonly logicalHosts: readonly string[]; readonly to: string }
  /** `haswitch -m LH...`: nobody masters them until a switchover. */
  | { readonly kind: 'maintenance'; readonly logicalHosts: readonly string[] }
  /** `haswitch -r`: call the methods again with unchanged lists. */
  | { readonly kind: 'reconfigure' }
  /** `hareg -y SERVICE...`, `hareg -Y`: an empty list means all registered services. */
  | { readonly kind: 'services-on'; readonly services: readonly string[] }
  /** `hareg -n SERVICE...`, `hareg -N`: an empty list means all registered services. */
  | { readonly kind: 'services-off'; readonly services: readonly string[] }
  /** `scconf C -s SERVICE LH...` (add) and `scconf C -s -r SERVICE LH...` (remove). */
  | {
      readonly kind: 'service-hosts'
      readonly service: string
      readonly add: readonly string[]
      readonly remove: readonly string[]
    }
  /** `scadmin clear LH`: the leftovers are gone, or its budget of takeovers may be used again. */
  | { readonly kind: 'clear'; readonly logicalHost: string }

/** Body of `POST /v1/reconfigurations`. */
export interface SubmitRequest {
  readonly request: RequestJson
  /** Milliseconds to wait for a logical host that is in motion; default 30,000, at most 600,000. 0 = refuse at once (`LOGICAL_HOST_BUSY`). */
  readonly busyWaitMs?: number
}

/** Answer to `POST /v1/reconfigurations` and `POST /v1/plans/:id/apply`. */
export interface SubmittedJson {
  /** The reconfiguration that was committed and now runs; null = there was nothing to do. */
  readonly reconfiguration: number | null
  /** What the operator should know although it is done; one sentence each. For `services-on`: programs that a possible master cannot execute. */
  readonly warnings: readonly string[]
}

/** Body of `POST /v1/services`: one registration, as `hareg -r` takes it. */
export interface RegisterRequest {
  readonly name: string
  /** Method name to program; a path that is not absolute is joined to `baseDirectory`. At least one. */
  readonly methods: Readonly<Record<string, string>>
  /** Method name to seconds; the others get 60. Only of methods that are given. */
  readonly timeoutsS?: Readonly<Record<string, number>>
  /** `-b`; default empty. */
  readonly baseDirectory?: string
  /** `-d`; default none. */
  readonly dependsOn?: readonly string[]
  /** `-h`; left out: all logical hosts that exist now. Empty: none yet. */
  readonly logicalHosts?: readonly string[]
  /** `-v`; default empty. */
  readonly version?: string
  /** `-a`; default empty. */
  readonly apiVersion?: string
  /** `-p`; default none. */
  readonly packages?: readonly string[]
}

/** Answer to whatever changes the configuration. */
export interface ConfiguredJson {
  /** Revision of the cluster database after it; null = nothing had to be changed. */
  readonly revision: number | null
  /** What was changed, in order; empty = nothing. */
  readonly changes: readonly ConfigurationChangeJson[]
  /** Reconfigurations that carry out what the configuration asks for (services on or off), in order; usually empty. Follow the last one. */
  readonly reconfigurations: readonly number[]
  /** What the operator should know although it was done; one sentence each. */
  readonly warnings: readonly string[]
}

/** One thing that is (or would be) added, changed or removed. */
export interface ConfigurationChangeJson {
  readonly kind: 'add' | 'change' | 'remove'
  /** What it is, with its name: `logical host ha1`, `timeouts of the cluster`. */
  readonly what: string
  /** `field: old -> new`, one per field; for something new `field: value`; empty for a removal. */
  readonly lines: readonly string[]
  /** True for a removal that a file asks for only together with `prune`, and that therefore is not done. */
  readonly needsPrune: boolean
}

/** Answer to `POST /v1/leave` (`scadmin stopnode`). */
export interface LeftJson {
  /** What this host gave up and another one is still taking on; mostly empty. */
  readonly stillTakenOn: readonly {
    readonly logicalHost: string
    readonly by: string
    readonly reconfiguration: number
  }[]
}

/** Answer to `GET /v1/identity`: who answers. */
export interface IdentityJson {
  readonly cluster: string
  readonly physicalHost: string
  /** `HAVEN_ROOT`, absolute. */
  readonly root: string
  readonly pid: number
  readonly version: string
  readonly role: 'joining' | 'member' | 'leaving'
  /** Reconfiguration in which this host joined; 0 while joining. */
  readonly incarnation: number
}
