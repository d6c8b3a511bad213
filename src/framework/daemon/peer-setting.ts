import { carriesHeartbeats } from '../membership/heartbeats.ts'
import type { PhysicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { PeerPlace, PeerSetting } from '../ports/peers.ts'

type Configured = Pick<ClusterState, 'networks' | 'physicalHosts' | 'cluster'>

/** Says where this host and the others are on the networks that carry heartbeats; others that share none with it have no addresses. */
export function peerSettingOf(state: Configured, me: PhysicalHostName): PeerSetting {
  const places = [...state.physicalHosts.values()].map((host) => placeOf(state, host))
  return {
    me: places.find(({ host }) => host === me) ?? { host: me, addresses: [] },
    others: places.filter(({ host }) => host !== me),
    intervalMs: state.cluster.heartbeats.intervalMs,
  }
}

function placeOf({ networks }: Configured, { name, interfaces }: PhysicalHost): PeerPlace {
  return {
    host: name,
    addresses: interfaces.flatMap(({ network, address }) =>
      carriesHeartbeats(networks.get(network)?.role ?? 'none') ? [{ network, address }] : [],
    ),
  }
}
