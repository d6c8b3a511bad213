/** Answer to `GET /v1/public-networks` (`pnmstat`): the public adapters of one host, as it sees them. */
export interface PublicNetworksJson {
  readonly host: string
  /** Backup groups, and adapters that are in none; in the order of the configuration. Empty when none are configured. */
  readonly groups: readonly PublicGroupJson[]
}

/** A backup group, or an adapter that is a group of its own. */
export interface PublicGroupJson {
  readonly name: string
  readonly network: string
  /** Null: its host has not said anything yet, or is not a member. `doubtful`: a test is under way. */
  readonly state: 'ok' | 'doubtful' | 'failed' | 'network-down' | null
  /** The adapter that carries the addresses; empty when nothing is known. */
  readonly active: string
  /** Names of those that are faulty. */
  readonly faulty: readonly string[]
  /** Since the addresses last moved to another adapter, as long as the clustd of the host has been running; null: never, or known only there. */
  readonly secondsSinceMoved: number | null
  /** In order of preference. */
  readonly adapters: readonly PublicAdapterJson[]
}

/** One adapter of a group. */
export interface PublicAdapterJson {
  readonly name: string
  /** What the tests of its host say of it by itself; null where another host is asked about, or nothing is known. */
  readonly test: 'ok' | 'testing' | 'doubtful' | 'silent' | 'link-down' | 'recovering' | null
}

/** Body of `POST /v1/public-networks/switch` (`pnmset --switch`). Answer: `PublicNetworksJson`. */
export interface SwitchAdapterRequest {
  /** A group of the host that is asked. */
  readonly group: string
  /** The adapter that is to carry its addresses from now on. */
  readonly adapter: string
}
