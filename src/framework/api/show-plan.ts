import type { PhysicalHostName } from '../model/names.ts'
import type { Cause, Plan } from '../model/reconfiguration.ts'
import type { Step } from '../model/step.ts'
import { collectDurations, groupBy } from './expected-durations.ts'
import type { RouteContext } from './route-context.ts'
import { viewPlan } from './views/plan-view.ts'
import type { PlanJson } from './wire.ts'

/** Reconfigurations whose runs say how long something takes: the latest ones, so that a plan of a large cluster is shown at once. */
const HISTORY_MAX = 50

/** Plans without doing anything, and shows the plan with what is known of it. Throws what the planner refuses. */
export async function showPlan({ services, facts }: RouteContext, cause: Cause): Promise<PlanJson> {
  const { id, plan } = services.preview(cause)
  const latest = services.reconfigurations().slice(-HISTORY_MAX)
  return viewPlan(plan, {
    id,
    durations: collectDurations(latest.flatMap(({ number }) => services.halfRuns(number))),
    parallelMovesMax: services.state().cluster.budgets.parallelMovesMax,
    warnings: await findMissing(plan, facts.missingPrograms),
  })
}

async function findMissing(
  plan: Plan,
  missingPrograms: RouteContext['facts']['missingPrograms'],
): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const [host, halves] of groupBy(plan.halves, (half) => half.host)) {
    const programs = new Set(halves.flatMap(({ steps }) => steps.flatMap(programsOf)))
    const missing = await missingPrograms(host, [...programs])
    warnings.push(...missing.map((program) => sentence(program, host)))
  }
  return warnings
}

function programsOf(step: Step): readonly string[] {
  const ladder = step.ifItFails.kind === 'ladder' ? step.ifItFails.steps.flatMap(programsOf) : []
  return step.action.kind === 'method' ? [step.action.program, ...ladder] : ladder
}

function sentence(program: string, host: PhysicalHostName): string {
  return `${program} is missing, not a file, or not executable on ${host}.`
}
