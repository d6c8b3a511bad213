import type { DataService, MethodName } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { actorOf, type Mastery } from '../model/mastery.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../model/names.ts'

/**
 * Knows which logical hosts this host serves for each service, for argv[1] and argv[2] of the methods (Sun Cluster 2.2 API Developer's Guide 2.2:
 * what the host masters "as of after the step", and what it does not).
 *
 * It is kept by the calls themselves and not read from the state, because in the middle of a half some services are up already and others are not.
 */
export class Served {
  readonly #of = new Map<DataServiceName, Set<LogicalHostName>>()

  /** Begins with what a host that carries its life on serves by what is committed; empty for a host that has just joined. */
  constructor(state: ClusterState, me: PhysicalHostName) {
    for (const { name, mastery, without } of state.states.values()) {
      if (actorOf(mastery) !== me || !servesIn(mastery)) continue
      for (const service of state.dataServices.values()) {
        if (service.state === 'on' && service.logicalHosts.includes(name) && !without.includes(service.name)) {
          this.#set(service.name).add(name)
        }
      }
    }
  }

  /** Makes the two lists for a call that begins now. A start adds its logical host, a stop takes it away; fault monitors change nothing, but FM_STOP leaves it out. */
  lists(
    service: Pick<DataService, 'name' | 'logicalHosts'>,
    method: MethodName,
    logicalHost: LogicalHostName,
  ): readonly [string, string] {
    const served = this.#set(service.name)
    const effect = EFFECT[method]
    if (effect === 'add') served.add(logicalHost)
    else if (effect === 'remove') served.delete(logicalHost)
    // A service may be stopped on a logical host that its configuration no longer names: it still has to hear that name.
    const all = service.logicalHosts.includes(logicalHost)
      ? service.logicalHosts
      : [...service.logicalHosts, logicalHost]
    // A monitor that is stopped hears, as every stop, that its logical host is none to serve; whether it is served changes with the stop of the service.
    const isServed = (name: LogicalHostName): boolean =>
      served.has(name) && !(effect === 'leave-out' && name === logicalHost)
    return [all.filter(isServed).join(','), all.filter((name) => !isServed(name)).join(',')]
  }

  /** Forgets a logical host that was released, whatever its methods said. */
  forget(logicalHost: LogicalHostName): void {
    for (const served of this.#of.values()) served.delete(logicalHost)
  }

  #set(service: DataServiceName): Set<LogicalHostName> {
    const known = this.#of.get(service) ?? new Set()
    this.#of.set(service, known)
    return known
  }
}

const EFFECT: Readonly<Record<MethodName, 'add' | 'remove' | 'leave-out' | 'none'>> = {
  START: 'add',
  START_NET: 'add',
  STOP_NET: 'remove',
  STOP: 'remove',
  ABORT_NET: 'remove',
  ABORT: 'remove',
  FM_INIT: 'none',
  FM_START: 'none',
  FM_STOP: 'leave-out',
  FM_CHECK: 'none',
}

/** A take-on that was cut begins again with its first START; everything else had been started. */
function servesIn(mastery: Mastery): boolean {
  return mastery.kind !== 'takingOn' && mastery.kind !== 'stuck'
}
