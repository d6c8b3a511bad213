import type { FencingConfigurationRequest } from './fencing.ts'
import type { ConfigurationChangeJson } from './requests.ts'

/** Body of `POST /v1/configuration/change`: one form of `scconf`. */
export type ConfigurationRequest =
  /** `scconf C -l SECONDS`, `-T SECONDS`; what is left out stays. */
  | { readonly kind: 'timeouts'; readonly logicalHostTimeoutS?: number; readonly stepTimeoutS?: number }
  /**
   * `scconf C --timings default|fast|relaxed` and `--stamp-ms`, `--guard-ms`, `--abort-ms`, `--margin-ms`: a profile first, single figures
   * on top of it; what neither names stays.
   */
  | {
      readonly kind: 'timings'
      readonly profile?: 'default' | 'fast' | 'relaxed'
      readonly stampMs?: number
      readonly guardMs?: number
      readonly abortMs?: number
      readonly marginMs?: number
    }
  /** `scconf C --heartbeat-ms N --suspect-ms N`; what is left out stays. */
  | { readonly kind: 'heartbeats'; readonly intervalMs?: number; readonly suspectMs?: number }
  /** `scconf C --takeovers-max N --takeover-window-ms N ...`; what is left out stays. */
  | {
      readonly kind: 'budgets'
      readonly takeoversMax?: number
      readonly takeoverWindowMs?: number
      readonly evictionsMax?: number
      readonly evictionWindowMs?: number
      readonly parallelMovesMax?: number
    }
  /** `scconf C --syslog-facility NAME`. */
  | { readonly kind: 'syslog-facility'; readonly facility: string }
  | FencingConfigurationRequest
  /**
   * `scconf C --physical-host H [--public-names a,b] [--private-links a,b] [--interface NETWORK:ADAPTER:ADDRESS ...] [--no-interface NETWORK,...]`: adds
   * it, or changes what is given.
   */
  | {
      readonly kind: 'physical-host'
      readonly name: string
      readonly publicNames?: readonly string[]
      readonly privateLinks?: readonly string[]
      /** `NETWORK:ADAPTER:ADDRESS`; interfaces on other networks stay. */
      readonly interfacesOn?: readonly string[]
      /** Networks that it has no interface on any more. */
      readonly withoutInterfaces?: readonly string[]
    }
  /** `scconf C --network N [--role R] [--probe ADDRESS,...]`: adds it, or changes what is given. A new one is `internal`. */
  | {
      readonly kind: 'network'
      readonly name: string
      readonly role?: 'internal' | 'client' | 'both' | 'none'
      readonly probeTargets?: readonly string[]
    }
  /** `scconf C --network N -r`: with the interfaces on it; refused for the last one that carries heartbeats, and while logical addresses depend on it. */
  | { readonly kind: 'remove-network'; readonly name: string }
  /** `pnmset -c GROUP -o NETWORK:ADAPTER[:ADAPTER...] `: adds a backup group to a host, or defines it anew. */
  | {
      readonly kind: 'backup-group'
      readonly host: string
      readonly name: string
      /** Absent: the one network for clients that the host has an interface on, or the network that the group is on. */
      readonly network?: string
      /** In order of preference. */
      readonly adapters: readonly string[]
    }
  /** `pnmset -d GROUP`: refused while a logical address is on it. */
  | { readonly kind: 'remove-backup-group'; readonly host: string; readonly name: string }
  /** `scconf C --physical-host H -r`: refused while it is a member or in the list of a logical host. */
  | { readonly kind: 'remove-physical-host'; readonly name: string }
  /**
   * `scconf C --disk-group DG --define DEFINITION...`: adds it or defines it anew. One `directory:/path`, or one or more
   * `filesystem:/dev/x:ext4[:/mount/point[:option+option]]` (no mount point: the disk group's own).
   */
  | { readonly kind: 'disk-group'; readonly name: string; readonly definitions: readonly string[] }
  /** `scconf C --disk-group DG -r`: refused while a logical host has it. */
  | { readonly kind: 'remove-disk-group'; readonly name: string }
  /**
   * `scconf C -L LH -n h1,h2 -g dg1,dg2 -i if1,if2,addr[/prefix] [-i ...] [-m] [--on-stuck stay|abort]`: a new logical host.
   * `interfaces` holds the words of each `-i`, split at commas: adapters in the order of `-n`, then the address or a host name; adapters
   * that are all `lo`, or an address in 127/8 without adapters, give an address of kind `local`.
   */
  | {
      readonly kind: 'add-logical-host'
      readonly name: string
      readonly physicalHosts: readonly string[]
      readonly diskGroups: readonly string[]
      readonly interfaces: readonly (readonly string[])[]
      /** `-m`; default false = automatic switchback. */
      readonly manual?: boolean
      /** Default `stay`. */
      readonly onStuck?: 'stay' | 'abort'
    }
  /** `scconf C -L LH --change [-n ...] [-g ...] [-i ...] [--switchback automatic|manual] [--on-stuck ...]`; what is left out stays. */
  | {
      readonly kind: 'change-logical-host'
      readonly name: string
      readonly physicalHosts?: readonly string[]
      readonly diskGroups?: readonly string[]
      readonly interfaces?: readonly (readonly string[])[]
      readonly switchback?: 'automatic' | 'manual'
      readonly onStuck?: 'stay' | 'abort'
    }
  /** `scconf C -L LH -r`: refused while it is mastered or a service is configured on it. */
  | { readonly kind: 'remove-logical-host'; readonly name: string }

/** Body of `POST /v1/configuration/diff` and `POST /v1/configuration/apply`. */
export interface ClusterFileRequest {
  /** The YAML text of a whole cluster; at most 4 MiB. */
  readonly text: string
  /** How the file is called in messages (`FILE:line:column: ...`). */
  readonly fileName: string
  /** Remove what the file does not name; default false. */
  readonly prune?: boolean
}

/** Answer to `POST /v1/configuration/diff`. */
export interface ConfigurationDiffJson {
  /** What `apply` would change, in order; removals that need `--prune` are among them, marked. Empty = the file is what is configured. */
  readonly changes: readonly ConfigurationChangeJson[]
  /** What would be asked of the services afterwards: `switch service web on`. */
  readonly requests: readonly string[]
  readonly warnings: readonly string[]
}

/** Answer to `GET /v1/configuration/export`. */
export interface ClusterFileJson {
  /** The YAML text; applying it changes nothing. */
  readonly text: string
}
