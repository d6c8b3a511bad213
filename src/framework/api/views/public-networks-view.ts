import type { ClusterState } from '../../model/cluster-state.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import { groupSightOf, publicGroupsOf } from '../../supervise/public-groups.ts'
import type { PublicGroupSeen } from '../services.ts'
import type { PublicGroupJson, PublicNetworksJson } from '../wire.ts'

/** Shows the public adapters of a host: what this host knows of its own, and what another one has told. */
export function viewPublicNetworks(
  state: ClusterState,
  host: PhysicalHostName,
  own: readonly PublicGroupSeen[],
): PublicNetworksJson {
  const groups = publicGroupsOf(state, host).map((group): PublicGroupJson => {
    const seen = own.find(({ sight }) => sight.name === group.name)
    const sight = seen?.sight ?? groupSightOf(state, host, group.name)
    return {
      name: group.name,
      network: group.network,
      state: sight?.state ?? null,
      active: sight?.active ?? '',
      faulty: sight?.faulty ?? [],
      secondsSinceMoved: seen?.secondsSinceMoved ?? null,
      adapters: group.adapters.map((name) => ({ name, test: seen?.tests.get(name) ?? null })),
    }
  })
  return { host, groups }
}
