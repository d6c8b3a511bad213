import { describe, expect, test } from 'vitest'
import { switchbackAllowed, takeoverVerdict } from '../../../src/framework/supervise/takeover-budget.ts'

const budget = { takeoversMax: 3, takeoverWindowMs: 1000 }

describe('takeoverVerdict', () => {
  test.each([
    ['the first one is allowed', [], 5000, 'allowed', [5000]],
    ['the last one of the budget is allowed', [4200, 4300], 5000, 'allowed', [4200, 4300, 5000]],
    ['the first one beyond is not, and is counted', [4200, 4300, 4400], 5000, 'used-up', [4200, 4300, 4400, 5000]],
    ['one exactly a window ago has left', [4000, 4300, 4400], 5000, 'allowed', [4300, 4400, 5000]],
    ['a long list is cut to the bound', [4100, 4200, 4300, 4400, 4500], 5000, 'used-up', [4300, 4400, 4500, 5000]],
    ['a clock slightly ahead counts', [5100, 5200, 5300], 5000, 'used-up', [5000, 5100, 5200, 5300]],
    ['a clock far ahead does not', [9000, 9100, 9200], 5000, 'allowed', [5000]],
    ['order does not matter', [4400, 4200], 5000, 'allowed', [4200, 4400, 5000]],
  ] as const)('%s', (_rule, former, now, verdict, kept) => {
    expect(takeoverVerdict(former, now, budget)).toEqual({ verdict, takeoversWallMs: kept })
  })

  test('a budget of none allows none', () => {
    expect(takeoverVerdict([], 5000, { ...budget, takeoversMax: 0 })).toEqual({
      verdict: 'used-up',
      takeoversWallMs: [5000],
    })
  })
})

describe('switchbackAllowed', () => {
  test.each([
    ['without takeovers', 3, [], true],
    ['below half of the budget', 3, [4500], true],
    ['not at half of the budget, rounded up', 3, [4500, 4600], false],
    ['takeovers outside of the window do not count', 3, [3000, 3100, 4600], true],
    ['with an even budget', 4, [4500, 4600], false],
    ['a budget of one ends at the first', 1, [4500], false],
    ['a budget of none does not forbid it', 0, [], true],
  ] as const)('%s', (_rule, takeoversMax, takeovers, allowed) => {
    expect(switchbackAllowed(takeovers, 5000, { ...budget, takeoversMax })).toBe(allowed)
  })
})
