import { isInMotion, type Mastery } from '../../model/mastery.ts'
import type { Half } from '../../model/step.ts'
import type { HalfRun, Progress, StepRun } from '../../model/timeline.ts'
import { describeAction } from '../../plan/describe.ts'
import type { ReconfigurationFacts } from '../reconfiguration-state.ts'
import type { TimelineHalfJson, TimelineStepJson } from '../wire.ts'

/** Shows a half that has ended. `atWallMs`: when its plan was committed. */
export function viewEndedHalf(run: HalfRun, atWallMs: number): TimelineHalfJson {
  const { logicalHost, host, kind, outcome } = run
  return {
    logicalHost,
    host,
    kind,
    state: ENDINGS[outcome.kind],
    startedAfterMs: run.startedWallMs - atWallMs,
    durationMs: run.durationMs,
    message: messageOf(run),
    steps: run.steps.map((step) => viewStepRun(step, atWallMs)),
  }
}

const ENDINGS = {
  done: 'done',
  failed: 'failed',
  unproved: 'not proved released',
  // Nothing may be concluded from it: the half is begun anew by whoever is allowed to.
  forbidden: 'waiting',
} as const

/** Shows a half of a plan that has not ended. */
export function viewPlannedHalf(
  facts: Pick<ReconfigurationFacts, 'state' | 'reconfiguration'>,
  half: Half,
  progress: readonly Progress[],
): TimelineHalfJson {
  const { logicalHost, host, kind } = half
  const { number, atWallMs } = facts.reconfiguration
  const state = plannedState(facts, half)
  const running = progress.find(
    (one) =>
      one.reconfiguration === number && one.logicalHost === logicalHost && one.host === host && one.kind === kind,
  )
  return {
    logicalHost,
    host,
    kind,
    state,
    startedAfterMs: null,
    durationMs: null,
    message: '',
    steps: half.steps.map((step, index) => ({
      sentence: describeAction(step.action),
      outcome: running?.step === index ? 'running' : running !== undefined && index < running.step ? 'done' : 'waiting',
      startedAfterMs: running?.step === index ? running.startedWallMs - atWallMs : null,
      durationMs: null,
      timeoutMs: step.timeoutMs,
      onLadder: false,
      message: '',
      lists: null,
      output: [],
    })),
  }
}

/** Tells whether it is the turn of a half now: its host is to execute it by what is committed. */
export function isTurnOf(
  { state, reconfiguration }: Pick<ReconfigurationFacts, 'state' | 'reconfiguration'>,
  half: Half,
): boolean {
  const at = state.states.get(half.logicalHost)
  if (at?.reconfiguration !== reconfiguration.number || !isInMotion(at.mastery)) return false
  return KIND_OF_MOTION[at.mastery.kind] === half.kind && 'by' in at.mastery && at.mastery.by === half.host
}

const KIND_OF_MOTION: Readonly<Partial<Record<Mastery['kind'], Half['kind']>>> = {
  givingUp: 'give-up',
  takingOn: 'take-on',
  adjusting: 'adjust',
}

function plannedState(
  facts: Pick<ReconfigurationFacts, 'state' | 'reconfiguration'>,
  half: Half,
): TimelineHalfJson['state'] {
  if (isTurnOf(facts, half)) return 'running'
  const at = facts.state.states.get(half.logicalHost)
  const isCurrent = at?.reconfiguration === facts.reconfiguration.number
  const isAwaited =
    half.kind === 'watch-start' || half.kind === 'watch-stop' || (at !== undefined && isInMotion(at.mastery))
  return isCurrent && isAwaited ? 'waiting' : 'not run'
}

function messageOf({ outcome }: HalfRun): string {
  switch (outcome.kind) {
    case 'done':
      return ''
    case 'unproved':
      return `still there: ${outcome.leftovers.map(({ what }) => what).join(', ')}`
    default:
      return outcome.message
  }
}

function viewStepRun(step: StepRun, atWallMs: number): TimelineStepJson {
  const isSkipped = step.outcome === 'skipped'
  return {
    sentence: describeAction(step.action),
    outcome: step.outcome,
    startedAfterMs: isSkipped ? null : step.startedWallMs - atWallMs,
    durationMs: isSkipped ? null : step.durationMs,
    timeoutMs: step.timeoutMs,
    onLadder: step.onLadder,
    message: step.message,
    lists: step.lists ?? null,
    output: step.output,
  }
}
