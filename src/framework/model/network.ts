import type { AdapterTests } from './adapter-tests.ts'
import type { NetworkName, PhysicalHostName } from './names.ts'

/**
 * What a network is used for. `internal`: heartbeats and host-to-host traffic; `client`: logical addresses; `both`; `none`: nothing, it is only
 * looked at.
 */
export type NetworkRole = 'internal' | 'client' | 'both' | 'none'

/** A network that hosts are connected to; record `networks/<name>`. Absent from the configuration = Haven does not look at it. */
export interface Network {
  readonly name: NetworkName
  readonly role: NetworkRole
  /** Addresses outside of the cluster that answer to a ping, such as gateways; asked when peers alone cannot tell whose interface failed. May be empty. */
  readonly probeTargets: readonly string[]
  /** Absent: `ADAPTER_TESTS_DEFAULT`. */
  readonly adapterTests?: AdapterTests
}

/** One physical host on one network; at most one per network and host. */
export interface Interface {
  readonly network: NetworkName
  /** Such as `eth0`. With a backup group it is the group's preferred adapter. */
  readonly adapter: string
  /** Its own address there, without the prefix length. Heartbeats go from and to it on networks with the role `internal` or `both`. */
  readonly address: string
}

/** Adapters of one host on one network of which one carries the logical addresses and the others stand by (Sun: NAFO group, `pnmset`). */
export interface BackupGroup {
  /** Such as `nafo0`; where a logical address names an adapter, it may name a group. */
  readonly name: string
  readonly network: NetworkName
  /** At least one; in order of preference. */
  readonly adapters: readonly string[]
}

/** How often hosts tell each other that they live, milliseconds. */
export interface HeartbeatTimings {
  readonly intervalMs: number
  /** After so long without a heartbeat over any network a host is suspected: a fence is asked for, if there is one. Nothing is taken over by it. */
  readonly suspectMs: number
}

/** What one host sees of one of its interfaces. */
export interface InterfaceSight {
  readonly network: NetworkName
  /** What the kernel says of its adapter. `unknown`: not looked yet. */
  readonly link: 'up' | 'down' | 'unknown'
  /** Peers whose heartbeats arrive over it, by name; null: it does not listen there (another role, or no key). */
  readonly hears: readonly PhysicalHostName[] | null
  /** Whether anything outside of the cluster answers over it; null: not asked, or nobody to ask. */
  readonly reaches: boolean | null
}

/** What one host sees of its networks; volatile record `sights/<host>`, rewritten when it changes. Absent = nothing known. */
export interface NetworkSight {
  readonly host: PhysicalHostName
  readonly incarnation: number
  readonly interfaces: readonly InterfaceSight[]
  readonly groups: readonly GroupSight[]
}

/** What a host sees of one of its backup groups. */
export interface GroupSight {
  readonly name: string
  /** The adapter that carries the logical addresses. */
  readonly active: string
  /** `ok`; `doubtful`: a test is under way; `failed`: every adapter of it is faulty while the network works for others; `network-down`: for everybody. */
  readonly state: 'ok' | 'doubtful' | 'failed' | 'network-down'
  /** Adapters that are faulty. */
  readonly faulty: readonly string[]
}

/** What an interface is said to be when the sights of all hosts are compared (decision: the states of the NT cluster line). */
export type InterfaceState = 'up' | 'unknown' | 'unavailable' | 'unreachable' | 'failed'
/** Likewise for a network. */
export type NetworkState = 'up' | 'unknown' | 'unavailable' | 'partitioned' | 'down'

/** How a question over an adapter whether anybody is there ended. */
export type ProbeAnswer = 'answered' | 'unanswered' | 'nobody-to-ask'
