import { describeError, HaError, isHaError } from '../../errors/ha-error.ts'
import type {
  ClusterDatabase,
  CommitOptions,
  CommitOutcome,
  Guard,
  Snapshot,
  Watch,
  WatchEvent,
  Write,
} from '../../ports/cluster-database.ts'
import { MOVED_KEY, MOVING_KEY, type Moved, movedOf, movingOf, READY_PREFIX } from './move-records.ts'

/** What following a database to its new place takes. */
export interface FollowParts {
  /** The database as it is opened first. */
  readonly first: ClusterDatabase
  /**
   * Opens the new place, with everything there that was in the old one: whoever comes first copies the rest. The sealed database is read again by
   * it, from the disk. Throws `DATABASE_*`; then it is tried again with the next question.
   */
  openNext(moved: Moved): Promise<ClusterDatabase>
  /** Makes ready what `openNext` will take, as the database is about to move. Failing is no harm: it takes longer then. */
  prepareNext(moved: Moved): Promise<void>
  /** Lets go what was made ready in vain. */
  forget(): Promise<void>
  log(message: string): void
}

/**
 * A cluster database that goes along when its records move to another place. Whoever uses it sees a moment in which nothing is answered, a gap
 * in its watches, and commits that lost a race; revisions only grow.
 */
export function followMoves(parts: FollowParts): ClusterDatabase {
  return new FollowingDatabase(parts)
}

interface Watcher {
  inner: Watch
  readonly onEvent: (event: WatchEvent) => void
}

class FollowingDatabase implements ClusterDatabase {
  readonly #parts: FollowParts
  readonly #watchers = new Set<Watcher>()
  #current: ClusterDatabase
  #isMoved = false
  #isClosed = false
  #moving: Promise<void> | undefined

  constructor(parts: FollowParts) {
    this.#parts = parts
    this.#current = parts.first
  }

  async read(): Promise<Snapshot> {
    const snapshot = await this.#current.read()
    const moved = this.#isMoved ? undefined : movedOf(snapshot)
    if (moved === undefined) return snapshot
    await this.#follow(moved)
    return this.#current.read()
  }

  async commit(guards: readonly Guard[], writes: readonly Write[], options: CommitOptions): Promise<CommitOutcome> {
    try {
      return await this.#current.commit(guards, writes, options)
    } catch (error) {
      // Certain not to have happened: the old place takes no commits any more.
      if (!isHaError(error, 'DATABASE_MOVED')) throw error
      await this.#followNow()
      return this.#current.commit(guards, writes, options)
    }
  }

  watch(fromRevision: number, onEvent: (event: WatchEvent) => void): Watch {
    const watcher: Watcher = { inner: this.#begin(fromRevision, onEvent), onEvent }
    this.#watchers.add(watcher)
    return {
      close: () => {
        this.#watchers.delete(watcher)
        watcher.inner.close()
      },
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const { inner } of this.#watchers) inner.close()
    this.#watchers.clear()
    await this.#moving?.catch(() => undefined) // Who asked was told.
    await this.#parts.forget()
    await this.#current.close()
  }

  #begin(fromRevision: number, onEvent: (event: WatchEvent) => void): Watch {
    if (this.#isMoved) return this.#current.watch(fromRevision, onEvent)
    return this.#current.watch(fromRevision, (event) => {
      onEvent(event)
      if (isOf(event, MOVING_KEY) && !this.#isClosed) void this.#prepare()
      if (!isOf(event, MOVED_KEY) || this.#isClosed) return
      // Not to be the last to come: the next stamp would have found out as well.
      this.#followNow().catch((error) => this.#parts.log(`the move is not finished yet: ${describeError(error)}`))
    })
  }

  /** Makes ready, and says so: whoever moves the database waits for it, a while. */
  async #prepare(): Promise<void> {
    const { prepareNext, log, first } = this.#parts
    try {
      const moving = movingOf(await first.read())
      if (moving === undefined) return
      await prepareNext(moving)
      const writes = [{ kind: 'put', key: `${READY_PREFIX}${process.pid}`, value: moving.id }] as const
      await first.commit([], writes, { durability: 'volatile' })
    } catch (error) {
      log(`the database is about to move, and this host is not ready for it: ${describeError(error)}`)
    }
  }

  async #followNow(): Promise<void> {
    if (this.#isMoved) return
    const moved = movedOf(await this.#current.read())
    if (moved !== undefined && !this.#isMoved) await this.#follow(moved)
  }

  #follow(moved: Moved): Promise<void> {
    if (this.#isClosed) return Promise.reject(new HaError('DATABASE_UNAVAILABLE', 'the cluster database was closed'))
    this.#moving ??= this.#switchOver(moved).finally(() => {
      this.#moving = undefined
    })
    return this.#moving
  }

  async #switchOver(moved: Moved): Promise<void> {
    if (this.#isMoved) return
    const { openNext, log } = this.#parts
    const next = await openNext(moved)
    const { revision } = await next.read()
    const former = this.#current
    this.#current = next
    this.#isMoved = true
    for (const watcher of this.#watchers) {
      watcher.inner.close()
      watcher.inner = next.watch(revision, watcher.onEvent)
      watcher.onEvent({ kind: 'gap' })
    }
    log(`the cluster database has moved to ${moved.to.endpoints.join(', ')}, and goes on there at revision ${revision}`)
    await former.close().catch((error) => log(`the former cluster database: ${describeError(error)}`))
  }
}

function isOf(event: WatchEvent, key: string): boolean {
  return event.kind === 'changed' && event.changes.some((change) => keyOf(change) === key && change.kind === 'put')
}

function keyOf(change: Extract<WatchEvent, { kind: 'changed' }>['changes'][number]): string {
  return change.kind === 'put' ? change.record.key : change.key
}
