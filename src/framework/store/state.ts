import { HaError } from '../errors/ha-error.ts'
import {
  type Change,
  DATABASE_SIZE_BYTES_MAX,
  type DatabaseRecord,
  type Guard,
  type Json,
  type RecordKey,
  type Snapshot,
} from '../ports/cluster-database.ts'

/** A write as the engines hold it: checked, its value frozen and its size known. */
export type PreparedWrite =
  | { readonly kind: 'put'; readonly key: RecordKey; readonly value: Json; readonly sizeBytes: number }
  | { readonly kind: 'delete'; readonly key: RecordKey }

interface Held {
  readonly record: DatabaseRecord
  readonly sizeBytes: number
}

/**
 * Holds the records of one database in memory, and is the one place that knows what a commit does to them: every engine of ours uses it.
 * Snapshots are cheap: the records are copied only when a change follows a snapshot.
 */
export class DatabaseState {
  #revision = 0
  #sizeBytes = 0
  #records = new Map<RecordKey, DatabaseRecord>()
  readonly #sizesBytes = new Map<RecordKey, number>()
  #isShared = false

  get revision(): number {
    return this.#revision
  }

  /** Bytes of keys and JSON in all records. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get recordCount(): number {
    return this.#records.size
  }

  has(key: RecordKey): boolean {
    return this.#records.has(key)
  }

  snapshot(): Snapshot {
    this.#isShared = true
    return { revision: this.#revision, records: this.#records }
  }

  /** Finds the first guard that does not hold; undefined when all do. */
  brokenGuard(guards: readonly Guard[]): RecordKey | undefined {
    return guards.find((guard) => !this.#holds(guard))?.key
  }

  /** Throws `DATABASE_FULL` if the writes would make the database grow beyond its limit. What makes it smaller is always allowed. */
  refuseOversize(writes: readonly PreparedWrite[]): void {
    let sizeBytes = this.#sizeBytes
    for (const write of writes)
      sizeBytes += (write.kind === 'put' ? write.sizeBytes : 0) - (this.#sizesBytes.get(write.key) ?? 0)
    if (sizeBytes <= DATABASE_SIZE_BYTES_MAX || sizeBytes <= this.#sizeBytes) return
    throw new HaError(
      'DATABASE_FULL',
      `the cluster database would hold ${sizeBytes} bytes; ${DATABASE_SIZE_BYTES_MAX} is the limit`,
      {
        hint: 'Nothing was changed. Remove what is no longer needed; the cluster database is meant for configuration and state, not for data.',
      },
    )
  }

  /** Does the writes and makes `revision` the present one. Returns what changed: deleting what is absent is no change. */
  apply(revision: number, writes: readonly PreparedWrite[]): readonly Change[] {
    this.#detach()
    this.#revision = revision
    const changes: Change[] = []
    for (const write of writes) {
      if (write.kind === 'put') {
        const record = { key: write.key, value: write.value, revision }
        this.#hold({ record, sizeBytes: write.sizeBytes })
        changes.push({ kind: 'put', record })
      } else if (this.#records.delete(write.key)) {
        this.#sizeBytes -= this.#sizesBytes.get(write.key) ?? 0
        this.#sizesBytes.delete(write.key)
        changes.push({ kind: 'delete', key: write.key, revision })
      }
    }
    return changes
  }

  /** Takes a record over as a checkpoint holds it, with the revision it was written at. */
  load(record: DatabaseRecord, sizeBytes: number): void {
    this.#detach()
    this.#hold({ record, sizeBytes })
  }

  /** Ends loading: the state is that of `revision`. */
  loaded(revision: number): void {
    this.#revision = revision
  }

  #hold({ record, sizeBytes }: Held): void {
    this.#sizeBytes += sizeBytes - (this.#sizesBytes.get(record.key) ?? 0)
    this.#sizesBytes.set(record.key, sizeBytes)
    this.#records.set(record.key, record)
  }

  #detach(): void {
    if (!this.#isShared) return
    this.#records = new Map(this.#records)
    this.#isShared = false
  }

  #holds(guard: Guard): boolean {
    const record = this.#records.get(guard.key)
    return guard.kind === 'absent' ? record === undefined : record?.revision === guard.revision
  }
}
