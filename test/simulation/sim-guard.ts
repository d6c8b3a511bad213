import { HaError } from '../../src/framework/errors/ha-error.ts'
import { type Aborted, abortHoldings } from '../../src/framework/failfast/abort-holdings.ts'
import { decideGuard, type GuardMemory, newGuardMemory } from '../../src/framework/failfast/guard-decision.ts'
import type { GuardOrders } from '../../src/framework/failfast/guard-orders.ts'
import {
  type Deadline,
  extendDeadline,
  isPassed,
  mayAct,
  newDeadline,
} from '../../src/framework/membership/deadline.ts'
import type { Clocks } from '../../src/framework/membership/own-health.ts'
import type { Timings } from '../../src/framework/model/cluster-config.ts'
import type { GuardReport } from '../../src/framework/model/guard-report.ts'
import type { Leftover } from '../../src/framework/model/step.ts'
import type { Effects } from '../../src/framework/ports/effects.ts'
import type { FormerLife, Guard, Holding } from '../../src/framework/ports/guard.ts'
import type { Chances } from './chances.ts'
import type { Machine, Process } from './machine.ts'
import { type DriverSetting, simAddresses, simDiskGroups, simMethods } from './sim-drivers.ts'
import type { World } from './world.ts'

/** What one machine keeps for its guard: the small files and the guard process. They survive clustd. */
export interface GuardPlace {
  readonly machine: Machine
  readonly world: World
  /** The timings as the present clustd knows them. */
  readonly timings: () => Timings
  readonly chances: () => Chances
  /** Counts the boots: times of another boot mean nothing. */
  boot: number
  orders: GuardOrders | undefined
  holdings: readonly Holding[]
  guard: Process | undefined
  state: 'watching' | 'fired' | 'done'
  /** The present clustd and the children that it has under way. */
  clustd: { readonly process: Process; readonly children: Set<Process> } | undefined
  /** Told when the guard has done its work. With leftovers its last resort follows: the reboot that is configured. */
  onFired: (report: GuardReport) => void
  onCleaned: (report: GuardReport) => void
}

/** clustd's side of the guard over the files of a machine; every decision in it is production code. */
export function simGuard(place: GuardPlace, process: Process, children: Set<Process>): Guard {
  const effects = process.effects()
  let deadline: Deadline = newDeadline(0, clocksOf(effects))
  const write = (change: Partial<GuardOrders>): void => writeOrders(place, change)
  return {
    formerLife: async () => formerLifeOf(place),
    abortRemains: () => abortRemains(place, process, children),
    // One that is not armed watches nothing.
    prepare: () => effects.sleep(1),
    arm: async (deadlineMs) => {
      await effects.sleep(1)
      if (place.state === 'fired' && place.guard?.isDead === false)
        throw new HaError('GUARD_LOST', 'the guard has fired')
      deadline = { ...newDeadline(0, clocksOf(effects)), untilMs: deadlineMs }
      place.clustd = { process, children }
      write({ state: 'armed', deadlineMs, bootId: bootId(place), fire: null, aheadMs: deadline.aheadMs })
      place.state = 'watching'
      if (place.guard === undefined || place.guard.isDead) startGuard(place)
    },
    live: async (incarnation) => {
      deadline = { ...deadline, incarnation }
      write({ incarnation })
    },
    extend: async (deadlineMs) => {
      checkWatched(place)
      const now = clocksOf(effects)
      if (isPassed(deadline, now)) throw new HaError('DEADLINE_PASSED', 'the deadline passed')
      const sentMs = deadlineMs - place.timings().guardMs
      deadline = extendDeadline(deadline, { incarnation: deadline.incarnation, sentMs }, now, place.timings())
      write({ deadlineMs: deadline.untilMs, aheadMs: deadline.aheadMs })
    },
    deadlineMs: () =>
      place.state === 'watching' && mayAct(deadline, clocksOf(effects), place.timings())
        ? deadline.untilMs
        : Number.NEGATIVE_INFINITY,
    hold: async (holdings) => {
      await effects.sleep(0.3)
      checkWatched(place)
      place.holdings = holdings
    },
    disarm: async () => {
      write({ state: 'disarmed' })
      place.holdings = []
      place.guard?.kill()
    },
    fire: async (why) => {
      write({ fire: why })
      place.guard?.post(1, () => {})
    },
  }
}

function writeOrders(place: GuardPlace, change: Partial<GuardOrders>): void {
  const orders = place.orders ?? emptyOrders(place)
  place.orders = { ...orders, ...place.timings(), ...change, write: orders.write + 1 }
}

function checkWatched({ orders, state }: GuardPlace): void {
  if (orders?.state !== 'armed' || state !== 'watching') throw new HaError('GUARD_LOST', 'the guard does not watch')
}

async function abortRemains(place: GuardPlace, process: Process, children: Set<Process>): Promise<readonly Leftover[]> {
  const effects = process.effects()
  while (place.state === 'fired' && place.guard?.isDead === false) await effects.sleep(20)
  place.guard?.kill()
  const methodsEndMs = effects.nowMonotonicMs() + place.timings().abortMs
  const { report, leftovers } = await abortAll(place, process, children, 'remains of a former life', methodsEndMs)
  if (report.stopped.length > 0) place.onCleaned(report)
  return leftovers
}

/** What the files and the guard process of a machine say about the life before. */
function formerLifeOf(place: GuardPlace): FormerLife {
  const { orders } = place
  if (orders === undefined || orders.state !== 'armed')
    return place.holdings.length > 0 ? { kind: 'ended' } : { kind: 'none' }
  const isWatching = place.state === 'watching' && place.guard?.isDead === false && orders.bootId === bootId(place)
  if (!isWatching || orders.incarnation === 0) return { kind: 'ended' }
  return { kind: 'watching', incarnation: orders.incarnation, deadlineMs: orders.deadlineMs }
}

/** Starts the guard process of a machine. */
function startGuard(place: GuardPlace): void {
  const guard = place.machine.spawn(`${place.machine.name}/failfastd`)
  place.guard = guard
  const effects = guard.effects()
  const look = async (memory: GuardMemory): Promise<void> => {
    const { decision, memory: next } = decideGuard(memory, {
      orders: place.orders,
      clocks: clocksOf(effects),
      isClustdAlive: place.clustd?.process.isDead === false,
    })
    switch (decision.kind) {
      case 'end':
        guard.kill()
        return
      case 'fire':
        await fire(place, guard, decision.why)
        return
      case 'wait':
        // A real guard is told of new orders at once; here it looks a little more often instead.
        await effects.sleep(Math.max(1, Math.min(decision.untilMs - effects.nowMonotonicMs(), 50)))
        return look(next)
    }
  }
  guard.post(1, () => void look(newGuardMemory(ME, bootId(place), clocksOf(effects))))
}

async function fire(place: GuardPlace, guard: Process, why: string): Promise<void> {
  place.state = 'fired'
  const ended = place.clustd
  ended?.process.kill()
  for (const child of ended?.children ?? []) child.kill()
  const deadlineMs = Math.min(place.orders?.deadlineMs ?? 0, guard.effects().nowMonotonicMs())
  const { report } = await abortAll(place, guard, new Set(), why, deadlineMs + (place.orders?.abortMs ?? 0))
  place.state = 'done'
  guard.kill()
  place.onFired(report)
}

async function abortAll(
  place: GuardPlace,
  process: Process,
  children: Set<Process>,
  why: string,
  methodsEndMs: number,
): Promise<Aborted> {
  const setting: DriverSetting = { process, world: place.world, actor: 'failfastd', chances: place.chances, children }
  const diskGroups = simDiskGroups(setting)
  const addresses = simAddresses(setting)
  const hands = {
    diskGroups: { directory: diskGroups, filesystem: diskGroups },
    addresses: { local: addresses, ip: addresses },
    methods: simMethods(setting),
    effects: process.effects(),
  }
  const aborted = await abortHoldings(
    place.holdings,
    { why, methodsEndMs, forceMs: (place.orders ?? emptyOrders(place)).marginMs / 2 },
    hands,
  )
  place.holdings = place.holdings.filter(({ logicalHost }) => !aborted.released.includes(logicalHost))
  return aborted
}

const ME = { pid: 1, startTicks: 1 }

function emptyOrders(place: GuardPlace): GuardOrders {
  return {
    write: 0,
    bootId: bootId(place),
    state: 'idle',
    incarnation: 0,
    deadlineMs: Number.NEGATIVE_INFINITY,
    aheadMs: 0,
    ...place.timings(),
    clustd: ME,
    guard: null,
    holdNumber: 0,
    fire: null,
  }
}

function bootId({ boot }: GuardPlace): string {
  return `boot ${boot}`
}

function clocksOf(effects: Effects): Clocks {
  return { monotonicMs: effects.nowMonotonicMs(), bootMs: effects.nowBootMs(), wallMs: effects.nowWallMs() }
}
