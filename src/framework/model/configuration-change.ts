import type { ClusterConfig, DataService, DiskGroup, LogicalHost, PhysicalHost } from './cluster-config.ts'
import type { FenceDevice } from './fencing.ts'
import type {
  DataServiceName,
  DiskGroupName,
  FenceDeviceName,
  LogicalHostName,
  NetworkName,
  PhysicalHostName,
} from './names.ts'
import type { Network } from './network.ts'

/** One change of the configuration, validated by `configure/`; several are committed together or not at all. */
export type ConfigurationChange =
  | { readonly kind: 'cluster'; readonly cluster: ClusterConfig }
  | { readonly kind: 'put-physical-host'; readonly physicalHost: PhysicalHost }
  | { readonly kind: 'delete-physical-host'; readonly name: PhysicalHostName }
  | { readonly kind: 'put-network'; readonly network: Network }
  | { readonly kind: 'delete-network'; readonly name: NetworkName }
  | { readonly kind: 'put-fence-device'; readonly fenceDevice: FenceDevice }
  | { readonly kind: 'delete-fence-device'; readonly name: FenceDeviceName }
  | { readonly kind: 'put-disk-group'; readonly diskGroup: DiskGroup }
  | { readonly kind: 'delete-disk-group'; readonly name: DiskGroupName }
  | { readonly kind: 'put-logical-host'; readonly logicalHost: LogicalHost }
  | { readonly kind: 'delete-logical-host'; readonly name: LogicalHostName }
  | { readonly kind: 'put-data-service'; readonly dataService: DataService }
  | { readonly kind: 'delete-data-service'; readonly name: DataServiceName }
