import { describe, expect, test } from 'vitest'
import { mayBeTakenOver } from '../../../src/framework/failfast/former-life.ts'
import {
  decideGuard,
  type GuardDecision,
  type GuardMemory,
  newGuardMemory,
} from '../../../src/framework/failfast/guard-decision.ts'
import type { GuardOrders } from '../../../src/framework/failfast/guard-orders.ts'

const me = { pid: 10, startTicks: 100 }
const clustd = { pid: 20, startTicks: 200 }
const armed: GuardOrders = {
  write: 5,
  bootId: 'this boot',
  state: 'armed',
  incarnation: 3,
  deadlineMs: 2500,
  aheadMs: 7000,
  stampMs: 400,
  guardMs: 1500,
  abortMs: 400,
  marginMs: 300,
  clustd,
  guard: me,
  holdNumber: 1,
  fire: null,
}
const at = (monotonicMs: number, { slept = 0, pushed = 0 } = {}) => ({
  monotonicMs,
  bootMs: monotonicMs + 7000 + slept,
  wallMs: 1e12 + monotonicMs + slept + pushed,
})
const fresh = newGuardMemory(me, 'this boot', at(900))

interface Look {
  readonly orders?: GuardOrders
  readonly clocks: ReturnType<typeof at>
  readonly isClustdAlive?: boolean
}

/** Looks several times; returns the last decision and the memory. */
function looks(...all: readonly Look[]): { decision: GuardDecision; memory: GuardMemory } {
  let result: { decision: GuardDecision; memory: GuardMemory } = {
    decision: { kind: 'end', why: 'never looked' },
    memory: fresh,
  }
  for (const { orders, clocks, isClustdAlive = true } of all) {
    result = decideGuard(result.memory, { orders, clocks, isClustdAlive })
  }
  return result
}
const fires = (why: RegExp) => ({ kind: 'fire', why: expect.stringMatching(why) })
const waits = (untilMs: number) => ({ kind: 'wait', untilMs })

describe('an armed guard', () => {
  const first = { orders: armed, clocks: at(1000) }
  const extended = { ...armed, write: 6, deadlineMs: 2900 }

  test.each<[string, readonly Look[], unknown]>([
    ['looks four times in a guard time', [first], waits(1375)],
    ['wakes at the deadline', [first, { orders: armed, clocks: at(2400) }], waits(2500)],
    ['fires when it has passed', [first, { orders: armed, clocks: at(2500) }], fires(/passed 0 ms ago.*1500 ms old/)],
    ['fires although clustd lives', [first, { orders: armed, clocks: at(9000) }], fires(/passed 6500 ms ago/)],
    ['is extended', [first, { orders: extended, clocks: at(2600) }], waits(2900)],
    ['keeps the last good orders when the file is missing or torn', [first, { clocks: at(2400) }], waits(2500)],
    ['fires on them', [first, { clocks: at(2501) }], fires(/deadline/)],
    [
      'ignores orders that are older',
      [first, { orders: { ...extended, write: 4 }, clocks: at(2501) }],
      fires(/deadline/),
    ],
    [
      'ignores orders of another boot',
      [first, { orders: { ...extended, bootId: 'another boot' }, clocks: at(2501) }],
      fires(/deadline/),
    ],
    [
      'does not move a deadline back',
      [first, { orders: { ...armed, write: 6, deadlineMs: 1200 }, clocks: at(1300) }],
      waits(1675),
    ],
    ['obeys a new clustd', [first, { orders: { ...extended, clustd: me }, clocks: at(2600) }], waits(2900)],
    [
      'fires when it is told to',
      [first, { orders: { ...extended, fire: 'evicted' }, clocks: at(1100) }],
      fires(/^evicted$/),
    ],
    [
      'ends when it is disarmed',
      [first, { orders: { ...armed, write: 6, state: 'disarmed' }, clocks: at(1100) }],
      { kind: 'end', why: 'disarmed' },
    ],
    [
      'ends when another guard is in charge',
      [first, { orders: { ...extended, guard: { pid: 10, startTicks: 101 } }, clocks: at(1100) }],
      { kind: 'end', why: 'another guard is in charge' },
    ],
    [
      'stays while another one is being started',
      [first, { orders: { ...extended, guard: null }, clocks: at(1100) }],
      waits(1475),
    ],
    ['counts time slept', [first, { orders: armed, clocks: at(1100, { slept: 1500 }) }], fires(/passed 100 ms ago/)],
    ['counts a short sleep as well', [first, { orders: armed, clocks: at(2100, { slept: 350 }) }], waits(2150)],
    [
      'takes orders that know of the sleep as they are',
      [first, { orders: { ...extended, aheadMs: 16_000 }, clocks: at(2600, { slept: 9000 }) }],
      waits(2900),
    ],
  ])('%s', (_rule, all, decision) => {
    expect(looks(...all).decision).toEqual(decision)
  })
})

describe('after a jump of the wall clock', () => {
  const jump = { pushed: 5000 }
  const first = { orders: armed, clocks: at(1000) }
  const jumped = { orders: armed, clocks: at(1300, jump) }

  test('it waits for a proof, for two stamps', () => {
    expect(looks(first, jumped).decision).toEqual(waits(1675))
    expect(looks(first, jumped, { orders: armed, clocks: at(1800, jump) }).decision).toEqual(waits(2101))
  })
  test('it fires when none comes', () => {
    expect(looks(first, jumped, { orders: armed, clocks: at(2101, jump) }).decision).toEqual(fires(/wall clock jumped/))
  })
  test('a stamp that was under way is none', () => {
    const underWay = { ...armed, write: 6, deadlineMs: 1299 + 1500 }
    expect(looks(first, jumped, { orders: underWay, clocks: at(2101, jump) }).decision).toEqual(fires(/wall clock/))
  })
  test('one that was sent afterwards is', () => {
    const proof = { ...armed, write: 6, deadlineMs: 1301 + 1500 }
    expect(looks(first, jumped, { orders: proof, clocks: at(2101, jump) }).decision).toEqual(waits(2476))
  })
})

describe('a guard that was not armed yet', () => {
  const idle: GuardOrders = { ...armed, state: 'idle' }
  test.each<[string, readonly Look[], unknown]>([
    ['waits without orders', [{ clocks: at(1000) }], waits(1500)],
    ['waits while clustd lives, whatever the deadline', [{ orders: idle, clocks: at(9000) }], waits(9500)],
    [
      'ends with clustd',
      [{ orders: idle, clocks: at(1000), isClustdAlive: false }],
      { kind: 'end', why: 'nobody armed it' },
    ],
    ['ends after a minute', [{ orders: idle, clocks: at(61_000) }], { kind: 'end', why: 'nobody armed it' }],
    ['fires at once when it comes too late', [{ orders: armed, clocks: at(2600) }], fires(/passed 100 ms ago/)],
    ['ignores orders of another boot', [{ orders: { ...armed, bootId: 'another' }, clocks: at(2600) }], waits(3100)],
  ])('%s', (_rule, all, decision) => {
    expect(looks(...all).decision).toEqual(decision)
  })
})

describe('a former life', () => {
  test.each([
    ['while its deadline is ahead', 2499, 0, false],
    ['while its guard had time to stop everything', 2900, 0, false],
    ['afterwards', 2901, 0, true],
    ['as soon as the machine has slept as long', 1000, 2000, true],
  ] as const)('may have been taken over from: %s', (_, monotonicMs, slept, expected) => {
    expect(mayBeTakenOver(armed, at(monotonicMs, { slept }))).toBe(expected)
  })

  test('may have been taken over from when nothing is known of it', () => {
    expect(mayBeTakenOver(undefined, at(0))).toBe(true)
  })
})
