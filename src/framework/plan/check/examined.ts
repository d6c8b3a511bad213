import type { DataService, LogicalHost } from '../../model/cluster-config.ts'
import type { ClusterState, Member } from '../../model/cluster-state.ts'
import type { LogicalHostState } from '../../model/mastery.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import { stateOfNewLogicalHost } from '../../model/new-logical-host.ts'
import type { Plan, StateChange } from '../../model/reconfiguration.ts'
import type { Action, Half, Step } from '../../model/step.ts'

/** A plan beside the state it was made from and the state that its commit makes. */
export interface Examined {
  readonly before: ClusterState
  readonly made: Plan
  readonly after: ClusterState
}

/** One place of a plan that breaks a rule. `subject`: the logical host, physical host or service that it is about. */
export interface Breach {
  readonly subject: string
  readonly text: string
}

/** What must never be in a plan (`fatal`), or should make somebody look (`warning`). */
export interface Rule {
  readonly name: string
  readonly severity: 'fatal' | 'warning'
  /** What holds for every good plan. */
  readonly sentence: string
  readonly find: (x: Examined) => readonly Breach[]
}

/** Puts a plan beside what its commit makes of the state. */
export function examine(before: ClusterState, made: Plan): Examined {
  return { before, made, after: stateAfter(before, made) }
}

/** Makes the state that a commit of the plan leaves, before any half has run. */
function stateAfter(before: ClusterState, made: Plan): ClusterState {
  const states = new Map(before.states)
  const dataServices = new Map(before.dataServices)
  const members = new Map(before.members)
  for (const change of made.changes) {
    if (change.kind === 'logical-host') states.set(change.state.name, change.state)
    else if (change.kind === 'service') dataServices.set(change.service.name, change.service)
    else applyToMembers(members, change)
  }
  return { ...before, states, dataServices, members, lastReconfiguration: made.number }
}

type MemberChange = Extract<StateChange, { kind: 'member-joined' | 'member-leaving' | 'member-gone' }>

function applyToMembers(members: Map<PhysicalHostName, Member>, change: MemberChange): void {
  if (change.kind === 'member-joined') members.set(change.member.host, change.member)
  else if (change.kind === 'member-gone') members.delete(change.host)
  else {
    const member = members.get(change.host)
    if (member !== undefined) members.set(change.host, { ...member, state: 'leaving' })
  }
}

/** A logical host whose record the plan writes. */
export interface StateMove {
  readonly name: LogicalHostName
  readonly before: LogicalHostState
  readonly after: LogicalHostState
}

/** Lists the logical hosts whose records the plan writes; one that has no state in `before` counts as new. */
export function stateMoves({ before, made }: Examined): readonly StateMove[] {
  return made.changes.flatMap((change) => {
    if (change.kind !== 'logical-host') return []
    const { name } = change.state
    return [{ name, before: before.states.get(name) ?? stateOfNewLogicalHost(name), after: change.state }]
  })
}

/** Tells whether the masteries differ in anything. */
export function masteryDiffers(move: StateMove): boolean {
  return !isSame(move.before.mastery, move.after.mastery)
}

/** Tells whether two values of the model say the same, whatever the order of their fields. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Lists the hosts that the cause gives up as lost; empty for every other cause. */
export function lostHosts({ made }: Examined): readonly PhysicalHostName[] {
  return made.cause.kind === 'hosts-lost' ? made.cause.hosts.map(({ host }) => host) : []
}

/** A step with the half it belongs to and its number as people count, from 1. */
export interface Placed<A extends Action = Action> {
  readonly half: Half
  readonly step: Step
  readonly action: A
  readonly number: number
}

/** Lists the steps of the halves, those of ladders left out. */
export function placedSteps(halves: readonly Half[]): readonly Placed[] {
  return halves.flatMap((half) =>
    half.steps.map((step, index) => ({ half, step, action: step.action, number: index + 1 })),
  )
}

/** Keeps the steps that do one kind of thing. */
export function stepsOf<K extends Action['kind']>(
  halves: readonly Half[],
  kind: K,
): readonly Placed<Extract<Action, { kind: K }>>[] {
  return placedSteps(halves).filter(
    (placed): placed is Placed<Extract<Action, { kind: K }>> => placed.action.kind === kind,
  )
}

/** A call of a method, in the plan or on a ladder of it. */
export type MethodAction = Extract<Action, { kind: 'method' }>

/** Lists all steps of a half in order, those of a ladder behind the step they stand in for. */
export function withLadders(half: Half): readonly Step[] {
  return half.steps.flatMap((step) => [step, ...ladderOf(step)])
}

/** Lists the steps of a step's ladder; empty when it has none. */
export function ladderOf(step: Step): readonly Step[] {
  return step.ifItFails.kind === 'ladder' ? step.ifItFails.steps : []
}

/** Names a half for a note. */
export function nameOfHalf(half: Half): string {
  return `${half.kind} of ${half.logicalHost} on ${half.host}`
}

/** Tells whether the service is on and configured on the logical host. */
export function serves(service: DataService | undefined, logicalHost: LogicalHostName): service is DataService {
  return service !== undefined && service.state === 'on' && service.logicalHosts.includes(logicalHost)
}

/** Lists the services that are on and configured on the logical host, in order of the configuration. */
export function servicesOn(state: ClusterState, logicalHost: LogicalHostName): readonly DataService[] {
  return [...state.dataServices.values()].filter((service) => serves(service, logicalHost))
}

/** Lists the services that the logical host is to be served with: on, configured there, and not among those it goes without. */
export function servicesToRun(state: ClusterState, logicalHost: LogicalHostName): readonly DataService[] {
  const without = state.states.get(logicalHost)?.without ?? []
  return servicesOn(state, logicalHost).filter((service) => !without.includes(service.name))
}

/**
 * Lists what a service depends on, directly and over others, among the services that are on and configured on a logical host:
 * dependencies order within one logical host only (Sun Cluster 2.2 Software Installation Guide, 10.7).
 */
export function dependenciesThere(
  state: ClusterState,
  service: DataService,
  logicalHost: LogicalHostName,
): ReadonlySet<DataServiceName> {
  return followDependencies(state, service, (next) => serves(next, logicalHost))
}

/** Lists what a service depends on, directly and over others, wherever they are. */
export function dependenciesAnywhere(state: ClusterState, service: DataService): ReadonlySet<DataServiceName> {
  return followDependencies(state, service, () => true)
}

function followDependencies(
  state: ClusterState,
  service: DataService,
  counts: (service: DataService) => boolean,
): ReadonlySet<DataServiceName> {
  const found = new Set<DataServiceName>()
  const open = [...service.dependsOn]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const next = state.dataServices.get(name)
    if (found.has(name) || next === undefined || !counts(next)) continue
    found.add(name)
    open.push(...next.dependsOn)
  }
  return found
}

/** Looks a logical host up; undefined when the plan is about one that is not configured. */
export function configOf({ before }: Examined, name: LogicalHostName): LogicalHost | undefined {
  return before.logicalHosts.get(name)
}
