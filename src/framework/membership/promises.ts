import type { Timings } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { actorOf } from '../model/mastery.ts'
import type { PhysicalHostName } from '../model/names.ts'
import { expiryMs } from './check-timings.ts'

// A host that does not reach the cluster database may act on as long as every other possible master of what it holds promises to take nothing over from
// it. A majority would not do: the one that is missing could be the one that takes over.

/** What a host has promised. A value: every function here returns a new one. */
export interface Promises {
  /** Until when nothing is taken over from each host; own monotonic clock, milliseconds. */
  readonly untilMs: ReadonlyMap<PhysicalHostName, number>
}

/** What is asked for. */
export interface PromiseQuestion {
  readonly from: PhysicalHostName
  readonly incarnation: number
  /** What the host that asks may do by the answer takes so long to run out, milliseconds. */
  readonly expiryMs: number
}

/** No promise given. */
export const NO_PROMISES: Promises = { untilMs: new Map() }

/**
 * Decides whether the promise may be given: only to the life that is a member as far as is known here. A host that was given up has lost what it held, and
 * whoever asks for a life that is not known yet will ask again.
 */
export function mayPromise(state: ClusterState, { from, incarnation }: PromiseQuestion): boolean {
  return state.members.get(from)?.incarnation === incarnation
}

/**
 * Notes a promise, given now. It is kept until whatever it allows has run out, counted from when the question was RECEIVED: it was sent before that, and
 * its sender counts from then. What was promised before is never shortened.
 */
export function givePromise(promises: Promises, question: PromiseQuestion, nowMs: number, timings: Timings): Promises {
  const { from } = question
  const before = promises.untilMs.get(from) ?? Number.NEGATIVE_INFINITY
  const untilMs = Math.max(before, nowMs + Math.max(question.expiryMs, expiryMs(timings)))
  return { untilMs: new Map(promises.untilMs).set(from, untilMs) }
}

/** Returns until when (own monotonic clock) nothing may be taken over from these hosts; undefined = no promise is in force. */
export function promisedUntilMs(
  promises: Promises,
  hosts: readonly PhysicalHostName[],
  nowMs: number,
): number | undefined {
  const ends = hosts.flatMap((host) => promises.untilMs.get(host) ?? []).filter((untilMs) => untilMs >= nowMs)
  return ends.length === 0 ? undefined : Math.max(...ends)
}

/** The other possible masters of all that this host holds: every one of them has to promise. Empty = nobody has to be asked. */
export function hostsToAsk(state: ClusterState, me: PhysicalHostName): ReadonlySet<PhysicalHostName> {
  const held = [...state.states.values()].filter(({ mastery }) => actorOf(mastery) === me)
  const masters = held.flatMap(({ name }) => state.logicalHosts.get(name)?.physicalHosts ?? [])
  return new Set(masters.filter((host) => host !== me))
}

/** One round of questions, asked at the same time. */
export interface Round {
  readonly round: number
  /** Own monotonic clock right before the questions were sent: what their answers allow counts from here. */
  readonly sentMs: number
  readonly given: ReadonlySet<PhysicalHostName>
}

/** Rounds whose answers are still waited for: more are too old to be of use. */
const ROUNDS_MAX = 8

/** Begins a round. */
export function beginRound(rounds: readonly Round[], sentMs: number): readonly Round[] {
  const round = (rounds.at(-1)?.round ?? 0) + 1
  return [...rounds, { round, sentMs, given: new Set<PhysicalHostName>() }].slice(-ROUNDS_MAX)
}

/** Takes an answer in; one to a round that is not waited for any more changes nothing. */
export function takePromise(rounds: readonly Round[], from: PhysicalHostName, round: number): readonly Round[] {
  return rounds.map((one) => (one.round === round ? { ...one, given: new Set([...one.given, from]) } : one))
}

/** Returns when the latest round was sent to which everybody who has to has promised; undefined = none. */
export function promisedSinceMs(rounds: readonly Round[], toAsk: ReadonlySet<PhysicalHostName>): number | undefined {
  return rounds.findLast(({ given }) => [...toAsk].every((host) => given.has(host)))?.sentMs
}
