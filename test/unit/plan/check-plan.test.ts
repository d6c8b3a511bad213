import { describe, expect, it } from 'vitest'
import { examine } from '../../../src/framework/plan/check/examined.ts'
import { checkPlan, planRules } from '../../../src/framework/plan/check-plan.ts'
import { type GoodPlan, goodPlans } from './good-plans.ts'
import { dragged, spoiledPlans } from './spoiled-plans-table.ts'

const breaks = ({ before, made: plan }: GoodPlan): readonly string[] => {
  const x = examine(before, plan)
  return planRules.filter(({ find }) => find(x).length > 0).map(({ name }) => name)
}

describe('checkPlan', () => {
  it.each(Object.entries(goodPlans))('finds nothing wrong with a good plan: %s', (_name, good) => {
    const { before, made: plan } = good()
    expect(checkPlan(before, plan)).toEqual([])
  })

  it.each(spoiledPlans)('%s (%s)', (rule, of, spoil) => {
    const broken = breaks(spoil(goodPlans[of]()))
    expect(broken).toContain(rule)
    expect(broken.filter((name) => name !== rule && !(dragged[rule] ?? []).includes(name))).toEqual([])
  })

  it('has a test for each rule', () => {
    const tested = new Set(spoiledPlans.map(([rule]) => rule))
    expect(planRules.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([])
  })
})
