import type { LogicalHostName, PhysicalHostName } from './names.ts'
import type { Action, HalfKind, Leftover } from './step.ts'

/** How a step ended. `skipped`: an earlier failure ended the half before it. */
export type StepOutcome = 'done' | 'failed' | 'timed-out' | 'skipped'

/** One executed step. */
export interface StepRun {
  readonly action: Action
  /** argv[1] and argv[2] of a method call; absent for other actions. */
  readonly lists?: readonly [string, string]
  /** Whether it ran instead of a step that failed (the ladder). */
  readonly onLadder: boolean
  readonly startedWallMs: number
  readonly durationMs: number
  readonly timeoutMs: number
  readonly outcome: StepOutcome
  /** What failed, one sentence; empty when done. */
  readonly message: string
  /** Last lines that a method printed; at most `OUTPUT_TAIL_LINES_MAX`. */
  readonly output: readonly string[]
}

/** Lines of a method's output kept in the timeline; the whole is in the log file of the run. */
export const OUTPUT_TAIL_LINES_MAX = 10
/** Characters kept of one such line. */
export const OUTPUT_TAIL_LINE_CHARS_MAX = 200

/** How a half ended. */
export type HalfOutcome =
  | { readonly kind: 'done' }
  /** A step with `end-half` failed: `failedStep` is its index in `steps`. */
  | { readonly kind: 'failed'; readonly failedStep: number; readonly message: string }
  /** A give-up whose release could not be proved. */
  | { readonly kind: 'unproved'; readonly leftovers: readonly Leftover[] }
  /** The host lost the right to act (deadline or generation) before a step. Nothing may be committed about it. */
  | { readonly kind: 'forbidden'; readonly message: string }

/** One executed half; record `timelines/<reconfiguration>/<logical host>/<host>/<kind>`. Its existence means: done, do not run again. */
export interface HalfRun {
  readonly reconfiguration: number
  readonly logicalHost: LogicalHostName
  readonly host: PhysicalHostName
  /** The life of the host that ran it: a watch half is run again by a later life. */
  readonly incarnation: number
  readonly kind: HalfKind
  readonly startedWallMs: number
  readonly durationMs: number
  readonly outcome: HalfOutcome
  readonly steps: readonly StepRun[]
}

/** A step that has been running for a while; volatile record `progress/<logical host>/<host>`, deleted with the end of its half. */
export interface Progress {
  readonly reconfiguration: number
  readonly logicalHost: LogicalHostName
  readonly host: PhysicalHostName
  readonly kind: HalfKind
  /** Index of the running step in its half, from 0, and how many there are. */
  readonly step: number
  readonly steps: number
  readonly action: Action
  readonly startedWallMs: number
  readonly timeoutMs: number
}
