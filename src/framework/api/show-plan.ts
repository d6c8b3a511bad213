import type { Cause } from '../model/reconfiguration.ts'
import { collectDurations } from './expected-durations.ts'
import { warnOfPlan, warnOfServices } from './find-missing.ts'
import type { RouteContext } from './route-context.ts'
import { viewPlan } from './views/plan-view.ts'
import type { PlanJson } from './wire.ts'

/** Reconfigurations whose runs say how long something takes: the latest ones, so that a plan of a large cluster is shown at once. */
const HISTORY_MAX = 50

/** Plans without doing anything, and shows the plan with what is known of it. Throws what the planner refuses. */
export async function showPlan(context: RouteContext, cause: Cause): Promise<PlanJson> {
  const { services } = context
  const { id, plan } = services.preview(cause)
  const latest = services.reconfigurations().slice(-HISTORY_MAX)
  return viewPlan(plan, {
    id,
    durations: collectDurations(latest.flatMap(({ number }) => services.halfRuns(number))),
    parallelMovesMax: services.state().cluster.budgets.parallelMovesMax,
    warnings: [...new Set([...(await warnOfPlan(context, plan)), ...(await warnOfCause(context, cause))])],
  })
}

/** Tells what the operator should know of what is asked for, beside what the plan itself calls: a service that is switched on should start on every possible master. */
export async function warnOfCause(context: RouteContext, cause: Cause): Promise<readonly string[]> {
  return cause.kind === 'services-on' ? warnOfServices(context, cause.services) : []
}
