import { describe, expect, test } from 'vitest'
import { expiryMs, PROFILES } from '../../../src/framework/membership/check-timings.ts'
import {
  beginRound,
  givePromise,
  hostsToAsk,
  mayPromise,
  NO_PROMISES,
  promisedSinceMs,
  promisedUntilMs,
  type Round,
  takePromise,
} from '../../../src/framework/membership/promises.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { execute, newScene } from '../../scenarios/runner/replay.ts'
import { host } from './names.ts'

const timings = PROFILES.default
const expiry = expiryMs(timings)
const [h1, h2, h3] = [host('h1'), host('h2'), host('h3')]

function stateAfter(...commands: readonly string[]): ClusterState {
  const scene = newScene()
  execute(scene, [
    'cluster',
    'hosts h1 h2 h3',
    'logical ha1: h1 h2, dg1, 10.0.0.11',
    'logical ha2: h1 h3, dg2, 10.0.0.12',
    'logical ha3: h2, dg3, 10.0.0.13',
    'up h1 h2 h3',
  ])
  for (const command of commands) execute(scene, [command])
  return scene.state
}

describe('who has to be asked', () => {
  test.each([
    ['every other possible master of what it holds', [], h1, [h2, h3]],
    ['nobody, when it holds nothing', [], h3, []],
    ['nobody, when nobody else could take it over', [], h2, []],
    ['also for what is on its way to it', ['switchover h2 ha1'], h1, [h2, h3]],
    ['also for what it could not let go of', ['leave-remains h1 ha1', 'maintenance ha1', 'run'], h1, [h2, h3]],
    ['not for what it has given up', ['maintenance ha1', 'run'], h1, [h3]],
  ] as const)('%s', (_rule, commands, me, asked) => {
    expect([...hostsToAsk(stateAfter(...commands), me)].toSorted()).toEqual(asked)
  })
})

describe('whether the promise may be given', () => {
  const question = { from: h1, expiryMs: expiry }
  test.each([
    ['to a member', [], 1, true],
    ['not to a former life of it', [], 0, false],
    ['not to a life that is not known yet', [], 9, false],
    ['not to one that was given up', ['lose h1'], 1, false],
  ] as const)('%s', (_rule, commands, incarnation, isGiven) => {
    expect(mayPromise(stateAfter(...commands), { ...question, incarnation })).toBe(isGiven)
  })
})

describe('how long a promise is kept', () => {
  const question = { from: h1, incarnation: 1, expiryMs: 0 }

  test('as long as guard, abort and margin, from when the question was received', () => {
    const promises = givePromise(NO_PROMISES, question, 1000, timings)
    expect(promisedUntilMs(promises, [h1], 1000)).toBe(1000 + expiry)
    expect(promisedUntilMs(promises, [h1], 1000 + expiry)).toBe(1000 + expiry)
    expect(promisedUntilMs(promises, [h1], 1000 + expiry + 1)).toBeUndefined()
  })

  test('as long as whoever asks may act by it, when it goes by longer timings', () => {
    const promises = givePromise(NO_PROMISES, { ...question, expiryMs: 9000 }, 1000, timings)
    expect(promisedUntilMs(promises, [h1], 1000)).toBe(10_000)
  })

  test('never shorter than was promised before', () => {
    const long = givePromise(NO_PROMISES, { ...question, expiryMs: 9000 }, 1000, timings)
    expect(promisedUntilMs(givePromise(long, question, 2000, timings), [h1], 2000)).toBe(10_000)
  })

  test('to each host for itself, and the longest counts', () => {
    const one = givePromise(NO_PROMISES, question, 1000, timings)
    const both = givePromise(one, { ...question, from: h2 }, 1500, timings)
    expect(promisedUntilMs(both, [h1, h2], 1500)).toBe(1500 + expiry)
    expect(promisedUntilMs(both, [h1], 1500)).toBe(1000 + expiry)
    expect(promisedUntilMs(both, [h3], 1500)).toBeUndefined()
  })
})

describe('whose answers count', () => {
  const asked = (...sent: readonly number[]): readonly Round[] => sent.reduce<readonly Round[]>(beginRound, [])

  test('everybody has to promise, in the same round; a majority is not enough', () => {
    const rounds = takePromise(takePromise(asked(100, 200), h2, 1), h3, 2)
    expect(promisedSinceMs(rounds, new Set([h2, h3]))).toBeUndefined()
    expect(promisedSinceMs(takePromise(rounds, h2, 2), new Set([h2, h3]))).toBe(200)
  })

  test('the latest round counts, from when it was sent', () => {
    const rounds = takePromise(takePromise(asked(100, 200, 300), h2, 2), h2, 1)
    expect(promisedSinceMs(rounds, new Set([h2]))).toBe(200)
  })

  test('an answer to a round that was never asked, or too long ago, changes nothing', () => {
    const many = asked(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    expect(promisedSinceMs(takePromise(many, h2, 1), new Set([h2]))).toBeUndefined()
    expect(promisedSinceMs(takePromise(many, h2, 99), new Set([h2]))).toBeUndefined()
    expect(promisedSinceMs(takePromise(many, h2, 3), new Set([h2]))).toBe(3)
  })

  test('rounds are numbered on', () => {
    expect(asked(1, 2, 3, 4, 5, 6, 7, 8, 9, 10).at(-1)?.round).toBe(10)
  })
})
