import type { DatabasePlace } from '../model/database-place.ts'
import type { ClusterDatabase } from '../ports/cluster-database.ts'
import type { Effects } from '../ports/effects.ts'
import { openFileDatabase } from './file/open-file-database.ts'

/** Which database: that of this cluster, at this place. */
export interface DatabaseOf {
  readonly cluster: string
  readonly database: DatabasePlace
}

/** How it is opened. */
export interface OpenOptions {
  readonly effects: Effects
  /** Makes an empty database when there is none. Default: false. */
  readonly create?: boolean
  /** Takes what an operator should know, one sentence each. Default: dropped. */
  readonly log?: (message: string) => void
  /** For etcd: milliseconds within which each call is answered or given up, at the moment. Default: see `openEtcdDatabase`. */
  readonly callMs?: () => number
  /** For etcd: milliseconds that the opening waits for one that is just coming up. Default: as long as one call. */
  readonly openWithinMs?: number
  /** For etcd: milliseconds between two compactions of its history. Default: never; whoever lives long has to. */
  readonly compactEveryMs?: number
}

/**
 * Opens the cluster database, whatever keeps it. Throws `DATABASE_*`, `RECORD_INVALID`.
 * The client of etcd is loaded only where one is used: it takes 0.15 s and 20 MB.
 */
export async function openDatabase({ cluster, database }: DatabaseOf, options: OpenOptions): Promise<ClusterDatabase> {
  if (database.kind === 'file') return openFileDatabase({ directory: database.directory, ...options })
  const { openEtcdDatabase } = await import('./etcd/open-etcd-database.ts')
  return openEtcdDatabase({ place: database, cluster, ...options })
}
