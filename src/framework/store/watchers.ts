import type { Change, Watch, WatchEvent } from '../ports/cluster-database.ts'
import { COMMITS_KEPT_MAX } from './limits.ts'

/**
 * Brings one event to one watcher: calls `tell` with it, soon but never at once. The simulation delays, repeats, or tells `gap` instead;
 * to drop an event without a gap would break the port. `client` names the connection that watches.
 */
export type Deliver = (event: WatchEvent, tell: (event: WatchEvent) => void, client: string) => void

/** Delivers in the same turn of the event loop, after the code that runs now. */
export const deliverSoon: Deliver = (event, tell) => queueMicrotask(() => tell(event))

interface Watcher {
  readonly client: string
  readonly fromRevision: number
  tell(event: WatchEvent): void
}

/** Tells watchers what was committed, also what was committed before they came, as far as that is kept. */
export class Watchers {
  readonly #deliver: Deliver
  readonly #watchers = new Set<Watcher>()
  #kept: { readonly revision: number; readonly changes: readonly Change[] }[] = []
  /** All commits after this revision are in `#kept`. */
  #sinceRevision: number

  constructor(sinceRevision: number, deliver: Deliver = deliverSoon) {
    this.#sinceRevision = sinceRevision
    this.#deliver = deliver
  }

  get count(): number {
    return this.#watchers.size
  }

  /** Begins a watch for `client`; what it missed since `fromRevision` is told first, or a gap when that is no longer known. */
  watch(fromRevision: number, onEvent: (event: WatchEvent) => void, client: string): Watch {
    const watcher: Watcher = {
      client,
      fromRevision,
      tell: (event) => {
        if (this.#watchers.has(watcher)) onEvent(event)
      },
    }
    this.#watchers.add(watcher)
    if (fromRevision < this.#sinceRevision) this.#bring(watcher, { kind: 'gap' })
    else for (const commit of this.#kept) this.#bring(watcher, { kind: 'changed', ...commit })
    return { close: () => void this.#watchers.delete(watcher) }
  }

  publish(revision: number, changes: readonly Change[]): void {
    this.#kept.push({ revision, changes })
    // Cut in blocks, because taking the first of a long array away moves all others.
    if (this.#kept.length >= 2 * COMMITS_KEPT_MAX) {
      const dropped = this.#kept.splice(0, COMMITS_KEPT_MAX)
      this.#sinceRevision = dropped.at(-1)?.revision ?? this.#sinceRevision
    }
    for (const watcher of this.#watchers) this.#bring(watcher, { kind: 'changed', revision, changes })
  }

  /** Forgets what is kept and tells everybody to read again, from `revision` on. */
  publishGap(revision: number): void {
    this.#kept = []
    this.#sinceRevision = revision
    for (const watcher of this.#watchers) this.#bring(watcher, { kind: 'gap' })
  }

  /** Ends all watches. */
  close(): void {
    this.#watchers.clear()
  }

  #bring(watcher: Watcher, event: WatchEvent): void {
    if (event.kind === 'changed' && event.revision <= watcher.fromRevision) return
    this.#deliver(event, watcher.tell, watcher.client)
  }
}
