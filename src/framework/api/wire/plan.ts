/** What a reconfiguration begins with. */
export interface CauseJson {
  /** `switchover`, `hosts-lost`, `half-failed`, ... as in the journal. */
  readonly kind: string
  readonly sentence: string
  /** The operator who asked; empty when Haven did by itself. */
  readonly by: string
}

/** Why one logical host goes where it goes. */
export interface BecauseJson {
  readonly logicalHost: string
  readonly sentence: string
}

/** How long something took in the kept history of this cluster. */
export interface ExpectedJson {
  readonly medianMs: number
  readonly worstMs: number
  /** How many former runs that is taken from, at least 1. For a sum: of the part that has the fewest. */
  readonly samples: number
}

/** Answer to `POST /v1/plans` (`haswitch --plan`). */
export interface PlanJson {
  /** For `POST /v1/plans/:id/apply`; null in a followed reconfiguration, which is committed already. */
  readonly id: string | null
  /** Number that the reconfiguration gets, if nothing else comes first. */
  readonly number: number
  readonly cause: CauseJson
  readonly because: readonly BecauseJson[]
  /** In the order in which they are planned; halves of different logical hosts run side by side. Empty = nothing has to be done. */
  readonly halves: readonly PlanHalfJson[]
  /** For all of it, side by side as it will run; null = no history for any step. Steps without history count as 0. */
  readonly expected: ExpectedJson | null
  /** What will go wrong, as far as it can be seen from here: programs that are missing, with the host. */
  readonly warnings: readonly string[]
  /** Whether there is nothing to do: nothing would be committed. */
  readonly nothingToDo: boolean
}

/** The part of a plan that one host executes for one logical host. */
export interface PlanHalfJson {
  readonly logicalHost: string
  readonly host: string
  readonly kind: HalfKindJson
  /** `alpha gives ha1 up`. */
  readonly sentence: string
  readonly steps: readonly PlanStepJson[]
  readonly expected: ExpectedJson | null
}

/** Kinds of halves; `watch-...` switch fault monitors and are waited for by nobody. */
export type HalfKindJson = 'give-up' | 'take-on' | 'adjust' | 'watch-stop' | 'watch-start'

/** One thing to do. */
export interface PlanStepJson {
  /** `START web`, `import disk group dg1 at /ha1`. */
  readonly sentence: string
  readonly timeoutMs: number
  /** `end-half`: the half ends and Haven plans anew; `note`: written down; `ladder`: `ladder` runs instead. */
  readonly ifItFails: 'end-half' | 'note' | 'ladder'
  /** Sentences of the steps that run instead; empty unless `ladder`. */
  readonly ladder: readonly string[]
  readonly expected: ExpectedJson | null
}
