import { HaError } from '../errors/ha-error.ts'
import type { ClusterConfig, DataService, LogicalHost } from '../model/cluster-config.ts'
import type { ClusterState, Member } from '../model/cluster-state.ts'
import { type LogicalHostState, type Mastery, uncleanOf } from '../model/mastery.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../model/names.ts'
import { stateOfNewLogicalHost } from '../model/new-logical-host.ts'
import type { Because, Cause, Plan, StateChange } from '../model/reconfiguration.ts'
import { isSameValue } from '../model/same-value.ts'
import type { Half } from '../model/step.ts'
import { servicesOn } from './service-order.ts'

/** What the planner is told beside the state. */
export interface PlanFacts {
  /** For `sinceWallMs` and the windows of the budgets; never to decide about safety. */
  readonly nowWallMs: number
}

/** A plan in the making: the state as it will be once the plan is committed, and what led there. Never leaves `plan/`. */
export class Draft {
  readonly before: ClusterState
  readonly number: number
  readonly facts: PlanFacts
  readonly #cause: Cause
  readonly #members: Map<PhysicalHostName, Member>
  readonly #services: Map<DataServiceName, DataService>
  readonly #states = new Map<LogicalHostName, LogicalHostState>()
  readonly #because: Because[] = []
  readonly #halves: Half[] = []
  readonly #memberChanges: StateChange[] = []
  readonly #changedServices = new Set<DataServiceName>()
  readonly #relied = new Set<LogicalHostName>()

  constructor(before: ClusterState, cause: Cause, facts: PlanFacts) {
    this.before = before
    this.number = before.lastReconfiguration + 1
    this.facts = facts
    this.#cause = cause
    this.#members = new Map(before.members)
    this.#services = new Map(before.dataServices)
  }

  get cluster(): ClusterConfig {
    return this.before.cluster
  }

  get services(): ReadonlyMap<DataServiceName, DataService> {
    return this.#services
  }

  /** Returns the configuration of a logical host; `NOT_FOUND` when there is none. */
  logicalHost(name: LogicalHostName): LogicalHost {
    const found = this.before.logicalHosts.get(name)
    if (found === undefined) {
      throw new HaError('NOT_FOUND', `there is no logical host ${name}`, {
        hint: `Configured are: ${[...this.before.logicalHosts.keys()].join(', ') || 'none'}.`,
      })
    }
    return found
  }

  /** Returns the state of a logical host as drafted so far. */
  state(name: LogicalHostName): LogicalHostState {
    return this.#states.get(name) ?? this.before.states.get(name) ?? stateOfNewLogicalHost(name)
  }

  /** Whether the host is a member that may take logical hosts on. */
  isFit(host: PhysicalHostName): boolean {
    return this.#members.get(host)?.state === 'joined'
  }

  member(host: PhysicalHostName): Member | undefined {
    return this.#members.get(host)
  }

  /** Lists the services that are on and configured on the logical host, in start order, whether or not it is mastered without some. */
  servicesOn(name: LogicalHostName): readonly DataService[] {
    return servicesOn(this.#services, name)
  }

  /** Lists the services that run, or shall run, on the logical host: those that are on, without the ones it is mastered without. */
  servicesRunning(name: LogicalHostName): readonly DataService[] {
    const { without } = this.state(name)
    return this.servicesOn(name).filter((service) => !without.includes(service.name))
  }

  /** Changes what is remembered about a logical host, without a change of its mastery. */
  remember(name: LogicalHostName, patch: Partial<Omit<LogicalHostState, 'name' | 'mastery' | 'generation'>>): void {
    this.#states.set(name, { ...this.state(name), ...patch })
  }

  /** Moves a logical host to its next mastery. */
  become(name: LogicalHostName, mastery: Mastery): void {
    const { heirs } = this.state(name)
    // What nobody left unclean nobody can hold unseen.
    this.#states.set(name, { ...this.state(name), mastery, heirs: uncleanOf(mastery).length === 0 ? null : heirs })
  }

  join(member: Member): void {
    this.#members.set(member.host, member)
    this.#memberChanges.push({ kind: 'member-joined', member })
  }

  beginLeaving(host: PhysicalHostName): void {
    const member = this.#members.get(host)
    if (member === undefined || member.state === 'leaving') return
    this.#members.set(host, { ...member, state: 'leaving' })
    this.#memberChanges.push({ kind: 'member-leaving', host })
  }

  removeMember(host: PhysicalHostName): void {
    if (!this.#members.delete(host)) return
    this.#memberChanges.push({ kind: 'member-gone', host })
  }

  putService(service: DataService): void {
    this.#services.set(service.name, service)
    this.#changedServices.add(service.name)
  }

  /** Says why a logical host goes where it goes, or stays. */
  because(logicalHost: LogicalHostName, sentence: string): void {
    this.#because.push({ logicalHost, sentence })
    this.#relied.add(logicalHost)
  }

  /** Makes the plan void if the logical host has changed since: what is planned rests on where it is, although nothing is planned for it. */
  rely(logicalHost: LogicalHostName): void {
    this.#relied.add(logicalHost)
  }

  /** Adds a half, unless it has no steps and nothing waits for its end. */
  addHalf(half: Half): void {
    const isWatch = half.kind === 'watch-start' || half.kind === 'watch-stop'
    if (isWatch && half.steps.length === 0) return
    this.#halves.push(half)
    this.#relied.add(half.logicalHost)
  }

  /** Closes the draft. */
  finish(): Plan {
    const changes = [...this.#memberChanges, ...this.#serviceChanges(), ...this.#stateChanges()]
    return {
      number: this.number,
      cause: this.#cause,
      because: this.#because,
      halves: this.#halves,
      changes,
      basedOn: this.#basedOn(),
    }
  }

  #serviceChanges(): StateChange[] {
    return [...this.#changedServices].flatMap((name): StateChange[] => {
      const service = this.#services.get(name)
      return service === undefined || isSameValue(service, this.before.dataServices.get(name))
        ? []
        : [{ kind: 'service', service }]
    })
  }

  #stateChanges(): StateChange[] {
    const withHalves = new Set(this.#halves.map((half) => half.logicalHost))
    return [...this.#states.values()].flatMap((drafted): StateChange[] => {
      const was = this.before.states.get(drafted.name) ?? stateOfNewLogicalHost(drafted.name)
      const moved = !isSameValue(was.mastery, drafted.mastery)
      // A plan that only calls methods again still makes its halves the ones to run, so the generation grows with it too.
      const counts = moved || withHalves.has(drafted.name)
      if (!counts && isSameValue(was, drafted)) return []
      const state: LogicalHostState = counts
        ? {
            ...drafted,
            generation: was.generation + 1,
            reconfiguration: this.number,
            sinceWallMs: moved ? this.facts.nowWallMs : was.sinceWallMs,
          }
        : drafted
      return [{ kind: 'logical-host', state }]
    })
  }

  #basedOn(): Plan['basedOn'] {
    const logicalHosts = [...this.#relied].filter((name) => this.before.logicalHosts.has(name))
    const relied = new Set(logicalHosts)
    const changed = this.#changedServices
    const dataServices = [...this.before.dataServices.values()].filter(
      (service) => changed.has(service.name) || service.logicalHosts.some((name) => relied.has(name)),
    )
    const members = new Set(this.#halves.map((half) => half.host).filter((host) => this.before.members.has(host)))
    return { logicalHosts, dataServices: dataServices.map((service) => service.name), members: [...members] }
  }
}
