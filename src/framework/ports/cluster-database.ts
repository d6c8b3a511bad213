/** A JSON value, as records hold it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Name of a record: segments joined by `/`, such as `mastery/ha1`. At most 255 bytes, no empty segment. */
export type RecordKey = string

/** One record with the revision of the commit that wrote it last. */
export interface DatabaseRecord {
  readonly key: RecordKey
  readonly value: Json
  readonly revision: number
}

/** The whole database at one revision. Values are frozen or never changed; do not modify them. */
export interface Snapshot {
  readonly revision: number
  readonly records: ReadonlyMap<RecordKey, DatabaseRecord>
}

/** A condition of a commit: the record is still at that revision, or is absent. */
export type Guard =
  | { readonly kind: 'at'; readonly key: RecordKey; readonly revision: number }
  | { readonly kind: 'absent'; readonly key: RecordKey }

/** One change of a commit. Deleting what is absent is no change and no error. */
export type Write =
  | { readonly kind: 'put'; readonly key: RecordKey; readonly value: Json }
  | { readonly kind: 'delete'; readonly key: RecordKey }

/** How a commit ended. `lost-race` changed nothing; `key` is the first guard that did not hold. */
export type CommitOutcome =
  | { readonly kind: 'committed'; readonly revision: number }
  | { readonly kind: 'lost-race'; readonly key: RecordKey }

/** One change as watchers see it. */
export type Change =
  | { readonly kind: 'put'; readonly record: DatabaseRecord }
  | { readonly kind: 'delete'; readonly key: RecordKey; readonly revision: number }

/**
 * What a watcher is told. `changed` carries all changes of one or more whole commits, in order, up to `revision`;
 * `gap` says that changes were missed and that the reader must `read()` again.
 */
export type WatchEvent =
  | { readonly kind: 'changed'; readonly revision: number; readonly changes: readonly Change[] }
  | { readonly kind: 'gap' }

/** How a commit is kept. */
export interface CommitOptions {
  /**
   * `durable`: survives the loss of power once answered. `volatile`: visible to all readers and ordered with all other commits, but may be
   * lost, as a tail and together with nothing durable, when the machine loses power. Stamps and progress are volatile: they must not cost an fsync.
   */
  readonly durability: 'durable' | 'volatile'
  /** Gives up waiting (for a lock, for an answer). Whether the commit happened is then unknown to the caller. */
  readonly signal?: AbortSignal
}

/**
 * The shared, versioned record of configuration and state. Small: at most `DATABASE_SIZE_BYTES_MAX` of JSON.
 *
 * Promises: commits are atomic and totally ordered, each has a revision greater than all before; a guard that does not hold
 * leaves everything as it was; what `read` returns is one whole revision, and at least as new as every commit this caller was answered.
 * A watch is a hint, never the truth: it may be late, repeat (a change with a revision not above the reader's is to be ignored) or announce a gap; what decides is the guard.
 */
export interface ClusterDatabase {
  /** Reads everything at one revision. Throws `DATABASE_*`. */
  read(): Promise<Snapshot>
  /** Writes all of `writes` if every guard holds, else nothing. Throws `DATABASE_*`; then it is unknown whether the commit happened unless the code says otherwise. */
  commit(guards: readonly Guard[], writes: readonly Write[], options: CommitOptions): Promise<CommitOutcome>
  /** Tells `onEvent` of every commit after `fromRevision` until closed. Never calls `onEvent` before `watch` has returned. */
  watch(fromRevision: number, onEvent: (event: WatchEvent) => void): Watch
  /** Ends watches and releases files or connections. Idempotent. */
  close(): Promise<void>
}

/** A running watch. */
export interface Watch {
  close(): void
}

/** Bytes of JSON in one record, at most: more is a mistake, not a configuration. */
export const RECORD_SIZE_BYTES_MAX = 1024 * 1024
/** Bytes of JSON in all records, at most. */
export const DATABASE_SIZE_BYTES_MAX = 64 * 1024 * 1024
