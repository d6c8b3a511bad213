import type { ClusterState } from '../model/cluster-state.ts'
import { actorOf, type LogicalHostState, masterOf } from '../model/mastery.ts'
import type { LogicalHostName } from '../model/names.ts'
import type { Cause } from '../model/reconfiguration.ts'
import { describeMastery } from '../plan/describe.ts'
import { isInMaintenance } from './views/status-view.ts'

/**
 * Says why what was asked for is not so, now that all has come to rest; empty = it is so. `logicalHosts`: those that the reconfigurations did
 * something with.
 */
export function whyNotReached(
  state: ClusterState,
  cause: Cause,
  logicalHosts: readonly LogicalHostName[],
): readonly string[] {
  switch (cause.kind) {
    case 'switchover':
      return at(state, cause.logicalHosts, (life) => masterOf(life.mastery) === cause.to)
    case 'maintenance':
      return at(state, cause.logicalHosts, ({ mastery }) => isInMaintenance(mastery))
    case 'services-on':
      return cause.services.flatMap((service) => [...whyNotOn(state, service, 'on'), ...whyWithout(state, [service])])
    case 'services-off':
      return [...cause.services.flatMap((service) => whyNotOn(state, service, 'off')), ...whyStuck(state, logicalHosts)]
    case 'service-hosts':
      return [...whyWithout(state, [cause.service], cause.add), ...whyStuck(state, logicalHosts)]
    case 'host-leaving':
      return whyHolds(state, cause.host)
    case 'cleared':
      return [...whyUnmastered(state, [cause.logicalHost]), ...whyWithout(state, null, [cause.logicalHost])]
    default:
      return [...whyUnmastered(state, logicalHosts), ...whyWithout(state, null, logicalHosts)]
  }
}

function at(
  state: ClusterState,
  logicalHosts: readonly LogicalHostName[],
  isThere: (life: LogicalHostState) => boolean,
): readonly string[] {
  return livesOf(state, logicalHosts).flatMap((life) => {
    if (!isThere(life)) return [sentence(life)]
    return life.without.map((service) => whyOneWithout(life, service))
  })
}

function whyNotOn(state: ClusterState, service: string, wanted: 'on' | 'off'): readonly string[] {
  const found = [...state.dataServices.values()].find(({ name }) => name === service)
  return found === undefined || found.state === wanted ? [] : [`${service} is ${found.state}.`]
}

/** Services (null: any) that logical hosts are mastered without. */
function whyWithout(
  state: ClusterState,
  services: readonly string[] | null,
  logicalHosts: readonly LogicalHostName[] = [...state.logicalHosts.keys()],
): readonly string[] {
  return livesOf(state, logicalHosts).flatMap((life) =>
    life.without
      .filter((service) => services === null || services.includes(service))
      .map((service) => whyOneWithout(life, service)),
  )
}

function whyOneWithout(life: LogicalHostState, service: string): string {
  const failure = life.startFailures.findLast((one) => one.service === service)
  const why = failure === undefined ? '' : `: ${failure.method} failed on ${failure.host} (${failure.message})`
  return `${life.name} is without ${service}${why}.`
}

function whyStuck(state: ClusterState, logicalHosts: readonly LogicalHostName[]): readonly string[] {
  return livesOf(state, logicalHosts)
    .filter(({ mastery }) => mastery.kind === 'stuck')
    .map(sentence)
}

function whyUnmastered(state: ClusterState, logicalHosts: readonly LogicalHostName[]): readonly string[] {
  return livesOf(state, logicalHosts)
    .filter(({ mastery }) => masterOf(mastery) === undefined && !isInMaintenance(mastery))
    .map(sentence)
}

function whyHolds(state: ClusterState, host: string): readonly string[] {
  return [...state.states.values()].filter(({ mastery }) => actorOf(mastery) === host).map(sentence)
}

function livesOf(state: ClusterState, logicalHosts: readonly LogicalHostName[]): readonly LogicalHostState[] {
  return logicalHosts.flatMap((name) => state.states.get(name) ?? [])
}

function sentence(life: LogicalHostState): string {
  return `${life.name} is ${describeMastery(life)}.`
}
