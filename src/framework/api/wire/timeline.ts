import type { BecauseJson, CauseJson, HalfKindJson, PlanJson } from './plan.ts'
import type { GuardReportJson, ProgressJson } from './status.ts'

/**
 * How far a reconfiguration is. `done`: all its halves ended well. `failed`: at least one did not, and nothing followed.
 * `superseded`: a later reconfiguration took over at least one of its logical hosts before it had ended well.
 */
export type ReconfigurationStateJson = 'running' | 'done' | 'failed' | 'superseded'

/** Answer to `GET /v1/reconfigurations` (`scadmin history`). */
export interface HistoryJson {
  /** Oldest first. */
  readonly reconfigurations: readonly HistoryRowJson[]
  /** What the guard of the answering host did; newest first. */
  readonly guardReports: readonly GuardReportJson[]
}

/** One reconfiguration in one line. */
export interface HistoryRowJson {
  readonly number: number
  readonly atWallMs: number
  readonly cause: CauseJson
  readonly plannedBy: string
  readonly logicalHosts: readonly string[]
  readonly state: ReconfigurationStateJson
  /** From its commit to the end of its last half that is waited for; null = it runs, or was superseded before any half began. */
  readonly durationMs: number | null
  /** The reconfiguration that it continues after a failure; null = none. */
  readonly follows: number | null
}

/** Answer to `GET /v1/reconfigurations/:number` (`scadmin timeline [N]`): one trace, from the cause to the last step. */
export interface TimelineJson extends HistoryRowJson {
  readonly because: readonly BecauseJson[]
  /** How long a sign of life of lost hosts had been waited for when the plan was committed; empty when nothing was waited for. */
  readonly silences: readonly {
    readonly host: string
    readonly silentMs: number
    /** Whether a fence ended the wait; else guard, abort and margin were waited for. */
    readonly isFenced: boolean
  }[]
  /** The reconfiguration that took over; null = none. */
  readonly followedBy: number | null
  /** One for each logical host; they run side by side. Each accounts for every millisecond of 0 .. `durationMs` of its lane. */
  readonly lanes: readonly LaneJson[]
  /** Halves that nobody waits for: fault monitors on and off. */
  readonly watches: readonly TimelineHalfJson[]
}

/** What happened to one logical host. Spans follow each other without a gap, from 0 (the commit of the plan). */
export interface LaneJson {
  readonly logicalHost: string
  readonly because: string
  readonly durationMs: number
  readonly spans: readonly SpanJson[]
  readonly halves: readonly TimelineHalfJson[]
  /** By how much the clocks of hosts disagreed where one took over from another, as far as it shows; 0 = nothing to be seen. */
  readonly clockSkewMs: number
}

/** A piece of time of a lane. */
export type SpanJson =
  /** Nothing of it ran: `what` says what was waited for. */
  | { readonly kind: 'waiting'; readonly fromMs: number; readonly durationMs: number; readonly what: string }
  /** A step ran. */
  | {
      readonly kind: 'step'
      readonly fromMs: number
      readonly durationMs: number
      readonly host: string
      readonly half: HalfKindJson
      readonly step: TimelineStepJson
    }

/** One half as it ran, or as it is planned. */
export interface TimelineHalfJson {
  readonly logicalHost: string
  readonly host: string
  readonly kind: HalfKindJson
  /** `not run`: superseded before it began. `forbidden` halves show as `waiting`: they are begun anew. */
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'not proved released' | 'not run'
  /** After the commit of the plan; null = has not ended yet. */
  readonly startedAfterMs: number | null
  readonly durationMs: number | null
  /** What failed, or what is left; empty = nothing. */
  readonly message: string
  /** The steps as they ran, ladder included; those planned while it has not ended. */
  readonly steps: readonly TimelineStepJson[]
}

/** One step as it ran. */
export interface TimelineStepJson {
  readonly sentence: string
  readonly outcome: 'done' | 'failed' | 'timed-out' | 'skipped' | 'running' | 'waiting'
  /** After the commit of the plan; null = has not run. */
  readonly startedAfterMs: number | null
  readonly durationMs: number | null
  readonly timeoutMs: number
  /** Whether it ran instead of a step that failed. */
  readonly onLadder: boolean
  /** What failed; empty = nothing. */
  readonly message: string
  /** argv[1] and argv[2] of a method; null for other steps. */
  readonly lists: readonly [string, string] | null
  /** Last lines that a method printed; bounded. */
  readonly output: readonly string[]
}

/** One line of `GET /v1/reconfigurations/:number/follow` (NDJSON). */
export type FollowEvent =
  /** What will be done; first for the number that was asked for, then for each that supersedes it. */
  | { readonly kind: 'plan'; readonly reconfiguration: number; readonly plan: PlanJson }
  /** Its end was reported, so it must have started; `half.state` is never `running`. */
  | { readonly kind: 'half-ended'; readonly reconfiguration: number; readonly half: TimelineHalfJson }
  /** It is its turn now. */
  | {
      readonly kind: 'half-started'
      readonly reconfiguration: number
      readonly logicalHost: string
      readonly host: string
      readonly half: HalfKindJson
    }
  /** A step has been running for a while; repeated only when it is another step. */
  | { readonly kind: 'progress'; readonly progress: ProgressJson }
  /** Another reconfiguration takes over at least one logical host; its `plan` comes next and is followed too. */
  | { readonly kind: 'superseded'; readonly reconfiguration: number; readonly by: number; readonly cause: CauseJson }
  /** Nothing new, but clustd is alive. Not to be shown. */
  | { readonly kind: 'alive' }
  /** The last line. */
  | {
      readonly kind: 'end'
      /** The last reconfiguration that was followed. */
      readonly reconfiguration: number
      /** Whether what was asked for is so now. `unknown`: it was followed for too long, or clustd stops; it may still go on. */
      readonly outcome: 'reached' | 'not reached' | 'unknown'
      /** Why not; one sentence each. Empty when reached. */
      readonly why: readonly string[]
      /** How each logical host ended. */
      readonly logicalHosts: readonly { readonly logicalHost: string; readonly sentence: string }[]
      /** From the commit of the first reconfiguration until all was settled. */
      readonly durationMs: number
    }
