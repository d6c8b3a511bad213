import type { ClusterConfig, DataService, DiskGroup, LogicalHost, PhysicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { FenceDevice } from '../model/fencing.ts'
import type {
  DataServiceName,
  DiskGroupName,
  FenceDeviceName,
  LogicalHostName,
  NetworkName,
  PhysicalHostName,
} from '../model/names.ts'
import type { Network } from '../model/network.ts'

/** Everything that is configured, without what happens with it: the part of `ClusterState` that operators write. */
export interface Configuration {
  readonly cluster: ClusterConfig
  readonly physicalHosts: ReadonlyMap<PhysicalHostName, PhysicalHost>
  readonly networks: ReadonlyMap<NetworkName, Network>
  readonly fenceDevices: ReadonlyMap<FenceDeviceName, FenceDevice>
  readonly diskGroups: ReadonlyMap<DiskGroupName, DiskGroup>
  readonly logicalHosts: ReadonlyMap<LogicalHostName, LogicalHost>
  readonly dataServices: ReadonlyMap<DataServiceName, DataService>
}

/** Takes the configuration out of the state. */
export function configurationOf(state: ClusterState): Configuration {
  const { cluster, physicalHosts, networks, fenceDevices, diskGroups, logicalHosts, dataServices } = state
  return { cluster, physicalHosts, networks, fenceDevices, diskGroups, logicalHosts, dataServices }
}

/** Returns the map with one entry added or replaced. */
export function withEntry<Name, Value>(
  map: ReadonlyMap<Name, Value>,
  name: Name,
  value: Value,
): ReadonlyMap<Name, Value> {
  return new Map(map).set(name, value)
}

/** Returns the map without one entry. */
export function withoutEntry<Name, Value>(map: ReadonlyMap<Name, Value>, name: Name): ReadonlyMap<Name, Value> {
  const rest = new Map(map)
  rest.delete(name)
  return rest
}
