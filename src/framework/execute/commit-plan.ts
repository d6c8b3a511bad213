import { HaError } from '../errors/ha-error.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { Cause, Plan, Reconfiguration } from '../model/reconfiguration.ts'
import type { ClusterDatabase, Guard, RecordKey } from '../ports/cluster-database.ts'
import type { Effects } from '../ports/effects.ts'
import type { ClusterView, Touched } from '../records/cluster-view.ts'
import { type Draft, draftsOf, putJournal, putReconfiguration, remove, toWrite } from '../records/encode.ts'
import { JOURNAL_KEY, keyOf } from '../records/keys.ts'

/** Who plans, and who checks the plan: handed in, because whoever executes cannot plan. */
export interface Planning {
  plan(state: ClusterState, cause: Cause, facts: { readonly nowWallMs: number }): Plan
  check(before: ClusterState, made: Plan): readonly PlanNote[]
}

/** What the independent checker found. */
export interface PlanNote {
  readonly severity: 'fatal' | 'warning'
  readonly subject: string
  readonly text: string
}

/** All that a plan was made from, so that a bug in the field becomes a scenario. */
export interface PlanInput {
  readonly state: ClusterState
  readonly cause: Cause
  readonly nowWallMs: number
  readonly plan: Plan
  readonly notes: readonly PlanNote[]
}

/** What commits need of the host they are made on. */
export interface CommitParts {
  readonly database: ClusterDatabase
  readonly view: ClusterView
  readonly effects: Effects
  readonly planning: Planning
  readonly me: PhysicalHostName
  /** Reconfigurations kept, those that a logical host still refers to come on top. */
  readonly journalMax: number
  /** Told what a commit or a new reading has changed in the view. */
  onTouched(touched: Touched): void
  /** Keeps what a plan was made from. Never throws, never waits. */
  recordPlan(input: PlanInput): void
}

/** A plan to be made and committed. */
export interface PlanRequest {
  readonly cause: Cause
  /** For a loss: the stamp of each lost host must still be at that revision, or still be absent. */
  readonly unchangedStamps?: ReadonlyMap<PhysicalHostName, number | undefined>
  /** Further records that must be as the view knows them. */
  readonly alsoGuards?: readonly RecordKey[]
  /** Further writes of the same transaction. */
  also?(plan: Plan): readonly Draft[]
  /** Asked before each planning; once it says no there is nothing to do any more. */
  isWanted?(): boolean
  /** Looks at the plan before it is committed, and throws when it is not wanted. */
  accept?(plan: Plan): void
}

/** A plan that was committed. */
export interface CommittedPlan {
  readonly plan: Plan
  readonly revision: number
}

/** Planning again because somebody else was faster: each time somebody got on, so this is reached by hundreds of hosts or by a bug. */
export const PLAN_TRIES_MAX = 20

/** Reconfigurations kept by default: weeks of a quiet cluster, a few megabytes of a busy one. */
export const JOURNAL_MAX_DEFAULT = 200

/**
 * Makes a plan from what is known, checks it, and commits it if nothing it rests on has changed; otherwise reads again and starts over. Resolves with null
 * when there is nothing to do. Throws what the planner throws, `PLAN_UNSAFE`, `LOST_RACE`, `DATABASE_*` (then it is unknown whether it was committed).
 */
export async function commitPlan(parts: CommitParts, request: PlanRequest): Promise<CommittedPlan | null> {
  for (let tries = 0; tries < PLAN_TRIES_MAX; tries += 1) {
    if (tries > 0) await readAgain(parts)
    if (request.isWanted?.() === false) return null
    const plan = makePlan(parts, request)
    if (plan === null) return null
    const drafts = draftsOfPlan(parts, plan, request)
    const guards = guardsOfPlan(parts.view, plan, request)
    const outcome = await parts.database.commit(guards, drafts.map(toWrite), { durability: 'durable' })
    if (outcome.kind === 'committed') {
      parts.onTouched(parts.view.committed(outcome.revision, drafts))
      return { plan, revision: outcome.revision }
    }
  }
  throw new HaError('LOST_RACE', `the state changed ${PLAN_TRIES_MAX} times while a plan was being committed`, {
    hint: 'Try again when the cluster has come to rest.',
  })
}

/** Brings the view up to date, after a lost race. */
export async function readAgain({ database, view, onTouched }: CommitParts): Promise<void> {
  onTouched(view.reset(await database.read()))
}

function makePlan({ view, effects, planning, recordPlan }: CommitParts, { cause, accept }: PlanRequest): Plan | null {
  const state = view.state()
  const nowWallMs = effects.nowWallMs()
  const plan = planning.plan(state, cause, { nowWallMs })
  if (plan.changes.length === 0 && plan.halves.length === 0) return null
  const notes = planning.check(state, plan)
  recordPlan({ state, cause, nowWallMs, plan, notes })
  const fatal = notes.filter(({ severity }) => severity === 'fatal')
  if (fatal.length > 0) {
    throw new HaError('PLAN_UNSAFE', `the plan for '${cause.kind}' breaks a rule of safety and was not committed`, {
      hint: 'Please report this with the newest file of var/lib/haven/plans.',
      details: fatal.map(({ subject, text }) => `${subject}: ${text}`),
    })
  }
  accept?.(plan)
  return plan
}

function draftsOfPlan(parts: CommitParts, plan: Plan, request: PlanRequest): readonly Draft[] {
  const { view, me, effects } = parts
  const { number, cause, because, halves, changes } = plan
  const made: Reconfiguration = { number, cause, because, halves, plannedBy: me, atWallMs: effects.nowWallMs() }
  const pruned = prunedBy(parts, plan)
  const kept = [...view.reconfigurations().keys(), number].filter((other) => !pruned.includes(other))
  const { members } = view.state()
  return [
    ...changes.flatMap((change) => draftsOf(change, (host) => members.get(host))),
    ...changes.flatMap((change) => (change.kind === 'member-gone' ? progressOf(view, change.host) : [])),
    ...putReconfiguration(made),
    putJournal({ last: number, first: Math.min(...kept) }),
    ...pruned.flatMap((other) => removalOf(view, other)),
    ...(request.also?.(plan) ?? []),
  ]
}

/** Lists the reconfigurations that fall out of the journal: the oldest ones, without those that a logical host's state refers to. */
function prunedBy({ view, journalMax }: CommitParts, plan: Plan): readonly number[] {
  const keptFrom = plan.number - journalMax + 1
  const old = [...view.reconfigurations().keys()].filter((number) => number < keptFrom)
  if (old.length === 0) return []
  const referred = new Map<LogicalHostName, number>()
  for (const state of view.state().states.values()) referred.set(state.name, state.reconfiguration)
  for (const change of plan.changes) {
    if (change.kind === 'logical-host') referred.set(change.state.name, change.state.reconfiguration)
  }
  const needed = new Set(referred.values())
  return old.filter((number) => !needed.has(number))
}

function removalOf(view: ClusterView, number: number): readonly Draft[] {
  const parts = Array.from({ length: view.partsOf(number) }, (_, index) =>
    remove(keyOf.reconfigurationPart(number, index + 1)),
  )
  const runs = view
    .halfRuns()
    .of(number)
    .map((run) => remove(keyOf.halfRun(run)))
  return [remove(keyOf.reconfiguration(number)), ...parts, ...runs]
}

/** A host that is gone will not delete its progress itself. */
function progressOf(view: ClusterView, host: PhysicalHostName): readonly Draft[] {
  return [...view.progress()].flatMap(([key, progress]) => (progress.host === host ? [remove(key)] : []))
}

function guardsOfPlan(view: ClusterView, plan: Plan, request: PlanRequest): readonly Guard[] {
  const { basedOn } = plan
  const keys = new Set<RecordKey>([
    JOURNAL_KEY,
    ...plan.changes.map(recordOf),
    ...basedOn.logicalHosts.map(keyOf.mastery),
    ...basedOn.dataServices.map(keyOf.dataService),
    ...basedOn.members.map(keyOf.member),
    ...(request.alsoGuards ?? []),
  ])
  const stamps = [...(request.unchangedStamps ?? [])].map(([host, revision]): Guard => {
    const key = keyOf.stamp(host)
    return revision === undefined ? { kind: 'absent', key } : { kind: 'at', key, revision }
  })
  return [...[...keys].map((key) => view.guardOf(key)), ...stamps]
}

/** The record that a change rests on and writes. */
export function recordOf(change: Plan['changes'][number]): RecordKey {
  switch (change.kind) {
    case 'logical-host':
      return keyOf.mastery(change.state.name)
    case 'service':
      return keyOf.dataService(change.service.name)
    case 'member-joined':
      return keyOf.member(change.member.host)
    case 'member-leaving':
    case 'member-gone':
      return keyOf.member(change.host)
  }
}
