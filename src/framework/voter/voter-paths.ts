import { join } from 'node:path'

/** Where a voter's things are, below `HAVEN_ROOT`. */
export interface VoterPaths {
  /** What the voter is: its own file. */
  readonly file: string
  /** etcd's data. */
  readonly data: string
  /** Names the life of the voter that the data are of. */
  readonly dataOwner: string
  /** What etcd says; bounded by the supervisor. */
  readonly log: string
  /** What the supervisor says when nobody else takes it. */
  readonly supervisorLog: string
  /** How it is, for `hastat` and `scadmin voters`. */
  readonly state: string
  /** Held by the one supervisor of this root. */
  readonly lock: string
  /** What the voter proves itself with; there only when the cluster has an authority. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string }
}

/** Names the files of the voter below `root` (`HAVEN_ROOT`, absolute). */
export function voterPaths(root: string): VoterPaths {
  const security = join(root, 'etc/haven/security')
  return {
    file: join(root, 'etc/haven/voter.json'),
    data: join(root, 'var/lib/haven/etcd'),
    dataOwner: join(root, 'var/lib/haven/etcd.owner'),
    log: join(root, 'var/log/haven/etcd.log'),
    supervisorLog: join(root, 'var/log/haven/voterd.log'),
    state: join(root, 'run/haven/voter-state.json'),
    lock: join(root, 'run/haven/voterd.lock'),
    tls: {
      ca: join(security, 'ca.crt'),
      certificate: join(security, 'host.crt'),
      key: join(security, 'host.key'),
    },
  }
}
