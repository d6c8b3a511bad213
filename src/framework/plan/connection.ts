import type { LogicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { PhysicalHostName } from '../model/names.ts'
import { groupNamed, groupSightOf, type PublicGroup, publicGroupsOf } from '../supervise/public-groups.ts'
import { adapterOf } from './steps.ts'

/** Lists the groups (or lone adapters) that the addresses of a logical host need on a host, those that are tested; each once. */
export function groupsNeeded(
  state: ClusterState,
  logicalHost: LogicalHost,
  host: PhysicalHostName,
): readonly PublicGroup[] {
  const addresses = logicalHost.addresses.filter(({ kind }) => kind === 'ip')
  const groups = addresses.length === 0 ? [] : publicGroupsOf(state, host)
  return [...new Set(addresses.flatMap((address) => groupNamed(groups, adapterOf(address, host)) ?? []))]
}

/** The first group that a logical host needs on a host and that has failed there while the network works for others; undefined when there is none. */
export function failedGroupOn(
  state: ClusterState,
  logicalHost: LogicalHost,
  host: PhysicalHostName,
): PublicGroup | undefined {
  return groupsNeeded(state, logicalHost, host).find(({ name }) => groupSightOf(state, host, name)?.state === 'failed')
}

/** Whether everything that a logical host needs on a host is known to work, as far as it is tested at all. */
export function isWellConnected(state: ClusterState, logicalHost: LogicalHost, host: PhysicalHostName): boolean {
  return groupsNeeded(state, logicalHost, host).every(({ name }) => groupSightOf(state, host, name)?.state === 'ok')
}
