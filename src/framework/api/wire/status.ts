import type { FencingStatusJson } from './fencing.ts'
import type { CauseJson, HalfKindJson } from './plan.ts'
import type { PublicNetworksJson } from './public-networks.ts'

/** Answer to `GET /v1/status`: all that `hastat` shows. Lists in order of their names unless said otherwise. */
export interface StatusJson {
  readonly cluster: string
  /** Who answered. */
  readonly answeredBy: string
  readonly version: string
  /** When, on the answering host. */
  readonly atWallMs: number
  readonly revision: number
  /** 0 = none yet. */
  readonly lastReconfiguration: number
  /** Whether nothing is under way in the whole cluster. */
  readonly isStable: boolean
  readonly physicalHosts: readonly PhysicalHostStatusJson[]
  readonly logicalHosts: readonly LogicalHostStatusJson[]
  readonly services: readonly ServiceStatusJson[]
  /** Steps that have been running for a while, on any host. */
  readonly progress: readonly ProgressJson[]
  /** Programs of services that are on and that a possible master could not execute: a takeover to it would fail. By host, then by service. */
  readonly missingPrograms: readonly MissingProgramsJson[]
  /** The cluster database takes no stamps of the answering host: nothing can be changed, and what is shown may be old. Null = it does. */
  readonly databaseAway: DatabaseAwayJson | null
  /** Certificates of all hosts and witnesses, by name; empty = the cluster has none. */
  readonly certificates: readonly CertificateStatusJson[]
  /** Networks that carry heartbeats; empty until some are configured. */
  readonly privateNetworks: readonly NetworkStatusJson[]
  /** Networks that logical addresses may be on, and those that are only looked at; one for both is in both lists. */
  readonly publicNetworks: readonly NetworkStatusJson[]
  /** Backup groups, and adapters that are in none, of each member that has some. */
  readonly publicGroups: readonly PublicNetworksJson[]
  /** What keeps heartbeats of the answering host from going out or coming in, one sentence each. */
  readonly heartbeatTroubles: readonly string[]
  readonly fencing: FencingStatusJson
  /** What the guard of the answering host stopped in former lives, newest first. */
  readonly guardReports: readonly GuardReportJson[]
  /** What to know of the voters of an etcd that Haven runs, one sentence each; empty = nothing, or Haven runs none. */
  readonly voterWarnings: readonly string[]
  /** Recent messages of the answering host, newest last; as many as were asked for. */
  readonly messages: readonly MessageJson[]
}

/** Since when the cluster database is away for a host, and until when the host may act all the same. */
export interface DatabaseAwayJson {
  /** When the last stamp that was taken was sent. */
  readonly sinceWallMs: number
  /** Moves on as long as all of `promisedBy` promise to take nothing over. */
  readonly untilWallMs: number
  /** Empty = it holds nothing that another host could take over. */
  readonly promisedBy: readonly string[]
}

/** One physical host. */
export interface PhysicalHostStatusJson {
  readonly name: string
  readonly membership: 'member' | 'leaving' | 'not a member'
  /** Reconfiguration in which it joined; null = not a member. */
  readonly incarnation: number | null
  readonly joinedWallMs: number | null
  /** How long it has been a member; null = it is not. */
  readonly memberForMs: number | null
  /** How long ago its present stamp was first seen by the answering host; null = not a member, or none seen yet. */
  readonly stampAgeMs: number | null
  /** Whether nothing is under way on it. */
  readonly isStable: boolean
  /** Logical hosts that it masters, and those that it could. */
  readonly masters: readonly string[]
  readonly isBackupFor: readonly string[]
}

/** Which state a logical host is in; see ARCHITECTURE.md. */
export type MasteryKindJson = 'unmastered' | 'takingOn' | 'mastered' | 'adjusting' | 'givingUp' | 'stuck'

/** One logical host. */
export interface LogicalHostStatusJson {
  readonly name: string
  readonly mastery: MasteryKindJson
  /** The same for people: `mastered by alpha`, `alpha gives it up for beta`. */
  readonly sentence: string
  /** Who holds it for clients; null = nobody, or it is in motion. */
  readonly master: string | null
  /** Who acts on it or holds it in any state; null = nobody. */
  readonly actor: string | null
  /** Where it goes; null = it is not being given up, or goes to nobody. */
  readonly to: string | null
  /** Why nobody masters it (or will): `new`, `maintenance`, `no-possible-master`, `too-many-takeovers`, `cannot-be-taken-on`; null = does not apply. */
  readonly unmasteredWhy: string | null
  readonly inMaintenance: boolean
  readonly isInMotion: boolean
  /** Lost hosts that may have left its disk groups imported. */
  readonly uncleanOn: readonly string[]
  readonly generation: number
  /** The reconfiguration that changed it last; 0 = none yet. */
  readonly reconfiguration: number
  /** Its cause; null = none, or no longer kept. */
  readonly cause: CauseJson | null
  readonly sinceWallMs: number
  /** In order of preference. */
  readonly physicalHosts: readonly string[]
  readonly diskGroups: readonly string[]
  /** `10.0.0.11/24`. */
  readonly addresses: readonly string[]
  readonly switchback: 'automatic' | 'manual'
  readonly switchbackTo: string | null
  readonly pathPrefix: string
  readonly services: readonly ServiceOnHostJson[]
  /** Services that are on but that it is mastered without, because they start nowhere. */
  readonly without: readonly string[]
  readonly startFailures: readonly StartFailureJson[]
  readonly takeOnFailures: readonly TakeOnFailureJson[]
  /** What is still there of it; only when `stuck`. */
  readonly leftovers: readonly LeftoverJson[]
  /** Wall clock of the latest takeovers, oldest first. */
  readonly takeoversWallMs: readonly number[]
}

/** One service on one logical host. */
export interface ServiceOnHostJson {
  readonly name: string
  /**
   * `running`: on, and its logical host is mastered with it; `changing`: the logical host is in motion; `without`: on, but it starts nowhere;
   * `down`: on, but nobody masters the logical host; `off`.
   */
  readonly condition: 'running' | 'changing' | 'without' | 'down' | 'off'
}

/** One registered service. */
export interface ServiceStatusJson {
  readonly name: string
  readonly state: 'on' | 'off'
  readonly version: string
  readonly logicalHosts: readonly { readonly logicalHost: string; readonly condition: ServiceOnHostJson['condition'] }[]
}

/** A service that would not start on a host. */
export interface StartFailureJson {
  readonly service: string
  readonly host: string
  readonly method: string
  readonly reconfiguration: number
  readonly message: string
}

/** A host that could not take a logical host on. */
export interface TakeOnFailureJson {
  readonly host: string
  readonly reconfiguration: number
  readonly message: string
}

/** Something that would not go. */
export interface LeftoverJson {
  readonly kind: 'process' | 'mount' | 'address' | 'disk-group'
  readonly what: string
  /** A command that clears it, or what to do. */
  readonly remedy: string
}

/** A step that is running. */
export interface ProgressJson {
  readonly reconfiguration: number
  readonly logicalHost: string
  readonly host: string
  readonly half: HalfKindJson
  /** Number of the step in its half, from 1, and how many there are. */
  readonly step: number
  readonly steps: number
  readonly sentence: string
  readonly startedWallMs: number
  readonly timeoutMs: number
}

/** What a host or a witness proves itself with. */
export interface CertificateStatusJson {
  readonly name: string
  readonly role: 'host' | 'witness'
  /** It renews itself long before. */
  readonly validUntilWallMs: number
}

/** What one host cannot execute of one service. */
export interface MissingProgramsJson {
  readonly host: string
  readonly service: string
  /** Logical hosts of the service that the host is a possible master of. */
  readonly logicalHosts: readonly string[]
  /** Absolute paths; never empty. */
  readonly programs: readonly string[]
}

/** A network, as it is by what all members see. */
export interface NetworkStatusJson {
  readonly name: string
  readonly role: 'internal' | 'client' | 'both' | 'none'
  readonly state: 'up' | 'unknown' | 'unavailable' | 'partitioned' | 'down'
  /** The same for people, with the reason: `down: alpha and beta do not hear each other over it; heartbeats go on over priv2`. */
  readonly sentence: string
  /** In order of the names of their hosts. */
  readonly interfaces: readonly InterfaceStatusJson[]
}

/** One host's interface on a network. */
export interface InterfaceStatusJson {
  readonly host: string
  readonly adapter: string
  readonly address: string
  readonly state: 'up' | 'unknown' | 'unavailable' | 'unreachable' | 'failed'
  /** The same for people, with the reason: `failed: the link of eth1 is down`. */
  readonly sentence: string
}

/** What the guard did when a deadline passed. */
export interface GuardReportJson {
  readonly firedWallMs: number
  readonly why: string
  readonly tookMs: number
  readonly stopped: readonly string[]
  readonly leftovers: readonly string[]
}

/** One line of the log of the answering host. */
export interface MessageJson {
  readonly atWallMs: number
  readonly level: 'error' | 'warn' | 'info'
  readonly text: string
  /** Null = it belongs to none. */
  readonly reconfiguration: number | null
}
