import { describe, expect, test } from 'vitest'
import { rejoinVerdict } from '../../../src/framework/membership/rejoins.ts'
import { host } from './names.ts'

const limits = { rejoinsMax: 2, windowMs: 1_000 }
const history = (...byItselfWallMs: readonly number[]) => {
  return { host: host('beta'), lostIncarnation: 3, atWallMs: 0, byItselfWallMs }
}

describe('a host that wants to join by itself', () => {
  test('may when it was not lost', () => {
    expect(rejoinVerdict({ isLost: false, before: history(1, 2, 3) }, 10, { ...limits, rejoinsMax: 0 }).kind).toBe(
      'free',
    )
  })

  test('may not after a loss, as long as nothing else is configured', () => {
    expect(rejoinVerdict({ isLost: true, before: undefined }, 10, { ...limits, rejoinsMax: 0 })).toEqual({
      kind: 'refused',
      used: 0,
    })
  })

  test('may so often within the window', () => {
    const first = rejoinVerdict({ isLost: true, before: undefined }, 100, limits)
    expect(first).toEqual({ kind: 'counted', byItselfWallMs: [100] })
    expect(rejoinVerdict({ isLost: true, before: history(100) }, 200, limits)).toEqual({
      kind: 'counted',
      byItselfWallMs: [100, 200],
    })
    expect(rejoinVerdict({ isLost: true, before: history(100, 200) }, 300, limits)).toEqual({
      kind: 'refused',
      used: 2,
    })
    expect(rejoinVerdict({ isLost: true, before: history(100, 200) }, 1_100, limits)).toEqual({
      kind: 'counted',
      byItselfWallMs: [200, 1_100],
    })
  })
})
