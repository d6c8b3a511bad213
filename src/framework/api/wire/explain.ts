/** Answer to `GET /v1/logical-hosts/:name/explain` (`scadmin explain LH`). */
export interface ExplainJson {
  readonly logicalHost: string
  /** What it does now, one sentence. */
  readonly sentence: string
  /** Why it is where it is. */
  readonly why: readonly string[]
  /** Each possible master in order of preference. */
  readonly hosts: readonly ExplainHostJson[]
  /** What would move it, one sentence each; may be empty. */
  readonly wouldMove: readonly string[]
  /** The reconfiguration that changed it last; null = none, or no longer kept. */
  readonly lastChange: {
    readonly reconfiguration: number
    readonly atWallMs: number
    readonly cause: string
    readonly because: string
  } | null
}

/** Why a possible master is, or is not, the master. */
export interface ExplainHostJson {
  readonly host: string
  readonly isMaster: boolean
  /** Whether it could take the logical host on now. */
  readonly isFit: boolean
  /** Why or why not; one sentence each, at least one. */
  readonly reasons: readonly string[]
}
