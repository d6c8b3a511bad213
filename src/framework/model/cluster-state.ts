import type { ClusterConfig, DataService, DiskGroup, LogicalHost, PhysicalHost } from './cluster-config.ts'
import type { FenceDevice } from './fencing.ts'
import type { LogicalHostState } from './mastery.ts'
import type {
  DataServiceName,
  DiskGroupName,
  FenceDeviceName,
  LogicalHostName,
  NetworkName,
  PhysicalHostName,
} from './names.ts'
import type { Network, NetworkSight } from './network.ts'

/** A physical host in the present membership; record `members/<host>`, rewritten only when it joins, starts to leave, or goes. */
export interface Member {
  readonly host: PhysicalHostName
  /** Number of the reconfiguration in which it joined; a later life of the same host has a greater one. */
  readonly incarnation: number
  /** `leaving`: it gives everything up and takes nothing on (`scadmin stopnode`). */
  readonly state: 'joined' | 'leaving'
  readonly joinedWallMs: number
}

/** A member's sign of life; record `stamps/<host>`, rewritten every `stampMs` without an fsync. */
export interface Stamp {
  readonly host: PhysicalHostName
  readonly incarnation: number
  /** Counts up from 1 in each incarnation. */
  readonly sequence: number
  /**
   * What guard, abort and margin came to when it was sent, or what was left of longer ones before: what its host was allowed must run out, whatever the
   * timings are changed to meanwhile.
   */
  readonly expiryMs: number
  /** Revision of the database that the host had read when it stamped. */
  readonly seenRevision: number
}

/** Configuration and state of the cluster at one revision: all that the planner knows. */
export interface ClusterState {
  readonly revision: number
  readonly cluster: ClusterConfig
  readonly physicalHosts: ReadonlyMap<PhysicalHostName, PhysicalHost>
  readonly networks: ReadonlyMap<NetworkName, Network>
  readonly fenceDevices: ReadonlyMap<FenceDeviceName, FenceDevice>
  readonly diskGroups: ReadonlyMap<DiskGroupName, DiskGroup>
  readonly logicalHosts: ReadonlyMap<LogicalHostName, LogicalHost>
  /** The revision at which the configuration of each logical host was last written. */
  readonly logicalHostRevisions: ReadonlyMap<LogicalHostName, number>
  readonly dataServices: ReadonlyMap<DataServiceName, DataService>
  readonly members: ReadonlyMap<PhysicalHostName, Member>
  /** What hosts see of their networks; absent = nothing known. */
  readonly sights: ReadonlyMap<PhysicalHostName, NetworkSight>
  /** One for each configured logical host. */
  readonly states: ReadonlyMap<LogicalHostName, LogicalHostState>
  /** Number of the last reconfiguration that was committed; 0 = none. */
  readonly lastReconfiguration: number
}
