import assert from 'node:assert/strict'
import type { DataService } from '../model/cluster-config.ts'
import type { DataServiceName, LogicalHostName } from '../model/names.ts'

/**
 * Orders services so that each comes after those it depends on; services without a relation by name. Dependencies on services that are not in the
 * list have no effect: they only order starts and stops within one logical host (Sun Cluster 2.2 Software Installation Guide 10.7).
 */
export function inStartOrder(services: readonly DataService[]): readonly DataService[] {
  const waiting = new Map(
    services.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((service) => [service.name, service]),
  )
  const ordered: DataService[] = []
  while (waiting.size > 0) {
    const next = [...waiting.values()].find((service) => service.dependsOn.every((name) => !waiting.has(name)))
    assert(next !== undefined, `services depend on each other in a circle: ${[...waiting.keys()].join(', ')}`)
    waiting.delete(next.name)
    ordered.push(next)
  }
  return ordered
}

/** Lists the services that are on and configured on the logical host, in start order. */
export function servicesOn(
  services: ReadonlyMap<DataServiceName, DataService>,
  logicalHost: LogicalHostName,
): readonly DataService[] {
  return inStartOrder(
    [...services.values()].filter((service) => service.state === 'on' && service.logicalHosts.includes(logicalHost)),
  )
}

/** Adds to `names` every service of `services` that depends on one of them, directly or not. */
export function withDependants(
  names: ReadonlySet<DataServiceName>,
  services: readonly DataService[],
): ReadonlySet<DataServiceName> {
  const all = new Set(names)
  // In start order a dependant comes after what it depends on, so one pass is enough.
  for (const service of inStartOrder(services)) {
    if (service.dependsOn.some((name) => all.has(name))) all.add(service.name)
  }
  return all
}
