/** Files of TLS with etcd, absolute paths of PEM files. Without a client certificate only the servers prove who they are. */
export interface EtcdTlsFiles {
  /** The authorities that the servers' certificates may come from. */
  readonly ca: string
  /** What this host shows of itself; with `key` or not at all. */
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}

/** A user of an etcd whose authentication is switched on. */
export interface EtcdLogin {
  readonly user: string
  /** Absolute path of a file with the password in its first line. */
  readonly passwordFile: string
}

/** A directory of this machine. */
export interface FilePlace {
  readonly kind: 'file'
  /** Absolute path. */
  readonly directory: string
}

/** An etcd, of one or several members. */
export interface EtcdPlace {
  readonly kind: 'etcd'
  /** One or several for each member, `http://host:port` or `https://host:port`, all of the same kind. */
  readonly endpoints: readonly string[]
  /** Whether Haven itself starts etcd and looks after it. */
  readonly isManaged: boolean
  readonly tls?: EtcdTlsFiles | undefined
  readonly login?: EtcdLogin | undefined
}

/** Where the cluster database is. */
export type DatabasePlace = FilePlace | EtcdPlace

/** Endpoints of etcd, at most: more voters than seven make every commit slower and nothing safer, and each has four addresses at most. */
export const ETCD_ENDPOINTS_MAX = 32

/** Says where the database is as `scadmin setup --database` takes it: `file:/var/lib/haven/database`, `etcd://a:2379,b:2379`. */
export function describePlace(place: DatabasePlace): string {
  if (place.kind === 'file') return `file:${place.directory}`
  const hosts = place.endpoints.map((endpoint) => endpoint.replace(/^https?:\/\//, ''))
  return `etcd://${hosts.join(',')}`
}
