import assert from 'node:assert/strict'
import { assertNever } from '../errors/assert-never.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { type LogicalHostState, type Mastery, uncleanOf } from '../model/mastery.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { Cause, StateChange } from '../model/reconfiguration.ts'
import type { Half, Leftover, Step } from '../model/step.ts'
import type { HalfOutcome } from '../model/timeline.ts'
import type { PlanFacts } from './draft.ts'

/** A half that has ended. */
export interface EndedHalf {
  readonly reconfiguration: number
  readonly half: Half
  readonly outcome: HalfOutcome
}

/** What the end of a half means. */
export type Advance =
  /** Commit this, guarded by the present generation; the barrier between the halves is this commit. */
  | { readonly kind: 'commit'; readonly changes: readonly StateChange[] }
  /** A new plan is needed, made and committed by the host whose half ended. */
  | { readonly kind: 'plan'; readonly cause: Cause }
  /** Commit, then end this host: its configuration prefers that to a stuck logical host. */
  | { readonly kind: 'abort-host'; readonly changes: readonly StateChange[]; readonly message: string }
  /** The end of a half that nobody waits for, or that may not be committed. */
  | { readonly kind: 'nothing' }

/** Decides what the end of a half means. Pure. The state must be one in which the half was due. */
export function advance(state: ClusterState, ended: EndedHalf, facts: PlanFacts): Advance {
  const { half, outcome } = ended
  if (outcome.kind === 'forbidden' || half.kind === 'watch-start' || half.kind === 'watch-stop')
    return { kind: 'nothing' }
  const at = state.states.get(half.logicalHost)
  assert(at !== undefined, `${half.logicalHost} has no state`)
  const become = (mastery: Mastery): StateChange[] => [change(at, mastery, facts)]
  switch (outcome.kind) {
    case 'done':
      return whenDone(state, at, half, become)
    case 'failed':
      return whenFailed(ended, outcome, become)
    case 'unproved':
      return whenStuck(state, at, half, outcome.leftovers, become)
    default:
      return assertNever(outcome)
  }
}

type Become = (mastery: Mastery) => StateChange[]

function whenDone(state: ClusterState, at: LogicalHostState, half: Half, become: Become): Advance {
  if (half.kind === 'give-up') return whenReleased(state, at, half.host, become)
  const [change, ...rest] = become({ kind: 'mastered', by: half.host })
  assert(change?.kind === 'logical-host' && rest.length === 0)
  return { kind: 'commit', changes: [{ ...change, state: withoutFailuresOn(change.state, half.host) }] }
}

/** It was taken on there after all, and the services that it is not mastered without have started. */
function withoutFailuresOn(at: LogicalHostState, host: PhysicalHostName): LogicalHostState {
  return {
    ...at,
    takeOnFailures: at.takeOnFailures.filter((failure) => failure.host !== host),
    startFailures: at.startFailures.filter((failure) => failure.host !== host || at.without.includes(failure.service)),
  }
}

function whenReleased(state: ClusterState, at: LogicalHostState, host: PhysicalHostName, become: Become): Advance {
  assert(at.mastery.kind === 'givingUp', `${at.name} is ${at.mastery.kind}`)
  const { destination, uncleanOn } = at.mastery
  if (destination.kind === 'nobody')
    return { kind: 'commit', changes: become({ kind: 'unmastered', why: destination.why, uncleanOn }) }
  if (state.members.get(destination.host)?.state !== 'joined')
    return { kind: 'plan', cause: { kind: 'heir-lost', logicalHost: at.name, host, follows: at.reconfiguration } }
  return { kind: 'commit', changes: become({ kind: 'takingOn', by: destination.host, uncleanOn }) }
}

function whenFailed(
  { half, reconfiguration }: EndedHalf,
  outcome: Extract<HalfOutcome, { kind: 'failed' }>,
  become: Become,
): Advance {
  const { logicalHost, host, kind } = half
  assert(kind === 'take-on' || kind === 'adjust', `a ${kind} half cannot fail: its steps are noted or climb the ladder`)
  const step = half.steps[outcome.failedStep]
  assert(step !== undefined, `the half has no step ${outcome.failedStep}`)
  const { message } = outcome
  const start = startOf(step, host, reconfiguration, message)
  // Only a start can end an adjustment; were it anything else, the logical host would still be where it was.
  if (kind === 'adjust' && start === undefined)
    return { kind: 'commit', changes: become({ kind: 'mastered', by: host }) }
  const cause = { kind: 'half-failed', logicalHost, host, half: kind, follows: reconfiguration, message } as const
  return { kind: 'plan', cause: start === undefined ? cause : { ...cause, start } }
}

function startOf(
  { action }: Step,
  host: PhysicalHostName,
  reconfiguration: number,
  message: string,
): Extract<Cause, { kind: 'half-failed' }>['start'] {
  if (action.kind !== 'method') return undefined
  return { service: action.service, host, method: action.method, reconfiguration, message }
}

function whenStuck(
  state: ClusterState,
  at: LogicalHostState,
  half: Half,
  leftovers: readonly Leftover[],
  become: Become,
): Advance {
  assert(at.mastery.kind === 'givingUp', `${at.name} is ${at.mastery.kind}`)
  const changes = become({
    kind: 'stuck',
    on: half.host,
    leftovers,
    destination: at.mastery.destination,
    uncleanOn: uncleanOf(at.mastery),
  })
  if (state.logicalHosts.get(at.name)?.onStuck !== 'abort') return { kind: 'commit', changes }
  return {
    kind: 'abort-host',
    changes,
    message: `${at.name} cannot be released provably, and is configured to end the host then (onStuck: abort)`,
  }
}

function change(at: LogicalHostState, mastery: Mastery, facts: PlanFacts): StateChange {
  return {
    kind: 'logical-host',
    state: {
      ...at,
      mastery,
      heirs: uncleanOf(mastery).length === 0 ? null : at.heirs,
      generation: at.generation + 1,
      sinceWallMs: facts.nowWallMs,
    },
  }
}
