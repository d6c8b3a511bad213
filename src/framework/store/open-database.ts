import type { DatabasePlace, EtcdPlace } from '../model/database-place.ts'
import type { ClusterDatabase } from '../ports/cluster-database.ts'
import type { Effects } from '../ports/effects.ts'
import { openFileDatabase } from './file/open-file-database.ts'
import { finishCopy } from './move/copy-records.ts'
import { followMoves } from './move/follow-move.ts'
import { type Moved, originOf } from './move/move-records.ts'
import { raiseRevisions } from './move/raise-revisions.ts'

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
  /** For etcd: given what adds endpoints that were not known when it was opened. Default: nobody adds any. */
  readonly onOpened?: (client: { add(endpoints: readonly string[]): void }) => void
  /** For etcd: milliseconds between two compactions of its history. Default: never; whoever lives long has to. */
  readonly compactEveryMs?: number
  /** Makes of the place that a database has moved to the one that it is for this host. Default: it is that very place. */
  readonly localize?: (place: EtcdPlace) => EtcdPlace
  /** Told where the database is from now on, when it has moved and this client has gone along. Default: nobody is. */
  readonly onMoved?: (place: EtcdPlace) => void
}

/**
 * Opens the cluster database, whatever keeps it; one in files goes along by itself when it moves to etcd, now or while it is used.
 * Throws `DATABASE_*`, `RECORD_INVALID`. The client of etcd is loaded only where one is used: it takes 0.15 s and 20 MB.
 */
export async function openDatabase({ cluster, database }: DatabaseOf, options: OpenOptions): Promise<ClusterDatabase> {
  if (database.kind === 'etcd') return countOn(await openEtcd({ cluster, database }, options))
  const { directory } = database
  const next = new NextDatabase(cluster, options)
  return followMoves({
    first: await openFileDatabase({ directory, ...options }),
    prepareNext: (moved) => next.prepare(moved),
    openNext: (moved) => openMoved(directory, moved, next, options),
    forget: () => next.forget(),
    log: options.log ?? (() => undefined),
  })
}

/** The connection to where a database is about to move: to load the client alone takes longer than a guard can wait on a busy machine. */
class NextDatabase {
  readonly #cluster: string
  readonly #options: OpenOptions
  #prepared: { readonly id: string; readonly client: ClusterDatabase } | undefined

  constructor(cluster: string, options: OpenOptions) {
    this.#cluster = cluster
    this.#options = options
  }

  placeOf({ to }: Moved): EtcdPlace {
    return this.#options.localize?.(to) ?? to
  }

  async prepare(moved: Moved): Promise<void> {
    if (this.#prepared?.id === moved.id) return
    await this.forget()
    this.#prepared = { id: moved.id, client: await this.#open(moved) }
  }

  /** The connection is the caller's from then on. */
  async take(moved: Moved): Promise<ClusterDatabase> {
    const prepared = this.#prepared
    this.#prepared = undefined
    if (prepared?.id === moved.id) return prepared.client
    await prepared?.client.close()
    return this.#open(moved)
  }

  async forget(): Promise<void> {
    const prepared = this.#prepared
    this.#prepared = undefined
    await prepared?.client.close()
  }

  #open(moved: Moved): Promise<ClusterDatabase> {
    return openEtcd({ cluster: this.#cluster, database: this.placeOf(moved) }, { ...this.#options, create: true })
  }
}

/** Opens an etcd as it is, its revisions its own: for whoever moves a database there. Throws `DATABASE_*`. */
export async function openEtcd(
  { cluster, database }: { readonly cluster: string; readonly database: EtcdPlace },
  options: OpenOptions,
): Promise<ClusterDatabase> {
  const { openEtcdDatabase } = await import('./etcd/open-etcd-database.ts')
  return openEtcdDatabase({ place: database, cluster, ...options })
}

async function openMoved(
  directory: string,
  moved: Moved,
  nextDatabase: NextDatabase,
  options: OpenOptions,
): Promise<ClusterDatabase> {
  // Opened anew, which makes sure that its last record is on the disk: what goes on elsewhere must never begin again here after a loss of power.
  const former = await openFileDatabase({ directory, effects: options.effects })
  const sealed = await former.read().finally(() => former.close())
  const next = await nextDatabase.take(moved)
  try {
    await finishCopy(sealed, next, moved)
    const counted = await countOn(next)
    options.onMoved?.(nextDatabase.placeOf(moved))
    return counted
  } catch (error) {
    await next.close()
    throw error
  }
}

async function countOn(database: ClusterDatabase): Promise<ClusterDatabase> {
  try {
    const origin = originOf(await database.read())
    return origin === undefined ? database : raiseRevisions(database, origin.fromRevision)
  } catch (error) {
    await database.close()
    throw error
  }
}
