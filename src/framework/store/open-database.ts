import { HaError } from '../errors/ha-error.ts'
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
}

/** Opens the cluster database, whatever keeps it. Throws `DATABASE_*`. */
export async function openDatabase({ database }: DatabaseOf, options: OpenOptions): Promise<ClusterDatabase> {
  if (database.kind === 'file') return openFileDatabase({ directory: database.directory, ...options })
  throw new HaError('DATABASE_UNAVAILABLE', 'this version cannot use etcd yet')
}
