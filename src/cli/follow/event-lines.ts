import type {
  FollowEvent,
  HalfKindJson,
  PlanJson,
  TimelineHalfJson,
  TimelineStepJson,
} from '../../framework/api/wire.ts'
import { assertNever } from '../../framework/errors/assert-never.ts'
import { writeDuration, writeLimit } from '../print/duration.ts'

/** Reasons shown before the first step; a loss of a host with hundreds of logical hosts must not scroll away what follows. */
const REASONS_MAX = 12
/** Last lines of a method that are shown with its failure. */
const OUTPUT_LINES_MAX = 10

/** Says what an event means, in whole lines; none for what only a live display shows. */
export function linesOf(event: FollowEvent): readonly string[] {
  switch (event.kind) {
    case 'plan':
      return planLines(event.reconfiguration, event.plan)
    case 'half-started':
      return isWaitedFor(event.half) ? [`  ${event.logicalHost}: ${event.host} ${DOES[event.half]}`] : []
    case 'progress': {
      const { logicalHost, host, sentence, step, steps, timeoutMs } = event.progress
      return [`  ${logicalHost}: ${host}: ${sentence} (step ${step} of ${steps}, may take ${writeLimit(timeoutMs)})`]
    }
    case 'half-ended':
      return halfLines(event.half)
    case 'superseded':
      return [`  reconfiguration ${event.by} goes on from there`]
    case 'alive':
    case 'end':
      return []
    default:
      return assertNever(event)
  }
}

const DOES: Readonly<Record<HalfKindJson, string>> = {
  'give-up': 'gives it up',
  'take-on': 'takes it on',
  adjust: 'changes its services',
  'watch-start': 'starts the fault monitors',
  'watch-stop': 'stops the fault monitors',
}

const DID: Readonly<Record<HalfKindJson, string>> = {
  'give-up': 'gave it up',
  'take-on': 'took it on',
  adjust: 'changed its services',
  'watch-start': 'started the fault monitors',
  'watch-stop': 'stopped the fault monitors',
}

const DID_NOT: Readonly<Record<HalfKindJson, string>> = {
  'give-up': 'did not give it up',
  'take-on': 'did not take it on',
  adjust: 'did not change its services',
  'watch-start': 'did not start the fault monitors',
  'watch-stop': 'did not stop the fault monitors',
}

/** Tells whether a half is one that the reconfiguration waits for. */
export function isWaitedFor(kind: HalfKindJson): boolean {
  return kind === 'give-up' || kind === 'take-on' || kind === 'adjust'
}

/** Tells whether a half ended otherwise than it should have. */
export function hasFailed(half: TimelineHalfJson): boolean {
  return half.state === 'failed' || half.state === 'not proved released'
}

function planLines(number: number, plan: PlanJson): readonly string[] {
  const reasons = plan.because.slice(0, REASONS_MAX).map(({ logicalHost, sentence }) => `  ${logicalHost}: ${sentence}`)
  const more = plan.because.length - reasons.length
  return [
    `Reconfiguration ${number}: ${plan.cause.sentence}`,
    ...reasons,
    ...(more > 0 ? [`  and ${more} more logical hosts`] : []),
    ...plan.warnings.map((warning) => `  warning: ${warning}`),
  ]
}

function halfLines(half: TimelineHalfJson): readonly string[] {
  const { logicalHost, host, kind, state, durationMs } = half
  if (hasFailed(half)) return failureLines(half)
  if (state !== 'done' || !isWaitedFor(kind)) return []
  const laddered = half.steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'timed-out')
  return [
    `  ${logicalHost}: ${host} ${DID[kind]} in ${writeDuration(durationMs ?? 0)}`,
    ...laddered.flatMap((step) => stepFailureLines(step)),
  ]
}

/** Says what failed: the half, each step that failed and the last lines that its method printed. */
export function failureLines(half: TimelineHalfJson): readonly string[] {
  const after = half.durationMs === null ? '' : ` (after ${writeDuration(half.durationMs)})`
  const failed = half.steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'timed-out')
  const said = failed.some(({ message }) => message === half.message)
  return [
    `  ${half.logicalHost}: ${half.host} ${DID_NOT[half.kind]}${after}${half.message === '' || said ? '' : `: ${half.message}`}`,
    ...failed.flatMap(stepFailureLines),
  ]
}

function stepFailureLines(step: TimelineStepJson): readonly string[] {
  const how = step.outcome === 'timed-out' ? `did not end within ${writeLimit(step.timeoutMs)}` : 'failed'
  const message = step.message === '' ? '' : `: ${step.message}`
  return [
    `    ${step.sentence} ${how}${message}`,
    ...step.output.slice(-OUTPUT_LINES_MAX).map((line) => `      | ${line}`),
  ]
}
