import type { ClusterConfig, DataService, DiskGroup, LogicalHost, PhysicalHost } from './cluster-config.ts'
import type { DataServiceName, DiskGroupName, LogicalHostName, PhysicalHostName } from './names.ts'

/** One change of the configuration, validated by `configure/`; several are committed together or not at all. */
export type ConfigurationChange =
  | { readonly kind: 'cluster'; readonly cluster: ClusterConfig }
  | { readonly kind: 'put-physical-host'; readonly physicalHost: PhysicalHost }
  | { readonly kind: 'delete-physical-host'; readonly name: PhysicalHostName }
  | { readonly kind: 'put-disk-group'; readonly diskGroup: DiskGroup }
  | { readonly kind: 'delete-disk-group'; readonly name: DiskGroupName }
  | { readonly kind: 'put-logical-host'; readonly logicalHost: LogicalHost }
  | { readonly kind: 'delete-logical-host'; readonly name: LogicalHostName }
  | { readonly kind: 'put-data-service'; readonly dataService: DataService }
  | { readonly kind: 'delete-data-service'; readonly name: DataServiceName }
