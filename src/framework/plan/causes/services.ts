import { HaError } from '../../errors/ha-error.ts'
import type { DataService } from '../../model/cluster-config.ts'
import { masterOf } from '../../model/mastery.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import type { Draft } from '../draft.ts'
import { addWatchStop, beginServiceSteps, endServiceSteps } from '../halves.ts'
import { adjust } from '../moves.ts'
import { checkAtRest } from './requests.ts'
import { settleAll } from './settle.ts'

/** `hareg -y`: starts services wherever their logical hosts are mastered. One that is on already is left alone, unless a logical host is mastered without it. */
export function planServicesOn(draft: Draft, names: readonly DataServiceName[]): void {
  const services = names.map((name) => serviceOf(draft, name))
  for (const service of services) checkDependenciesOn(draft, service, names)
  for (const service of services) draft.putService({ ...service, state: 'on' })
  const isWanted = (service: DataService, at: LogicalHostName): boolean =>
    service.state === 'off' || draft.state(at).without.includes(service.name)
  for (const at of logicalHostsOf(services)) {
    const starting = services.filter((service) => service.logicalHosts.includes(at) && isWanted(service, at))
    startOn(
      draft,
      at,
      starting.map((service) => service.name),
    )
  }
  settleAll(draft)
}

/** `hareg -n`: stops services wherever their logical hosts are mastered. */
export function planServicesOff(draft: Draft, names: readonly DataServiceName[]): void {
  const services = names.map((name) => serviceOf(draft, name))
  for (const service of services) checkNobodyDepends(draft, service, names)
  const running = services.filter((service) => service.state === 'on')
  const stops = [...logicalHostsOf(running)].flatMap((at) => stopsOn(draft, at, running))
  for (const service of running) draft.putService({ ...service, state: 'off' })
  for (const stop of stops) stopOn(draft, stop)
}

/** `scconf -s`: extends or narrows the set of logical hosts of a service; one that is on is started or stopped there at once. */
export function planServiceHosts(
  draft: Draft,
  name: DataServiceName,
  add: readonly LogicalHostName[],
  remove: readonly LogicalHostName[],
): void {
  const service = serviceOf(draft, name)
  for (const at of [...add, ...remove]) draft.logicalHost(at)
  const added = add.filter((at) => !service.logicalHosts.includes(at))
  const removed = remove.filter((at) => service.logicalHosts.includes(at))
  const stops = service.state === 'on' ? removed.flatMap((at) => stopsOn(draft, at, [service])) : []
  draft.putService({
    ...service,
    logicalHosts: [...service.logicalHosts.filter((at) => !removed.includes(at)), ...added],
  })
  for (const stop of stops) stopOn(draft, stop)
  if (service.state === 'on') for (const at of added) startOn(draft, at, [name])
}

/** Starts services on the master of a logical host; what failed before is forgotten for them. */
function startOn(draft: Draft, at: LogicalHostName, names: readonly DataServiceName[]): void {
  const state = draft.state(at)
  if (names.length === 0 || state.mastery.kind === 'unmastered' || state.mastery.kind === 'stuck') return
  checkAtRest(draft, at)
  const master = masterOf(state.mastery)
  if (master === undefined) return
  draft.remember(at, {
    without: state.without.filter((name) => !names.includes(name)),
    startFailures: state.startFailures.filter((failure) => !names.includes(failure.service)),
  })
  adjust(
    draft,
    at,
    master,
    beginServiceSteps(draft.servicesRunning(at).filter((service) => names.includes(service.name))),
  )
  draft.because(at, `${names.join(', ')} switched on, on ${master}`)
}

/** Services to be stopped on the master of one logical host. */
interface Stop {
  readonly at: LogicalHostName
  readonly master: PhysicalHostName
  /** In start order. */
  readonly services: readonly DataService[]
}

/** Finds what has to be stopped on a logical host, before the services are drafted as off. Empty when nothing of them runs there. */
function stopsOn(draft: Draft, at: LogicalHostName, stopping: readonly DataService[]): readonly Stop[] {
  const { mastery } = draft.state(at)
  if (mastery.kind === 'unmastered' || mastery.kind === 'stuck') return []
  checkAtRest(draft, at)
  const master = masterOf(mastery)
  const services = draft.servicesOn(at).filter((service) => stopping.some(({ name }) => name === service.name))
  return master === undefined || services.length === 0 ? [] : [{ at, master, services }]
}

function stopOn(draft: Draft, { at, master, services }: Stop): void {
  const names = services.map((service) => service.name)
  addWatchStop(draft, at, master, services)
  draft.remember(at, { without: draft.state(at).without.filter((name) => !names.includes(name)) })
  adjust(
    draft,
    at,
    master,
    services.toReversed().flatMap((service) => endServiceSteps(draft, service)),
  )
  draft.because(at, `${names.join(', ')} switched off, on ${master}`)
}

function serviceOf(draft: Draft, name: DataServiceName): DataService {
  const found = draft.services.get(name)
  if (found === undefined) {
    throw new HaError('NOT_FOUND', `there is no data service ${name}`, {
      hint: `Registered are: ${[...draft.services.keys()].join(', ') || 'none'}.`,
    })
  }
  return found
}

function logicalHostsOf(services: readonly DataService[]): ReadonlySet<LogicalHostName> {
  return new Set(services.flatMap((service) => service.logicalHosts))
}

/** Only what shares a logical host counts: a dependency orders starts within one logical host and means nothing between two. */
function checkDependenciesOn(draft: Draft, service: DataService, together: readonly DataServiceName[]): void {
  const off = service.dependsOn.filter(
    (name) =>
      !together.includes(name) &&
      draft.services.get(name)?.state === 'off' &&
      sharesLogicalHost(service, draft.services.get(name)),
  )
  if (off.length === 0) return
  throw new HaError('DEPENDENCY_UNMET', `${service.name} depends on ${off.join(', ')}, which is off`, {
    hint: `Switch them on together: hareg -y ${[...off, service.name].join(',')}`,
  })
}

function checkNobodyDepends(draft: Draft, service: DataService, together: readonly DataServiceName[]): void {
  const dependants = [...draft.services.values()].filter(
    (other) =>
      other.state === 'on' &&
      other.dependsOn.includes(service.name) &&
      !together.includes(other.name) &&
      sharesLogicalHost(other, service),
  )
  if (dependants.length === 0) return
  const names = dependants.map((other) => other.name)
  throw new HaError('DEPENDENCY_UNMET', `${names.join(', ')} depends on ${service.name} and is on`, {
    hint: `Switch them off together: hareg -n ${[service.name, ...names].join(',')}`,
  })
}

function sharesLogicalHost(a: DataService, b: DataService | undefined): boolean {
  return b !== undefined && a.logicalHosts.some((name) => b.logicalHosts.includes(name))
}
