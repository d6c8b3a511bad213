import type { RecordKey, Snapshot } from '../ports/cluster-database.ts'
import { folderOf } from './keys.ts'

/** Knows at which revision each record was written last, also of removed ones as long as older news of them may come. */
export class Revisions {
  /** Everything up to this revision is known. */
  #complete = 0
  readonly #of = new Map<RecordKey, number>()
  /** Removed by an own commit that the watch has not told yet. */
  readonly #removed = new Map<RecordKey, number>()

  get complete(): number {
    return this.#complete
  }

  of(key: RecordKey): number | undefined {
    return this.#of.get(key)
  }

  keysIn(folder: string): readonly RecordKey[] {
    return [...this.#of.keys()].filter((key) => folderOf(key) === folder)
  }

  /** Tells whether something written at that revision is newer than what is known of the record. */
  isNews(key: RecordKey, revision: number): boolean {
    const known = this.#of.get(key)
    if (known !== undefined) return revision > known
    // A record that is absent now was removed at or before `complete`, or by an own commit after it.
    return revision > (this.#removed.get(key) ?? this.#complete)
  }

  put(key: RecordKey, revision: number): void {
    this.#of.set(key, revision)
    this.#removed.delete(key)
  }

  /** Forgets a record; false when what is known of it is newer. */
  drop(key: RecordKey, revision: number): boolean {
    const known = this.#of.get(key)
    if (known !== undefined && known > revision) return false
    this.#of.delete(key)
    if (revision > this.#complete) this.#removed.set(key, revision)
    return true
  }

  /** Lists the known records that a snapshot shows to be gone. */
  missingIn(snapshot: Snapshot): readonly RecordKey[] {
    return [...this.#of].flatMap(([key, revision]) =>
      revision <= snapshot.revision && !snapshot.records.has(key) ? [key] : [],
    )
  }

  completeTo(revision: number): void {
    this.#complete = Math.max(this.#complete, revision)
    for (const [key, removedAt] of this.#removed) if (removedAt <= this.#complete) this.#removed.delete(key)
  }
}
