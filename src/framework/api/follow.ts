import type { ClusterState } from '../model/cluster-state.ts'
import type { LogicalHostName } from '../model/names.ts'
import type { Reconfiguration } from '../model/reconfiguration.ts'
import { describeMastery } from '../plan/describe.ts'
import type { Effects } from '../ports/effects.ts'
import { collectDurations, isWaitedFor } from './expected-durations.ts'
import { whyNotReached } from './goal.ts'
import { logicalHostsOf, type ReconfigurationFacts, reachesOf, stateOf } from './reconfiguration-state.ts'
import type { ApiServices } from './services.ts'
import { isTurnOf, viewEndedHalf } from './views/half-view.ts'
import { viewCause, viewPlan } from './views/plan-view.ts'
import { viewProgress } from './views/status-view.ts'
import { FOLLOW_SILENCE_MS_MAX, type FollowEvent } from './wire.ts'

/** What a reconfiguration is followed with. */
export interface FollowOptions {
  readonly effects: Pick<Effects, 'nowMonotonicMs' | 'nowWallMs'>
  /** Aborts when the reader goes away or the daemon stops. */
  readonly signal: AbortSignal
}

/** Reconfigurations in one chain: one for each possible master and service that will not start there, several times over. */
const CHAIN_MAX = 100
/** Times the step timeout of the cluster; what takes longer is watched with `hastat`. */
const STEP_TIMEOUTS_MAX = 4

/**
 * Tells what a reconfiguration does until its logical hosts are at rest; goes on with those that supersede it. The last event is `end`.
 * The reconfiguration must be kept. Ends early, with outcome `unknown`, after a bounded time, a bounded chain, or when the signal aborts.
 */
export async function* follow(
  services: ApiServices,
  first: Reconfiguration,
  { effects, signal }: FollowOptions,
): AsyncGenerator<FollowEvent> {
  const told = new Told(services)
  const deadlineMs = effects.nowMonotonicMs() + services.state().cluster.stepTimeoutS * 1000 * STEP_TIMEOUTS_MAX
  yield* told.begin(first)
  for (;;) {
    // Read before anything is told: a change that comes meanwhile ends the wait below at once.
    const { revision } = services.state()
    const news = [...told.tellNews()]
    yield* news
    if (told.isSettled()) return yield told.end(first, effects.nowWallMs(), [])
    const why = whyStop(told, effects.nowMonotonicMs() >= deadlineMs, signal)
    if (why !== undefined) return yield told.end(first, effects.nowWallMs(), [why])
    // Woken up for nothing, by the time or by changes elsewhere: the reader shall know that clustd is alive.
    if (news.length === 0) yield { kind: 'alive' }
    // A failure to wait is the abort, which the next round sees.
    await services.changed(revision, FOLLOW_SILENCE_MS_MAX, signal).catch(() => revision)
  }
}

function whyStop(told: Told, isLate: boolean, signal: AbortSignal): string | undefined {
  if (signal.aborted) return 'Nobody follows it any more, or clustd stops; it may still go on.'
  if (isLate) return 'It has taken longer than it is followed; it may still go on.'
  return told.chain.length > CHAIN_MAX ? `More than ${CHAIN_MAX} reconfigurations followed each other.` : undefined
}

/** What a reader has been told. */
class Told {
  readonly chain: Reconfiguration[] = []
  readonly #services: ApiServices
  /** Keys of events that are told once. */
  readonly #once = new Set<string>()

  constructor(services: ApiServices) {
    this.#services = services
  }

  *begin(reconfiguration: Reconfiguration): Generator<FollowEvent> {
    this.chain.push(reconfiguration)
    const plan = viewPlan(reconfiguration, {
      id: null,
      durations: collectDurations([]),
      parallelMovesMax: this.#services.state().cluster.budgets.parallelMovesMax,
      warnings: [],
    })
    yield { kind: 'plan', reconfiguration: reconfiguration.number, plan }
  }

  *tellNews(): Generator<FollowEvent> {
    // The chain grows while it is walked: a new plan is told right behind what it supersedes.
    for (const reconfiguration of this.chain) yield* this.#tell(this.#factsOf(reconfiguration))
  }

  isSettled(): boolean {
    return this.chain.every((reconfiguration) => stateOf(this.#factsOf(reconfiguration)) !== 'running')
  }

  end(first: Reconfiguration, nowWallMs: number, unknown: readonly string[]): FollowEvent {
    const state = this.#services.state()
    const logicalHosts = [...new Set(this.chain.flatMap(logicalHostsOf))]
    const why = whyNotReached(state, first.cause, logicalHosts)
    return {
      kind: 'end',
      reconfiguration: this.chain.at(-1)?.number ?? first.number,
      outcome: unknown.length > 0 ? 'unknown' : why.length > 0 ? 'not reached' : 'reached',
      why: [...unknown, ...why],
      logicalHosts: sentencesOf(state, logicalHosts),
      durationMs: Math.max(0, nowWallMs - first.atWallMs),
    }
  }

  *#tell(facts: ReconfigurationFacts): Generator<FollowEvent> {
    const { number, halves, atWallMs } = facts.reconfiguration
    for (const run of facts.runs) {
      if (this.#isNew(`started ${number} ${run.logicalHost} ${run.host} ${run.kind}`) && isWaitedFor(run))
        yield startedEvent(number, run)
      if (this.#isNew(`ended ${number} ${run.logicalHost} ${run.host} ${run.kind}`))
        yield { kind: 'half-ended', reconfiguration: number, half: viewEndedHalf(run, atWallMs) }
    }
    for (const half of halves) {
      if (isTurnOf(facts, half) && this.#isNew(`started ${number} ${half.logicalHost} ${half.host} ${half.kind}`))
        yield startedEvent(number, half)
    }
    for (const progress of this.#services.progress()) {
      const { reconfiguration, logicalHost, host, kind, step, startedWallMs } = progress
      if (
        reconfiguration === number &&
        this.#isNew(`step ${number} ${logicalHost} ${host} ${kind} ${step} ${startedWallMs}`)
      )
        yield { kind: 'progress', progress: viewProgress(progress) }
    }
    yield* this.#tellSuccessors(facts)
  }

  *#tellSuccessors(facts: ReconfigurationFacts): Generator<FollowEvent> {
    const { number } = facts.reconfiguration
    for (const reach of reachesOf(facts).values()) {
      if (reach.kind !== 'superseded' || !this.#isNew(`superseded ${number} ${reach.by}`)) continue
      const next = facts.kept.find((later) => later.number === reach.by)
      if (next === undefined) continue
      yield { kind: 'superseded', reconfiguration: number, by: next.number, cause: viewCause(next.cause) }
      if (!this.chain.some((known) => known.number === next.number)) yield* this.begin(next)
    }
  }

  #isNew(key: string): boolean {
    if (this.#once.has(key)) return false
    this.#once.add(key)
    return true
  }

  #factsOf(reconfiguration: Reconfiguration): ReconfigurationFacts {
    return {
      state: this.#services.state(),
      reconfiguration,
      runs: this.#services.halfRuns(reconfiguration.number),
      kept: this.#services.reconfigurations(),
    }
  }
}

function startedEvent(
  reconfiguration: number,
  { logicalHost, host, kind }: Pick<Reconfiguration['halves'][number], 'logicalHost' | 'host' | 'kind'>,
): FollowEvent {
  return { kind: 'half-started', reconfiguration, logicalHost, host, half: kind }
}

function sentencesOf(
  state: ClusterState,
  logicalHosts: readonly LogicalHostName[],
): readonly { readonly logicalHost: string; readonly sentence: string }[] {
  return logicalHosts.flatMap((logicalHost) => {
    const life = state.states.get(logicalHost)
    return life === undefined ? [] : [{ logicalHost, sentence: describeMastery(life) }]
  })
}
