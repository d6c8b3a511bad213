import type { ClusterState } from '../model/cluster-state.ts'
import type { Plan } from '../model/reconfiguration.ts'
import { adjustRules } from './check/adjust-rules.ts'
import { basisRules } from './check/basis-rules.ts'
import { changeRules } from './check/change-rules.ts'
import { examine, type Rule } from './check/examined.ts'
import { giveUpRules } from './check/give-up-rules.ts'
import { halfRules } from './check/half-rules.ts'
import { heirRules } from './check/heir-rules.ts'
import { masteryRules } from './check/mastery-rules.ts'
import { methodRules } from './check/method-rules.ts'
import { networkRules } from './check/network-rules.ts'
import { takeOnRules } from './check/take-on-rules.ts'

/** What the checker found. A plan with a fatal note is never committed (`PLAN_UNSAFE`). */
export interface Note {
  readonly severity: 'fatal' | 'warning'
  /** The logical host, physical host or data service that it is about. */
  readonly subject: string
  /** The rule that is broken, and by what. */
  readonly text: string
}

/** Everything that the checker looks for, in the order of its notes. */
export const planRules: readonly Rule[] = [
  ...changeRules,
  ...masteryRules,
  ...networkRules,
  ...heirRules,
  ...halfRules,
  ...takeOnRules,
  ...giveUpRules,
  ...adjustRules,
  ...methodRules,
  ...basisRules,
]

/**
 * Looks for what must never be in a plan. It is the second opinion: it knows the design's rules and nothing of how plans are made, so it shares
 * no code with the planner. Pure.
 *
 * @param before - the state that the plan was made from
 * @returns one note for each place that breaks a rule; empty for a good plan
 */
export function checkPlan(before: ClusterState, made: Plan): Note[] {
  const x = examine(before, made)
  return planRules.flatMap(({ find, severity, sentence }) =>
    find(x).map(({ subject, text }) => ({ severity, subject, text: `${text} (${sentence})` })),
  )
}
