import type { FenceDeviceJson, FencingLimitsJson, RejoinLimitsJson } from './fencing.ts'

/** Answer to `GET /v1/configuration` (`scconf C -p`): everything that is configured; lists in order of their names. */
export interface ConfigurationJson {
  readonly revision: number
  readonly cluster: ClusterJson
  readonly networks: readonly NetworkJson[]
  readonly fenceDevices: readonly FenceDeviceJson[]
  readonly physicalHosts: readonly PhysicalHostJson[]
  readonly diskGroups: readonly DiskGroupJson[]
  readonly logicalHosts: readonly LogicalHostJson[]
  readonly services: readonly ServiceJson[]
}

/** What holds for the whole cluster. */
export interface ClusterJson {
  readonly name: string
  /** `scconf -l`. */
  readonly logicalHostTimeoutS: number
  /** `scconf -T`. */
  readonly stepTimeoutS: number
  readonly timings: {
    readonly stampMs: number
    readonly guardMs: number
    readonly abortMs: number
    readonly marginMs: number
  }
  /** `scconf --heartbeat-ms`, `--suspect-ms`. */
  readonly heartbeats: { readonly intervalMs: number; readonly suspectMs: number }
  readonly budgets: {
    readonly takeoversMax: number
    readonly takeoverWindowMs: number
    readonly evictionsMax: number
    readonly evictionWindowMs: number
    readonly parallelMovesMax: number
  }
  readonly fencing: FencingLimitsJson
  readonly rejoins: RejoinLimitsJson
  readonly syslogFacility: string
}

/** A configured network. */
export interface NetworkJson {
  readonly name: string
  readonly role: 'internal' | 'client' | 'both' | 'none'
  /** Addresses outside of the cluster that answer probes; may be empty. */
  readonly probeTargets: readonly string[]
}

/** Where a host is connected to a network. */
export interface InterfaceJson {
  readonly network: string
  readonly adapter: string
  readonly address: string
}

/** Adapters of a host that stand in for each other. */
export interface BackupGroupJson {
  readonly name: string
  readonly network: string
  /** In order of preference. */
  readonly adapters: readonly string[]
}

/** A configured machine. */
export interface PhysicalHostJson {
  readonly name: string
  readonly publicNames: readonly string[]
  readonly privateLinks: readonly string[]
  /** At most one on each network, in their order. */
  readonly interfaces: readonly InterfaceJson[]
  /** In order of their names. */
  readonly backupGroups: readonly BackupGroupJson[]
  /** Ways to fence it, tried in order; all devices of a level must confirm. Empty = it cannot be fenced. */
  readonly fenceLevels: readonly (readonly string[])[]
}

/** Storage of a logical host. */
export type DiskGroupJson =
  | { readonly kind: 'directory'; readonly name: string; readonly path: string }
  | {
      readonly kind: 'filesystem'
      readonly name: string
      readonly fileSystems: readonly FileSystemJson[]
      /** The program that reserves its devices, such as `sg_persist`; null = they are not reserved. */
      readonly reservation: string | null
    }

/** One file system of a disk group. */
export interface FileSystemJson {
  readonly device: string
  readonly type: 'ext4' | 'xfs'
  /** Empty = the disk group's own mount point. */
  readonly mountPoint: string
  readonly options: readonly string[]
}

/** A logical address. */
export interface AddressJson {
  readonly kind: 'local' | 'ip'
  readonly address: string
  readonly prefixLength: number
  /** Adapter by physical host; empty for `local`. */
  readonly adapters: Readonly<Record<string, string>>
}

/** A configured logical host. */
export interface LogicalHostJson {
  readonly name: string
  /** In order of preference; the first is the default master. */
  readonly physicalHosts: readonly string[]
  readonly diskGroups: readonly string[]
  readonly addresses: readonly AddressJson[]
  readonly switchback: 'automatic' | 'manual'
  readonly onStuck: 'stay' | 'abort'
  /** Mount point of its administrative file system, below `HAVEN_ROOT`. */
  readonly pathPrefix: string
}

/** One method of a service. */
export interface MethodJson {
  readonly method: string
  readonly program: string
  readonly timeoutS: number
}

/** A registered data service; answer to `GET /v1/services/:name` (`hareg -q`). */
export interface ServiceJson {
  readonly name: string
  readonly state: 'on' | 'off'
  /** In the order of the manual: START, START_NET, STOP, ... */
  readonly methods: readonly MethodJson[]
  readonly baseDirectory: string
  readonly dependsOn: readonly string[]
  readonly logicalHosts: readonly string[]
  readonly version: string
  readonly apiVersion: string
  readonly packages: readonly string[]
}

/** Answer to `GET /v1/services` (`hareg` without arguments). */
export interface ServicesJson {
  /** In order of their names. */
  readonly services: readonly ServiceJson[]
}
