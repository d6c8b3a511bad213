import { describe, expect, it } from 'vitest'
import { audibleOver, heartbeatProblems, silentForMs } from '../../../src/framework/membership/heartbeats.ts'
import { host } from './names.ts'

const [beta, gamma] = [host('beta'), host('gamma')]
const heard = [
  { host: gamma, network: 'priv1', atMs: 1_000 },
  { host: beta, network: 'priv1', atMs: 1_100 },
  { host: beta, network: 'priv2', atMs: 1_300 },
]

describe('a silence', () => {
  it('lasts since the host was heard over any network, or since this one listens', () => {
    const hearing = { heard, listeningSinceMs: 500, nowMs: 1_400 }
    expect(silentForMs(hearing, beta)).toBe(100)
    expect(silentForMs(hearing, gamma)).toBe(400)
    expect(silentForMs(hearing, host('delta'))).toBe(900)
    expect(silentForMs({ ...hearing, listeningSinceMs: 1_390 }, gamma)).toBe(10)
    expect(silentForMs({ ...hearing, listeningSinceMs: Number.POSITIVE_INFINITY }, gamma)).toBe(0)
  })

  it('is one of each network by itself', () => {
    const hearing = { heard, listeningSinceMs: 500, nowMs: 1_400 }
    expect(audibleOver(hearing, 'priv1', 301)).toEqual([beta])
    expect(audibleOver(hearing, 'priv1', 401)).toEqual([beta, gamma])
    expect(audibleOver(hearing, 'priv2', 100)).toEqual([])
    expect(audibleOver(hearing, 'priv3', 1_000)).toEqual([])
    expect(audibleOver({ ...hearing, listeningSinceMs: 1_395 }, 'priv1', 10)).toEqual([beta, gamma])
  })
})

describe('the timings of heartbeats', () => {
  it.each([
    [{ intervalMs: 50, suspectMs: 250 }, 1_500, []],
    [{ intervalMs: 25, suspectMs: 120 }, 600, []],
    [{ intervalMs: 50, suspectMs: 149 }, 1_500, ['suspectMs is 149, and must be at least three times intervalMs']],
    [{ intervalMs: 200, suspectMs: 600 }, 600, ['suspectMs is 600, and must be less than guardMs (600)']],
    [{ intervalMs: 5, suspectMs: 100 }, 1_500, ['intervalMs is 5, and must be at least 10']],
    [{ intervalMs: 6_000, suspectMs: 18_000 }, 60_000, ['intervalMs is 6000, and must be at most 5000']],
    [{ intervalMs: 50.5, suspectMs: 250 }, 1_500, ['intervalMs is 50.5, and must be a whole number']],
  ])('%o with a guard of %i ms', (heartbeats, guardMs, expected) => {
    const problems = heartbeatProblems(heartbeats, { guardMs })
    expect(problems.length).toBe(expected.length)
    for (const [index, problem] of problems.entries()) expect(problem).toContain(expected[index])
  })
})
