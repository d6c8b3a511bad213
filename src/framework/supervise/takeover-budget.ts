import type { Budgets } from '../model/cluster-config.ts'

/** What the budget says about one more takeover, and the list to keep. */
export interface TakeoverVerdict {
  readonly verdict: 'allowed' | 'used-up'
  /** The takeovers within the window with this one, oldest first; at most `takeoversMax` + 1. */
  readonly takeoversWallMs: readonly number[]
}

type TakeoverBudget = Pick<Budgets, 'takeoversMax' | 'takeoverWindowMs'>

/**
 * Judges one more takeover of a logical host. `takeoversWallMs`: wall clock of the former ones, in any order, possibly empty.
 * At most `takeoversMax` are allowed within the window; the first one beyond is `used-up`, and counted as well, so that a
 * logical host whose hosts keep dying does not get a free takeover whenever the oldest one leaves the window.
 */
export function takeoverVerdict(
  takeoversWallMs: readonly number[],
  nowWallMs: number,
  budget: TakeoverBudget,
): TakeoverVerdict {
  const counted = [...withinWindow(takeoversWallMs, nowWallMs, budget), nowWallMs].sort((a, b) => a - b)
  return {
    verdict: counted.length <= budget.takeoversMax ? 'allowed' : 'used-up',
    takeoversWallMs: counted.slice(-(budget.takeoversMax + 1)),
  }
}

/**
 * Tells whether a logical host may move back to its preferred host by itself. Not once half of `takeoversMax` (rounded up, at
 * least one) lie within the window: a preferred host that keeps dying stops pulling long before the budget is used up.
 */
export function switchbackAllowed(
  takeoversWallMs: readonly number[],
  nowWallMs: number,
  budget: TakeoverBudget,
): boolean {
  const takeoversMax = Math.max(1, Math.ceil(budget.takeoversMax / 2))
  return withinWindow(takeoversWallMs, nowWallMs, budget).length < takeoversMax
}

/**
 * Takeovers at most one window away from now, on either side: the wall clocks of the hosts that wrote them differ a little, so
 * the near future counts; a time that lies further ahead comes from a clock that was wrong, and must not block for years.
 */
function withinWindow(takeoversWallMs: readonly number[], nowWallMs: number, budget: TakeoverBudget): number[] {
  return takeoversWallMs.filter((at) => Math.abs(nowWallMs - at) < budget.takeoverWindowMs)
}
