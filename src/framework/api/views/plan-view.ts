import type { Cause, Plan, Reconfiguration } from '../../model/reconfiguration.ts'
import type { Half, Step } from '../../model/step.ts'
import { describeAction, describeCause } from '../../plan/describe.ts'
import { type Durations, expectHalf, expectPlan, expectStep } from '../expected-durations.ts'
import type { CauseJson, HalfKindJson, PlanHalfJson, PlanJson, PlanStepJson } from '../wire.ts'

/** What a plan is shown with. */
export interface PlanFacts {
  readonly id: string | null
  readonly durations: Durations
  readonly parallelMovesMax: number
  readonly warnings: readonly string[]
}

/** Shows a plan, or a plan that was committed. */
export function viewPlan(plan: Plan | Reconfiguration, facts: PlanFacts): PlanJson {
  const { durations } = facts
  return {
    id: facts.id,
    number: plan.number,
    cause: viewCause(plan.cause),
    because: plan.because,
    halves: plan.halves.map((half) => viewHalf(half, durations)),
    expected: expectPlan(durations, plan.halves, facts.parallelMovesMax),
    warnings: facts.warnings,
    nothingToDo: 'changes' in plan && plan.changes.length === 0 && plan.halves.length === 0,
  }
}

/** Shows what a reconfiguration begins with. */
export function viewCause(cause: Cause): CauseJson {
  return { kind: cause.kind, sentence: describeCause(cause), by: 'by' in cause ? cause.by : '' }
}

/** Says what a half is: `alpha gives ha1 up`. */
export function describeHalf({ host, logicalHost, kind }: Pick<Half, 'host' | 'logicalHost' | 'kind'>): string {
  return SENTENCES[kind](host, logicalHost)
}

const SENTENCES: Readonly<Record<HalfKindJson, (host: string, logicalHost: string) => string>> = {
  'give-up': (host, logicalHost) => `${host} gives ${logicalHost} up`,
  'take-on': (host, logicalHost) => `${host} takes ${logicalHost} on`,
  adjust: (host, logicalHost) => `${host} starts or stops services of ${logicalHost}`,
  'watch-stop': (host, logicalHost) => `${host} stops its fault monitors of ${logicalHost}`,
  'watch-start': (host, logicalHost) => `${host} starts its fault monitors of ${logicalHost}`,
}

function viewHalf(half: Half, durations: Durations): PlanHalfJson {
  return {
    logicalHost: half.logicalHost,
    host: half.host,
    kind: half.kind,
    sentence: describeHalf(half),
    steps: half.steps.map((step) => viewStep(half, step, durations)),
    expected: expectHalf(durations, half),
  }
}

function viewStep({ host }: Half, step: Step, durations: Durations): PlanStepJson {
  const { ifItFails } = step
  return {
    sentence: describeAction(step.action),
    timeoutMs: step.timeoutMs,
    ifItFails: ifItFails.kind,
    ladder: ifItFails.kind === 'ladder' ? ifItFails.steps.map(({ action }) => describeAction(action)) : [],
    expected: expectStep(durations, host, step),
  }
}
