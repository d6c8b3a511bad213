import type { ClusterState } from '../model/cluster-state.ts'
import { isInMotion } from '../model/mastery.ts'
import type { LogicalHostName } from '../model/names.ts'
import type { Reconfiguration } from '../model/reconfiguration.ts'
import type { Half } from '../model/step.ts'
import type { HalfRun } from '../model/timeline.ts'
import { groupBy, isWaitedFor } from './expected-durations.ts'
import type { ReconfigurationStateJson } from './wire.ts'

/** What is known of a reconfiguration. */
export interface ReconfigurationFacts {
  readonly state: ClusterState
  readonly reconfiguration: Reconfiguration
  /** Its halves that have ended. */
  readonly runs: readonly HalfRun[]
  /** All that are kept, oldest first. */
  readonly kept: readonly Reconfiguration[]
}

/** How far a reconfiguration is with one logical host. `by`: the reconfiguration that took the logical host over. */
export type Reach =
  | { readonly kind: 'running' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'superseded'; readonly by: number }

/** Lists the logical hosts that a reconfiguration does something with. */
export function logicalHostsOf(reconfiguration: Reconfiguration): readonly LogicalHostName[] {
  return [...new Set([...reconfiguration.halves, ...reconfiguration.because].map(({ logicalHost }) => logicalHost))]
}

/** Tells how far a reconfiguration is with each of its logical hosts. */
export function reachesOf(facts: ReconfigurationFacts): ReadonlyMap<LogicalHostName, Reach> {
  // Grouped once: with hundreds of logical hosts in one plan a search for each would be quadratic.
  const waited = groupBy(facts.reconfiguration.halves.filter(isWaitedFor), (half) => half.logicalHost)
  const runs = groupBy(facts.runs.filter(isWaitedFor), (run) => run.logicalHost)
  return new Map(
    logicalHostsOf(facts.reconfiguration).map((logicalHost) => [
      logicalHost,
      reachOf(facts, logicalHost, waited.get(logicalHost) ?? [], runs.get(logicalHost) ?? []),
    ]),
  )
}

function reachOf(
  facts: ReconfigurationFacts,
  logicalHost: LogicalHostName,
  waited: readonly Half[],
  runs: readonly HalfRun[],
): Reach {
  const { number } = facts.reconfiguration
  const at = facts.state.states.get(logicalHost)
  if (waited.length === 0 || at === undefined) return { kind: 'done' }
  if (at.reconfiguration === number && isInMotion(at.mastery)) return { kind: 'running' }
  const isFailed = runs.some(({ outcome }) => outcome.kind !== 'done')
  if (at.reconfiguration === number) return { kind: isFailed ? 'failed' : 'done' }
  const isComplete = waited.every((half) => runs.some((run) => run.host === half.host && run.kind === half.kind))
  if (isComplete && !isFailed) return { kind: 'done' }
  const next = facts.kept.find((later) => later.number > number && logicalHostsOf(later).includes(logicalHost))
  return { kind: 'superseded', by: next?.number ?? at.reconfiguration }
}

/** Tells how far a reconfiguration is with all of its logical hosts. */
export function stateOf(facts: ReconfigurationFacts): ReconfigurationStateJson {
  const kinds = new Set([...reachesOf(facts).values()].map(({ kind }) => kind))
  const worst = (['running', 'superseded', 'failed'] as const).find((kind) => kinds.has(kind))
  return worst ?? 'done'
}

/** Returns the number of the first reconfiguration that took over from this one; null = none. */
export function followedBy(facts: ReconfigurationFacts): number | null {
  const numbers = [...reachesOf(facts).values()].flatMap((reach) => (reach.kind === 'superseded' ? [reach.by] : []))
  return numbers.length === 0 ? null : Math.min(...numbers)
}

/** Returns the number of the reconfiguration that this one continues after a failure; null = none. */
export function followsOf({ cause }: Reconfiguration): number | null {
  return 'follows' in cause ? cause.follows : null
}

/**
 * Milliseconds from the commit of the plan to the end of its last half that is waited for, by the clocks of the hosts; 0 when there is none to
 * wait for. Null = it runs, or nothing of it ever ran.
 */
export function durationOf(facts: ReconfigurationFacts): number | null {
  if (stateOf(facts) === 'running') return null
  const { halves, atWallMs } = facts.reconfiguration
  if (!halves.some(isWaitedFor)) return 0
  const ends = facts.runs.filter(isWaitedFor).map((run) => run.startedWallMs + run.durationMs - atWallMs)
  return ends.length === 0 ? null : Math.max(0, ...ends)
}

/** Finds the newest reconfiguration that did something to a logical host: that a host left when everything had moved tells nobody anything. */
export function lastTouching(kept: readonly Reconfiguration[]): Reconfiguration | undefined {
  return kept.findLast(({ halves }) => halves.some(isWaitedFor))
}
