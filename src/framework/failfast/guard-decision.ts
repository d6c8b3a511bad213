import { leftMs } from '../membership/deadline.ts'
import { type Clocks, clockJump } from '../membership/own-health.ts'
import type { GuardOrders, ProcessIdentity } from './guard-orders.ts'

/** What the guard remembers from look to look. */
export interface GuardMemory {
  readonly me: ProcessIdentity
  readonly bootId: string
  readonly startedMs: number
  /** The last good orders; undefined = none yet. */
  readonly orders: GuardOrders | undefined
  /** The wall clock jumped then (monotonic), and no stamp sent later has proved yet that the host is still a member. */
  readonly proveAfterMs: number | undefined
  readonly seen: Clocks
}

/** What one look shows. */
export interface GuardLook {
  /** What the file says; undefined when it is missing, torn, of another boot, or could not be read in time. */
  readonly orders: GuardOrders | undefined
  readonly clocks: Clocks
  /** Whether the clustd that the orders name is alive; matters only before the guard is armed. */
  readonly isClustdAlive: boolean
}

/** What to do next. `end`: nothing is or will be guarded by this process. */
export type GuardDecision =
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'fire'; readonly why: string }
  | { readonly kind: 'end'; readonly why: string }

/** A guard that nobody arms ends by itself after this long. */
const IDLE_MS_MAX = 60_000
/** Before it is armed it looks this often; it is told when something changes. */
const IDLE_LOOK_MS = 500
/** It looks this many times in a guard time: often enough to notice a jump of the clocks, and to be seen alive. */
const LOOKS_PER_GUARD_TIME = 4
/** After a jump of the wall clock a new stamp must be there within so many intervals. (A correction of the clock at boot must not stop a whole cluster.) */
const PROOF_INTERVALS_MAX = 2

/** Begins to remember. */
export function newGuardMemory(me: ProcessIdentity, bootId: string, clocks: Clocks): GuardMemory {
  return { me, bootId, startedMs: clocks.monotonicMs, orders: undefined, proveAfterMs: undefined, seen: clocks }
}

/** Decides what the guard does now. Pure, and used by the guard process as well as by the simulation. */
export function decideGuard(
  memory: GuardMemory,
  look: GuardLook,
): { readonly decision: GuardDecision; readonly memory: GuardMemory } {
  const orders = newerOrders(memory, look.orders)
  const proveAfterMs = proofNeeded(memory, orders, look.clocks)
  const next = { ...memory, orders, proveAfterMs, seen: look.clocks }
  return { decision: decide(next, look), memory: next }
}

/**
 * The last good orders stay in force: what is missing, torn or old never extends a deadline. A deadline never moves back either, because the later
 * one was earned by a stamp.
 */
function newerOrders(memory: GuardMemory, read: GuardOrders | undefined): GuardOrders | undefined {
  const known = memory.orders
  if (read === undefined || read.bootId !== memory.bootId) return known
  if (known === undefined) return read
  if (read.write <= known.write) return known
  const isBack = known.state === 'armed' && read.state === 'armed' && read.deadlineMs < known.deadlineMs
  return isBack ? { ...read, deadlineMs: known.deadlineMs, aheadMs: known.aheadMs } : read
}

function proofNeeded(memory: GuardMemory, orders: GuardOrders | undefined, now: Clocks): number | undefined {
  if (orders?.state !== 'armed') return undefined
  if (clockJump(memory.seen, now, orders) === 'wall-jumped') return now.monotonicMs
  const isProved = memory.proveAfterMs !== undefined && sentMs(orders) > memory.proveAfterMs
  return isProved ? undefined : memory.proveAfterMs
}

function decide(memory: GuardMemory, { clocks, isClustdAlive }: GuardLook): GuardDecision {
  const { orders } = memory
  if (orders !== undefined && isReplaced(orders, memory.me)) {
    return { kind: 'end', why: 'another guard is in charge' }
  }
  switch (orders?.state) {
    case 'armed':
      if (orders.fire !== null) return { kind: 'fire', why: orders.fire }
      return watch(memory, orders, clocks)
    case 'disarmed':
      return { kind: 'end', why: 'disarmed' }
    default:
      return waitToBeArmed(memory, clocks, isClustdAlive)
  }
}

function isReplaced({ guard }: GuardOrders, me: ProcessIdentity): boolean {
  return guard !== null && (guard.pid !== me.pid || guard.startTicks !== me.startTicks)
}

function waitToBeArmed(memory: GuardMemory, clocks: Clocks, isClustdAlive: boolean): GuardDecision {
  const isTooLong = clocks.monotonicMs - memory.startedMs > IDLE_MS_MAX
  if (isTooLong || !isClustdAlive) return { kind: 'end', why: 'nobody armed it' }
  return { kind: 'wait', untilMs: clocks.monotonicMs + IDLE_LOOK_MS }
}

function watch(memory: GuardMemory, orders: GuardOrders, clocks: Clocks): GuardDecision {
  const now = clocks.monotonicMs
  const left = leftMs({ untilMs: orders.deadlineMs, aheadMs: orders.aheadMs }, clocks)
  if (left <= 0) return { kind: 'fire', why: describePassed(orders, left) }
  const lookAgainMs = now + Math.min(left, orders.guardMs / LOOKS_PER_GUARD_TIME)
  if (memory.proveAfterMs === undefined) return { kind: 'wait', untilMs: lookAgainMs }
  const proveUntilMs = memory.proveAfterMs + orders.stampMs * PROOF_INTERVALS_MAX
  if (now > proveUntilMs) {
    return {
      kind: 'fire',
      why: 'the wall clock jumped ahead, and no stamp proved afterwards that this host is a member',
    }
  }
  return { kind: 'wait', untilMs: Math.min(lookAgainMs, proveUntilMs + 1) }
}

function describePassed(orders: GuardOrders, left: number): string {
  const stampedAgoMs = Math.round(orders.guardMs - left)
  return `the deadline passed ${Math.round(-left)} ms ago: the last stamp that was committed is ${stampedAgoMs} ms old`
}

function sentMs({ deadlineMs, guardMs }: GuardOrders): number {
  return deadlineMs - guardMs
}
