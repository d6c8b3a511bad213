import type { FencingLimits, RejoinLimits } from './fencing.ts'
import type {
  ClusterName,
  DataServiceName,
  DiskGroupName,
  FenceDeviceName,
  LogicalHostName,
  PhysicalHostName,
} from './names.ts'
import type { BackupGroup, HeartbeatTimings, Interface } from './network.ts'

/** Timings of membership, milliseconds. The rules that tie them are in `membership/check-timings.ts`. */
export interface Timings {
  /** A member rewrites its stamp this often. */
  readonly stampMs: number
  /** A host may act this long after it SENT a stamp that was committed. */
  readonly guardMs: number
  /** The guard's ABORT methods have this long; after it everything of the host is ended by force. */
  readonly abortMs: number
  /** What observers wait on top of guard + abort, for the drift of clocks and the end by force. */
  readonly marginMs: number
}

/** Limits of what Haven does by itself before it stops and says so. */
export interface Budgets {
  /** Takeovers of one logical host within the window; then it stays without a master. */
  readonly takeoversMax: number
  readonly takeoverWindowMs: number
  /** Hosts given up as lost within the window by one observer. */
  readonly evictionsMax: number
  readonly evictionWindowMs: number
  /** Logical hosts moved at the same time by one physical host. */
  readonly parallelMovesMax: number
}

/** What holds for the whole cluster; record `cluster`. */
export interface ClusterConfig {
  readonly name: ClusterName
  readonly timings: Timings
  readonly heartbeats: HeartbeatTimings
  readonly budgets: Budgets
  readonly fencing: FencingLimits
  readonly rejoins: RejoinLimits
  /** Seconds in which a logical host must be given up and taken on; each half may use half of it (`scconf -l`, default 180). */
  readonly logicalHostTimeoutS: number
  /** Seconds for all of a reconfiguration (`scconf -T`, default 720, at least `logicalHostTimeoutS`). */
  readonly stepTimeoutS: number
  /** Facility that methods should log to; `haget -f syslog_facility`. */
  readonly syslogFacility: string
}

/** A machine of the cluster; record `physicalHosts/<name>`. */
export interface PhysicalHost {
  readonly name: PhysicalHostName
  /** Its names on the public networks, `haget -f names_on_subnets`; may be empty. */
  readonly publicNames: readonly string[]
  /** Its names on the private networks, `haget -f private_links`; may be empty. */
  readonly privateLinks: readonly string[]
  /** Where it is connected; at most one per network, may be empty: then its networks are not looked at. */
  readonly interfaces: readonly Interface[]
  readonly backupGroups: readonly BackupGroup[]
  /** Ways to fence it, tried in order; all devices of a level must confirm. Empty = it cannot be fenced. */
  readonly fenceLevels: readonly (readonly FenceDeviceName[])[]
}

/** One mounted file system of a `filesystem` disk group. */
export interface FileSystem {
  /** Block device or image file; absolute path. An image file is attached to a loop device. */
  readonly device: string
  readonly type: 'ext4' | 'xfs'
  /** Absolute path below `HAVEN_ROOT`; the empty string stands for the disk group's own mount point. */
  readonly mountPoint: string
  /** Mount options, such as `noatime`; may be empty. */
  readonly options: readonly string[]
}

/** SCSI-3 persistent reservations on the devices of a disk group: who has not reserved them cannot write (docs/decisions/0015-reservations.md). */
export interface DiskReservation {
  /** What is called: `sg_persist` (in the PATH of the system), or the absolute path of a program that understands the same options. */
  readonly program: string
}

/** What speaks to SCSI devices when the configuration does not say. */
export const RESERVATION_PROGRAM_DEFAULT = 'sg_persist'

/** Storage that one logical host owns; record `diskGroups/<name>`. */
export type DiskGroup =
  | {
      readonly kind: 'directory'
      readonly name: DiskGroupName
      /** Absolute path of the directory that all possible masters see. */
      readonly path: string
    }
  | {
      readonly kind: 'filesystem'
      readonly name: DiskGroupName
      /** At least one; mounted in this order, unmounted in reverse. */
      readonly fileSystems: readonly FileSystem[]
      /** Each device is a whole SCSI disk then. Absent = the devices are not reserved. */
      readonly reservation?: DiskReservation
    }

/** A floating address of a logical host. */
export interface LogicalAddress {
  readonly kind: 'local' | 'ip'
  /** IPv4 or IPv6, in canonical text. `local`: within 127/8. */
  readonly address: string
  /** Bits of the network part; 32 or 128 for a host address. */
  readonly prefixLength: number
  /** The adapter on each possible master, such as `eth0`; `local` needs none and the record is empty. */
  readonly adapters: Readonly<Record<string, string>>
}

/** What to do when a logical host cannot be released provably. */
export type OnStuck = 'stay' | 'abort'

/** The unit that moves; record `logicalHosts/<name>`. */
export interface LogicalHost {
  readonly name: LogicalHostName
  /** Possible masters in order of preference, at least one; the first is the default master. */
  readonly physicalHosts: readonly PhysicalHostName[]
  /** At least one; imported in this order. The first one carries the administrative file system. */
  readonly diskGroups: readonly DiskGroupName[]
  readonly addresses: readonly LogicalAddress[]
  /** Whether it moves back by itself when a more preferred host joins (`-m` = manual). */
  readonly switchback: 'automatic' | 'manual'
  readonly onStuck: OnStuck
}

/** Names of the methods of a data service, in the order of the classic manual. */
export const METHOD_NAMES = [
  'START',
  'START_NET',
  'STOP',
  'STOP_NET',
  'ABORT',
  'ABORT_NET',
  'FM_INIT',
  'FM_START',
  'FM_STOP',
  'FM_CHECK',
] as const
/** A program of a data service that Haven calls. */
export type MethodName = (typeof METHOD_NAMES)[number]

/** One registered method. */
export interface Method {
  /** Absolute path of the executable. */
  readonly program: string
  readonly timeoutS: number
}

/** Seconds a method may take when `hareg -t` does not say. */
export const METHOD_TIMEOUT_DEFAULT_S = 60

/** A registered application; record `dataServices/<name>`. */
export interface DataService {
  readonly name: DataServiceName
  readonly state: 'on' | 'off'
  /** Only the methods it has. */
  readonly methods: Readonly<Partial<Record<MethodName, Method>>>
  /** Directory that relative method paths were joined to; empty if none was given. */
  readonly baseDirectory: string
  /** Services that start before it and stop after it on the same logical host. */
  readonly dependsOn: readonly DataServiceName[]
  /** Logical hosts it is configured on; may be empty. */
  readonly logicalHosts: readonly LogicalHostName[]
  readonly version: string
  readonly apiVersion: string
  readonly packages: readonly string[]
}
