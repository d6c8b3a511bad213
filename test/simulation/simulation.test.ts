import { describe, expect, it } from 'vitest'
import { runHistory, runWithoutDatabase } from './run-history.ts'

// A seed is a history: `npm run simulate -- --seeds 1 --seed N --lines 4000` shows it. 15 in the check, 500 in `npm test`.
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? '15')
const FIRST = 1

describe('no referee objects to what happens', () => {
  it.each(Array.from({ length: SEEDS }, (_, index) => FIRST + index))('in history %i', async (seed) => {
    const { violation, lines } = await runHistory(seed)
    expect(violation, `npm run simulate -- --seeds 1 --seed ${seed}\n${lines.slice(-40).join('\n')}`).toBeUndefined()
  })
})

describe('services run on while the cluster database is away for a minute', () => {
  it.each(Array.from({ length: Math.ceil(SEEDS / 5) }, (_, index) => FIRST + index))('in history %i', async (seed) => {
    const { violation, lines } = await runWithoutDatabase(seed)
    expect(violation, lines.slice(-40).join('\n')).toBeUndefined()
  })
})

describe('a seed', () => {
  it('means one history', async () => {
    const [first, second] = [await runHistory(7), await runHistory(7)]
    expect(second.lines).toEqual(first.lines)
    expect(first.reconfigurations).toBeGreaterThan(3)
  })
})
