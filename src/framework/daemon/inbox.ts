import type { Change, WatchEvent } from '../ports/cluster-database.ts'
import { Bell } from './bell.ts'

/** Changes that may wait before they are thrown away for a new reading, which is cheaper then. */
export const INBOX_CHANGES_MAX = 10_000

/** Holds what the watch told until the loop takes it, all of it at once: never more than a bound, never a queue of events. */
export class Inbox {
  readonly #bell = new Bell()
  readonly #changesMax: number
  #changes: Change[] = []
  #revision = 0
  #isGap = false

  constructor(changesMax: number = INBOX_CHANGES_MAX) {
    this.#changesMax = changesMax
  }

  /** Puts an event in; never waits, never throws. */
  put(event: WatchEvent): void {
    if (event.kind === 'gap') this.#isGap = true
    else {
      this.#revision = Math.max(this.#revision, event.revision)
      for (const change of event.changes) this.#changes.push(change)
    }
    if (this.#changes.length > this.#changesMax) this.#isGap = true
    if (this.#isGap) this.#changes = []
    this.#bell.ring()
  }

  /** Takes everything out, as one event; waits until there is something. Undefined when the signal aborts first. */
  async take(signal: AbortSignal): Promise<WatchEvent | undefined> {
    await this.#bell.heard(signal)
    if (signal.aborted) return undefined
    const isGap = this.#isGap
    const changes = this.#changes
    this.#isGap = false
    this.#changes = []
    return isGap ? { kind: 'gap' } : { kind: 'changed', revision: this.#revision, changes }
  }
}
