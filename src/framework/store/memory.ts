import { HaError } from '../errors/ha-error.ts'
import type {
  ClusterDatabase,
  CommitOptions,
  CommitOutcome,
  Guard,
  Snapshot,
  Watch,
  WatchEvent,
  Write,
} from '../ports/cluster-database.ts'
import { prepareCommit } from './prepare-commit.ts'
import { DatabaseState } from './state.ts'
import { type Deliver, Watchers } from './watchers.ts'

/**
 * Holds one database in memory, for tests and the simulation: many clients connect to it. It is synchronous, has no timer, no clock and no chance in it,
 * so that whoever drives it decides about every delay.
 */
export class MemoryDatabaseCore {
  readonly #state = new DatabaseState()
  readonly #watchers: Watchers
  #clients = 0

  /** `deliver` brings each watch event to each watcher; by default in a microtask. */
  constructor(options: { readonly deliver?: Deliver } = {}) {
    this.#watchers = new Watchers(0, options.deliver)
  }

  snapshot(): Snapshot {
    return this.#state.snapshot()
  }

  /** Commits now. Throws `NAME_INVALID` and `DATABASE_FULL`, as every engine does; then nothing was changed. */
  commit(guards: readonly Guard[], writes: readonly Write[]): CommitOutcome {
    const prepared = prepareCommit(guards, writes)
    const key = this.#state.brokenGuard(prepared.guards)
    if (key !== undefined) return { kind: 'lost-race', key }
    this.#state.refuseOversize(prepared.writes)
    const revision = this.#state.revision + 1
    this.#watchers.publish(revision, this.#state.apply(revision, prepared.writes))
    return { kind: 'committed', revision }
  }

  /** Makes one client's connection. `client` is what `deliver` is told, such as the name of a host; each connection without one gets its own. */
  connect(client?: string): MemoryDatabase {
    this.#clients += 1
    return new MemoryDatabase(this, this.#watchers, client ?? `client-${this.#clients}`)
  }
}

/** One client of a `MemoryDatabaseCore`. Closing it ends its own watches only. */
export class MemoryDatabase implements ClusterDatabase {
  readonly #core: MemoryDatabaseCore
  readonly #watchers: Watchers
  readonly #client: string
  readonly #watches = new Set<Watch>()
  #isClosed = false

  constructor(core: MemoryDatabaseCore, watchers: Watchers, client: string) {
    this.#core = core
    this.#watchers = watchers
    this.#client = client
  }

  async read(): Promise<Snapshot> {
    this.#refuseClosed()
    return this.#core.snapshot()
  }

  async commit(guards: readonly Guard[], writes: readonly Write[], options: CommitOptions): Promise<CommitOutcome> {
    this.#refuseClosed()
    if (options.signal?.aborted)
      throw new HaError('ABORTED', 'the commit was given up before it began', { cause: options.signal.reason })
    return this.#core.commit(guards, writes)
  }

  watch(fromRevision: number, onEvent: (event: WatchEvent) => void): Watch {
    this.#refuseClosed()
    const watch = this.#watchers.watch(fromRevision, onEvent, this.#client)
    this.#watches.add(watch)
    return watch
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const watch of this.#watches) watch.close()
    this.#watches.clear()
  }

  #refuseClosed(): void {
    if (this.#isClosed)
      throw new HaError('DATABASE_UNAVAILABLE', `the connection of ${this.#client} to the cluster database is closed`)
  }
}
