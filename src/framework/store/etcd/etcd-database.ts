import { HaError } from '../../errors/ha-error.ts'
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
import type { Effects } from '../../ports/effects.ts'
import { prepareCommit } from '../prepare-commit.ts'
import { Watchers } from '../watchers.ts'
import { Committer } from './committer.ts'
import { Compactor } from './compactor.ts'
import type { Endpoints } from './endpoints.ts'
import { wrapEtcdError } from './etcd-errors.ts'
import { Follower } from './follower.ts'
import type { Keyspace } from './keyspace.ts'
import { PATIENCE } from './limits.ts'
import { Reader } from './reader.ts'

/** What the database of one client is made of. */
export interface EtcdDatabaseParts {
  readonly keyspace: Keyspace
  readonly endpoints: Endpoints
  readonly effects: Effects
  /** A name that no other client uses, now or ever. */
  readonly writer: string
  readonly log: (message: string) => void
  /** Milliseconds between two compactions of history; undefined: it is left to others. */
  readonly compactEveryMs?: number | undefined
}

/** The cluster database in etcd, as one client sees it. Opened by `openEtcdDatabase`. */
export class EtcdDatabase implements ClusterDatabase {
  readonly #parts: EtcdDatabaseParts
  readonly #reader: Reader
  readonly #committer: Committer
  readonly #compactor: Compactor | undefined
  readonly #watches = new Set<Watch>()
  #watchers: Watchers | undefined
  #follower: Follower | undefined

  constructor(parts: EtcdDatabaseParts) {
    const { keyspace, endpoints, compactEveryMs } = parts
    this.#parts = parts
    this.#reader = new Reader(keyspace, endpoints)
    this.#committer = new Committer(parts)
    this.#compactor = compactEveryMs === undefined ? undefined : new Compactor({ ...parts, everyMs: compactEveryMs })
  }

  async read(): Promise<Snapshot> {
    this.#refuseClosed()
    try {
      return await this.#reader.read()
    } catch (error) {
      throw wrapEtcdError('the cluster database cannot be read', error)
    }
  }

  async commit(guards: readonly Guard[], writes: readonly Write[], options: CommitOptions): Promise<CommitOutcome> {
    const { signal, durability } = options
    this.#refuseClosed()
    const isGivenUp = (): boolean => signal?.aborted === true
    if (isGivenUp()) throw new HaError('ABORTED', 'the commit was given up before it began', { cause: signal?.reason })
    const prepared = prepareCommit(guards, writes)
    const { effects, endpoints } = this.#parts
    const untilMs = effects.nowMonotonicMs() + endpoints.callMs * (durability === 'durable' ? PATIENCE : 1)
    try {
      const outcome = await this.#committer.commit(prepared.guards, prepared.writes, {
        untilMs,
        signal,
        isUrgent: durability === 'volatile',
      })
      if (outcome.kind === 'committed') this.#follower?.expect(outcome.revision)
      return outcome
    } catch (error) {
      if (isGivenUp())
        throw new HaError('ABORTED', 'the commit was given up; it may have happened', { cause: signal?.reason })
      throw wrapEtcdError(`a commit of ${guards.length} conditions and ${writes.length} changes failed`, error)
    }
  }

  watch(fromRevision: number, onEvent: (event: WatchEvent) => void): Watch {
    this.#refuseClosed()
    const watch = this.#follow(fromRevision).watch(fromRevision, onEvent, '')
    this.#watches.add(watch)
    return {
      close: () => {
        watch.close()
        this.#watches.delete(watch)
      },
    }
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.close()
    this.#watches.clear()
    this.#follower?.close()
    this.#compactor?.close()
    this.#parts.endpoints.close()
  }

  /** One watch at etcd serves all watches of this client. */
  #follow(fromRevision: number): Watchers {
    if (this.#watchers !== undefined) return this.#watchers
    const watchers = new Watchers(fromRevision)
    this.#watchers = watchers
    this.#follower = new Follower(fromRevision, { ...this.#parts, reader: this.#reader, watchers })
    void this.#follower.run()
    return watchers
  }

  #refuseClosed(): void {
    if (this.#parts.endpoints.isClosed)
      throw new HaError('DATABASE_UNAVAILABLE', 'the connection to the cluster database is closed')
  }
}
