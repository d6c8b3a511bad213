import { join } from 'node:path'

/** The files that a host proves itself with, below `HAVEN_ROOT`. The directory is open to its owner only (0700), as is each file (0600). */
export interface SecurityPaths {
  readonly directory: string
  /** Certificate of the cluster's authority, PEM: what every other certificate of the cluster is checked against. */
  readonly caCertificate: string
  /** Private key of the authority, PEM. On every physical host; a witness has none. */
  readonly caKey: string
  /** Certificate of this host, PEM. */
  readonly hostCertificate: string
  /** Private key of this host, PEM; it is made here and never leaves. */
  readonly hostKey: string
  /** `CLUSTER_KEY_BYTES` random bytes that all hosts of the cluster share: heartbeats are authenticated with them. */
  readonly clusterKey: string
}

/** Bytes of the key that authenticates heartbeats: as many as the hash of their HMAC has. */
export const CLUSTER_KEY_BYTES = 32

/** Names the files that the host below `root` (`HAVEN_ROOT`, absolute) proves itself with. */
export function securityPaths(root: string): SecurityPaths {
  const directory = join(root, 'etc/haven/security')
  return {
    directory,
    caCertificate: join(directory, 'ca.crt'),
    caKey: join(directory, 'ca.key'),
    hostCertificate: join(directory, 'host.crt'),
    hostKey: join(directory, 'host.key'),
    clusterKey: join(directory, 'cluster.key'),
  }
}
