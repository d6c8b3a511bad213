import type { DataService, LogicalHost, Method } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { actorOf, type LogicalHostState } from '../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import { servicesOn } from '../plan/service-order.ts'
import { adapterOf, mountPointOf } from '../plan/steps.ts'
import type { Holding } from '../ports/guard.ts'

/** Lists what this host holds by what is committed, complete enough for the guard to stop it without anybody's help. */
export function holdingsOf(
  state: ClusterState,
  me: PhysicalHostName,
  pathPrefixOf: (logicalHost: LogicalHostName) => string,
): readonly Holding[] {
  const held: Holding[] = []
  for (const at of state.states.values()) {
    const logicalHost = state.logicalHosts.get(at.name)
    if (actorOf(at.mastery) !== me || logicalHost === undefined) continue
    held.push(holdingOf(state, me, logicalHost, at, pathPrefixOf(at.name)))
  }
  return held
}

function holdingOf(
  state: ClusterState,
  me: PhysicalHostName,
  logicalHost: LogicalHost,
  { name, reconfiguration, generation }: LogicalHostState,
  pathPrefix: string,
): Holding {
  return {
    logicalHost: name,
    reconfiguration,
    generation,
    pathPrefix,
    services: servicesOn(state.dataServices, name).toReversed().map(serviceOf),
    addresses: logicalHost.addresses.map((address) => ({ address, adapter: adapterOf(address, me) })),
    diskGroups: logicalHost.diskGroups.flatMap((groupName) => {
      const diskGroup = state.diskGroups.get(groupName)
      return diskGroup === undefined ? [] : [{ diskGroup, mountPoint: mountPointOf(logicalHost, groupName) }]
    }),
  }
}

function serviceOf({ name, logicalHosts, methods }: DataService): Holding['services'][number] {
  return { name, logicalHosts, abortNet: callOf(methods.ABORT_NET), abort: callOf(methods.ABORT) }
}

function callOf(method: Method | undefined): { readonly program: string; readonly timeoutMs: number } | null {
  return method === undefined ? null : { program: method.program, timeoutMs: method.timeoutS * 1000 }
}
