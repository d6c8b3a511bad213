import { AssertionError } from 'node:assert/strict'
import { assertNever } from '../errors/assert-never.ts'
import { describeError } from '../errors/ha-error.ts'
import type { DataService } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { DataServiceName, DiskGroupName } from '../model/names.ts'
import type { Action, Half, Leftover, Step } from '../model/step.ts'
import {
  type HalfOutcome,
  type HalfRun,
  OUTPUT_TAIL_LINE_CHARS_MAX,
  OUTPUT_TAIL_LINES_MAX,
  type Progress,
  type StepRun,
} from '../model/timeline.ts'
import type { Effects } from '../ports/effects.ts'
import type { Hands, HandsOutcome, PlacedDiskGroup, StepCall } from './hands.ts'
import { CALLED_OFF, runWithin, sleepUntilAborted } from './run-within.ts'
import type { Served } from './served.ts'

/** A half that is to be executed now. */
export interface DueHalf {
  readonly reconfiguration: number
  readonly generation: number
  readonly half: Half
}

/** Whether a step may begin. */
export type Permit = { readonly kind: 'allowed' } | { readonly kind: 'forbidden'; readonly message: string }

/** What the executor needs of the host it runs on. */
export interface HalfContext {
  readonly effects: Effects
  readonly incarnation: number
  readonly served: Served
  /** Asked right before each step: the deadline is ahead, and the half is still called for. */
  permit(): Promise<Permit>
  /** The present configuration. */
  state(): ClusterState
  /** Finds a disk group of the logical host. */
  diskGroup(name: DiskGroupName): PlacedDiskGroup | undefined
  /** Waits until no other method of the service runs on this host; resolves with what lets the next one in. */
  lock(service: DataServiceName, signal: AbortSignal): Promise<() => void>
  /** Told when a step has been running for a while. */
  onProgress(progress: Progress): void
  /** Aborts when the host may no longer act. */
  readonly signal: AbortSignal
}

/** A step that takes longer than this is shown; most do not, and cost no commit. */
export const PROGRESS_AFTER_MS = 150

/** What a driver has to settle once its step's time is up: TERM, its grace and KILL of one program. */
export const STEP_GRACE_MS = 5_000

/**
 * Executes a half: its steps in order, each after the permit, with its timeout and what is to be done if it fails. Chooses nothing, commits nothing.
 * Resolves with what happened; rejects only for a bug.
 */
export async function executeHalf(due: DueHalf, hands: Hands, context: HalfContext): Promise<HalfRun> {
  const startedWallMs = context.effects.nowWallMs()
  const startedMs = context.effects.nowMonotonicMs()
  const walk: Walk = { due, hands, context, runs: [] }
  const outcome = await walkSteps(walk)
  const { half, reconfiguration } = due
  return {
    reconfiguration,
    logicalHost: half.logicalHost,
    host: half.host,
    incarnation: context.incarnation,
    kind: half.kind,
    startedWallMs,
    durationMs: context.effects.nowMonotonicMs() - startedMs,
    outcome,
    steps: walk.runs,
  }
}

interface Walk {
  readonly due: DueHalf
  readonly hands: Hands
  readonly context: HalfContext
  readonly runs: StepRun[]
}

async function walkSteps(walk: Walk): Promise<HalfOutcome> {
  const { steps } = walk.due.half
  for (const [index, step] of steps.entries()) {
    const end = await runStep(walk, { step, index, onLadder: false })
    if (end.kind === 'next') continue
    const begun = walk.runs.filter(({ onLadder }) => !onLadder).length
    for (const left of steps.slice(begun)) walk.runs.push(skipped(left))
    return end.kind === 'forbidden' ? end : outcomeOf(walk, index, end)
  }
  return { kind: 'done' }
}

/** What follows a step, when it is not the next one. */
type Failure = { readonly kind: 'failed'; readonly message: string; readonly leftovers: readonly Leftover[] }
type StepEnd = { readonly kind: 'next' } | Extract<HalfOutcome, { kind: 'forbidden' }> | Failure

function outcomeOf({ due: { half } }: Walk, failedStep: number, { message, leftovers }: Failure): HalfOutcome {
  const isProof = half.kind === 'give-up' && half.steps[failedStep]?.action.kind === 'prove-released'
  if (!isProof) return { kind: 'failed', failedStep, message }
  // A proof that could not be made is no proof: the logical host is stuck, and the message says what to look at.
  const unknown: Leftover = {
    kind: 'disk-group',
    what: `whatever is left of ${half.logicalHost} (${message})`,
    remedy: `look at the log of ${half.host}`,
  }
  return { kind: 'unproved', leftovers: leftovers.length > 0 ? leftovers : [unknown] }
}

/** One step of a half, or of the ladder of one. `index`: of the step in the half. */
interface At {
  readonly step: Step
  readonly index: number
  readonly onLadder: boolean
}

async function runStep(walk: Walk, at: At): Promise<StepEnd> {
  const { action } = at.step
  const unlock =
    action.kind === 'method'
      ? await lockOf(walk, action.service)
      : () => {
          // Only the methods of a service exclude each other.
        }
  try {
    const permit = await walk.context.permit()
    if (permit.kind === 'forbidden') return permit
    const outcome = await timedStep(walk, at)
    if (walk.context.signal.aborted) return { kind: 'forbidden', message: String(walk.context.signal.reason) }
    if (outcome.kind === 'done') return { kind: 'next' }
    unlock()
    return await afterFailure(walk, at, failureOf(outcome))
  } finally {
    unlock()
  }
}

function failureOf(outcome: Exclude<HandsOutcome, { kind: 'done' }>): Failure {
  return {
    kind: 'failed',
    message: outcome.message,
    leftovers: outcome.kind === 'failed' ? outcome.leftovers : [],
  }
}

async function afterFailure(walk: Walk, at: At, failure: Failure): Promise<StepEnd> {
  const { ifItFails } = at.step
  switch (ifItFails.kind) {
    case 'end-half':
      return failure
    case 'note':
      return { kind: 'next' }
    case 'ladder': {
      for (const step of ifItFails.steps) {
        const end = await runStep(walk, { step, index: at.index, onLadder: true })
        if (end.kind !== 'next') return end
      }
      return { kind: 'next' }
    }
    default:
      return assertNever(ifItFails)
  }
}

/** Once the host may no longer act nobody is waited for: the permit that follows says no. */
async function lockOf({ context }: Walk, service: DataServiceName): Promise<() => void> {
  try {
    return await context.lock(service, context.signal)
  } catch (error) {
    if (!context.signal.aborted) throw error
    return () => {
      // Nothing was locked.
    }
  }
}

/** Runs one step within its time, and writes down how it ended. */
async function timedStep(walk: Walk, at: At): Promise<HandsOutcome> {
  const { context, runs } = walk
  const { action, timeoutMs } = at.step
  const lists = listsOf(walk, action)
  const startedWallMs = context.effects.nowWallMs()
  const startedMs = context.effects.nowMonotonicMs()
  const stepEnded = new AbortController()
  void showProgress(walk, at, startedWallMs, stepEnded.signal)
  const outcome = await callHands(walk, at.step, lists)
  stepEnded.abort(CALLED_OFF)
  runs.push({
    action,
    ...(action.kind === 'method' ? { lists } : {}),
    onLadder: at.onLadder,
    startedWallMs,
    durationMs: context.effects.nowMonotonicMs() - startedMs,
    timeoutMs,
    outcome: outcome.kind,
    message: outcome.kind === 'done' ? '' : outcome.message,
    output: tail(outcome.output),
  })
  return outcome
}

async function callHands(
  { due, hands, context }: Walk,
  { action, timeoutMs }: Step,
  lists: readonly [string, string],
): Promise<HandsOutcome> {
  const { logicalHost } = due.half
  const { reconfiguration, generation } = due
  const diskGroup = context.diskGroup.bind(context)
  const { incarnation } = context
  const physicalHosts = [...context.state().physicalHosts.keys()]
  const limit = { timeoutMs, graceMs: STEP_GRACE_MS, signal: context.signal }
  const { ended, isTimeUp } = await runWithin(context.effects, limit, (signal) =>
    act(hands, action, {
      logicalHost,
      reconfiguration,
      generation,
      incarnation,
      physicalHosts,
      timeoutMs,
      lists,
      diskGroup,
      signal,
    }),
  )
  const late = `did not end within ${timeoutMs / 1000} s`
  if (ended.kind === 'unresponsive') {
    return { kind: 'timed-out', message: `${late}, nor when it was told to`, output: [] }
  }
  if (ended.kind === 'value') return ended.value
  // An assertion is a bug: the daemon stops rather than go on with a broken invariant.
  if (ended.error instanceof AssertionError) throw ended.error
  if (isTimeUp) return { kind: 'timed-out', message: late, output: [] }
  return { kind: 'failed', message: describeError(ended.error), output: [], leftovers: [] }
}

function act(hands: Hands, action: Action, call: StepCall): Promise<HandsOutcome> {
  switch (action.kind) {
    case 'import':
      return hands.import(action, call)
    case 'export':
      return hands.export(action, call)
    case 'address-up':
      return hands['address-up'](action, call)
    case 'address-down':
      return hands['address-down'](action, call)
    case 'method':
      return hands.method(action, call)
    case 'end-processes':
      return hands['end-processes'](action, call)
    case 'prove-released':
      return hands['prove-released'](action, call)
    default:
      return assertNever(action)
  }
}

function listsOf({ due: { half }, context }: Walk, action: Action): readonly [string, string] {
  if (action.kind !== 'method') return ['', '']
  const known = context.state().dataServices.get(action.service)
  const service: Pick<DataService, 'name' | 'logicalHosts'> = known ?? { name: action.service, logicalHosts: [] }
  return context.served.lists(service, action.method, half.logicalHost)
}

async function showProgress(
  { due, context }: Walk,
  { step, index }: At,
  startedWallMs: number,
  stepEnded: AbortSignal,
): Promise<void> {
  await sleepUntilAborted(context.effects, PROGRESS_AFTER_MS, stepEnded)
  if (stepEnded.aborted) return
  const { half, reconfiguration } = due
  const { logicalHost, host, kind, steps } = half
  const { action, timeoutMs } = step
  context.onProgress({
    reconfiguration,
    logicalHost,
    host,
    kind,
    step: index,
    steps: steps.length,
    action,
    startedWallMs,
    timeoutMs,
  })
}

function skipped({ action, timeoutMs }: Step): StepRun {
  return {
    action,
    onLadder: false,
    startedWallMs: 0,
    durationMs: 0,
    timeoutMs,
    outcome: 'skipped',
    message: '',
    output: [],
  }
}

function tail(output: readonly string[]): readonly string[] {
  return output.slice(-OUTPUT_TAIL_LINES_MAX).map((line) => line.slice(0, OUTPUT_TAIL_LINE_CHARS_MAX))
}
