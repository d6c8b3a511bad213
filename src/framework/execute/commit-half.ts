import { assertNever } from '../errors/assert-never.ts'
import { HaError } from '../errors/ha-error.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { Cause, StateChange } from '../model/reconfiguration.ts'
import type { HalfRun } from '../model/timeline.ts'
import type { RecordKey } from '../ports/cluster-database.ts'
import { type Draft, draftsOf, putHalfRun, remove, toWrite } from '../records/encode.ts'
import { keyOf } from '../records/keys.ts'
import {
  type CommitParts,
  type CommittedPlan,
  PLAN_TRIES_MAX,
  type PlanRequest,
  readAgain,
  recordOf,
} from './commit-plan.ts'
import type { DueHalf } from './execute-half.ts'

/** What the end of a half means, as the planner decides it (`plan/advance.ts`). */
export type HalfMeans =
  | { readonly kind: 'commit'; readonly changes: readonly StateChange[] }
  | { readonly kind: 'plan'; readonly cause: Cause }
  | { readonly kind: 'abort-host'; readonly changes: readonly StateChange[]; readonly message: string }
  | { readonly kind: 'nothing' }

/** What the commit of a half needs beside what all commits need. */
export interface CommitHalfParts extends CommitParts {
  advance(
    state: ClusterState,
    ended: { readonly reconfiguration: number; readonly half: DueHalf['half']; readonly outcome: HalfRun['outcome'] },
    facts: { readonly nowWallMs: number },
  ): HalfMeans
  /** Makes and commits a plan, after those that wait already. */
  submitPlan(request: PlanRequest): Promise<CommittedPlan | null>
}

/** What became of the end of a half. */
export type HalfCommitted =
  | { readonly kind: 'committed' }
  /** A further plan was made. */
  | { readonly kind: 'planned'; readonly number: number }
  /** Committed, and the host is to be ended now. */
  | { readonly kind: 'abort-host'; readonly message: string }
  /** Nothing was committed: the half was cut off, or the logical host has moved on without it. */
  | { readonly kind: 'dropped' }

/**
 * Commits the end of a half with its timeline, in one transaction that is guarded on the state of the logical host. Throws what `commitPlan` throws.
 */
export async function commitHalf(parts: CommitHalfParts, due: DueHalf, run: HalfRun): Promise<HalfCommitted> {
  const { half, reconfiguration } = due
  if (run.outcome.kind === 'forbidden') return { kind: 'dropped' }
  for (let tries = 0; tries < PLAN_TRIES_MAX; tries += 1) {
    if (tries > 0) await readAgain(parts)
    if (half.kind === 'watch-start' || half.kind === 'watch-stop') return await commitWatch(parts, run)
    const state = parts.view.state()
    if (state.states.get(half.logicalHost)?.generation !== due.generation) return { kind: 'dropped' }
    const facts = { nowWallMs: parts.effects.nowWallMs() }
    const means = parts.advance(state, { reconfiguration, half, outcome: run.outcome }, facts)
    const done = await carryOut(parts, due, run, means)
    if (done !== 'lost-race') return done
  }
  throw new HaError('LOST_RACE', `the state of ${half.logicalHost} changed ${PLAN_TRIES_MAX} times in a row`)
}

async function carryOut(
  parts: CommitHalfParts,
  due: DueHalf,
  run: HalfRun,
  means: HalfMeans,
): Promise<HalfCommitted | 'lost-race'> {
  switch (means.kind) {
    case 'commit':
      return (await commitChanges(parts, run, means.changes)) ? { kind: 'committed' } : 'lost-race'
    case 'abort-host':
      if (!(await commitChanges(parts, run, means.changes))) return 'lost-race'
      return { kind: 'abort-host', message: means.message }
    case 'plan':
      return await planOn(parts, due, run, means.cause)
    case 'nothing':
      return { kind: 'dropped' }
    default:
      return assertNever(means)
  }
}

/** The further plan and the timeline of the half that made it necessary are one transaction: neither is seen without the other. */
async function planOn(parts: CommitHalfParts, due: DueHalf, run: HalfRun, cause: Cause): Promise<HalfCommitted> {
  const name = due.half.logicalHost
  const made = await parts.submitPlan({
    cause,
    alsoGuards: [keyOf.mastery(name)],
    also: () => ended(parts, run),
    isWanted: () => parts.view.state().states.get(name)?.generation === due.generation,
  })
  return made === null ? { kind: 'dropped' } : { kind: 'planned', number: made.plan.number }
}

async function commitChanges(parts: CommitHalfParts, run: HalfRun, changes: readonly StateChange[]): Promise<boolean> {
  const { database, view } = parts
  const { members } = view.state()
  const drafts = [...changes.flatMap((change) => draftsOf(change, (host) => members.get(host))), ...ended(parts, run)]
  const keys = new Set<RecordKey>([keyOf.mastery(run.logicalHost), ...changes.map(recordOf), ...heirs(changes)])
  const guards = [...keys].map((key) => view.guardOf(key))
  const outcome = await database.commit(guards, drafts.map(toWrite), { durability: 'durable' })
  if (outcome.kind === 'committed') parts.onTouched(view.committed(outcome.revision, drafts))
  return outcome.kind === 'committed'
}

/** Whoever is to take on must still be the member that it was when that was decided. */
function heirs(changes: readonly StateChange[]): readonly RecordKey[] {
  return changes.flatMap((change) =>
    change.kind === 'logical-host' && change.state.mastery.kind === 'takingOn'
      ? [keyOf.member(change.state.mastery.by)]
      : [],
  )
}

/** Nobody waits for a watch half, and it may be run again: its timeline costs no fsync. It is not kept once its reconfiguration is not. */
async function commitWatch(parts: CommitHalfParts, run: HalfRun): Promise<HalfCommitted> {
  const { database, view } = parts
  const guard = view.guardOf(keyOf.reconfiguration(run.reconfiguration))
  if (guard.kind === 'absent') return { kind: 'dropped' }
  const drafts = ended(parts, run)
  const outcome = await database.commit([guard], drafts.map(toWrite), { durability: 'volatile' })
  if (outcome.kind === 'lost-race') return { kind: 'dropped' }
  parts.onTouched(view.committed(outcome.revision, drafts))
  return { kind: 'committed' }
}

function ended({ view }: CommitParts, run: HalfRun): readonly Draft[] {
  const progress = keyOf.progress(run.logicalHost, run.host)
  return [putHalfRun(run), ...(view.progress().has(progress) ? [remove(progress)] : [])]
}
