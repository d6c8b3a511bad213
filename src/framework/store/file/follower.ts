import assert from 'node:assert/strict'
import { HaError } from '../../errors/ha-error.ts'
import type { Change, CommitOptions, RecordKey, Snapshot } from '../../ports/cluster-database.ts'
import { LOAD_ATTEMPTS_MAX } from '../limits.ts'
import { MOVED_KEY } from '../move/move-records.ts'
import { type PreparedCommit, parsePayload } from '../prepare-commit.ts'
import { DatabaseState } from '../state.ts'
import { readCheckpoint } from './checkpoint.ts'
import { corruptError, systemCode } from './file-errors.ts'
import { type Frame, findFrames, HEADER_BYTES } from './frame.ts'
import { type CutTail, LogFile } from './log-file.ts'
import { logGenerations, logPath, type Place, readWhole } from './place.ts'

/** What a follower tells its owner, at once, in the order of the commits. */
export interface FollowerEvents {
  onCommit(revision: number, changes: readonly Change[]): void
  /** Commits may have been missed: the state was read anew. */
  onGap(revision: number): void
}

/** How an attempt to append a commit ended. `syncing` resolves when it is durable; absent for a volatile one. */
export type Appended =
  | { readonly kind: 'lost-race'; readonly key: RecordKey }
  | { readonly kind: 'committed'; readonly revision: number; readonly syncing: Promise<void> | undefined }

/** Keeps the state of the database in memory in step with its files: reads the new end of the log, goes from one log to the next, and appends. */
export class LogFollower {
  readonly #place: Place
  readonly #events: FollowerEvents
  #state = new DatabaseState()
  #log: LogFile

  /** Reads the checkpoint and opens its log. Throws ENOENT when there is no checkpoint, and `DATABASE_*`. */
  constructor(place: Place, events: FollowerEvents) {
    this.#place = place
    this.#events = events
    const loaded = load(place)
    this.#log = loaded.log
    this.#state = loaded.state
  }

  get log(): LogFile {
    return this.#log
  }

  get revision(): number {
    return this.#state.revision
  }

  snapshot(): Snapshot {
    return this.#state.snapshot()
  }

  /** Reads what is new, without the lock. `pending`: behind it stands something that a writer has not finished, or never will. */
  refresh(): 'end' | 'pending' {
    for (;;) {
      const end = this.#log.readTail((frame) => this.#take(frame))
      if (end !== 'sealed') return end
      this.#followSeal()
    }
  }

  /**
   * Reads what is new, under the lock; cuts off what a dead writer, or when `mayBe` says so a loss of power, left half done.
   * Throws `DATABASE_CORRUPT`, with nothing changed, when that does not explain what is there.
   */
  catchUp(mayBe: 'killed-writer' | 'lost-power' = 'killed-writer'): CutTail | undefined {
    if (this.refresh() === 'end') {
      this.#log.checkEnd()
      return undefined
    }
    this.#findStrayLogs() // A later log may prove that this is no tail.
    return this.#log.cutTail(mayBe)
  }

  /** Appends a commit if its guards hold, under the lock and after `catchUp`. Throws `DATABASE_MOVED`, `DATABASE_FULL`. */
  append(commit: PreparedCommit, durability: CommitOptions['durability']): Appended {
    if (this.#state.has(MOVED_KEY)) throw movedError()
    const key = this.#state.brokenGuard(commit.guards)
    if (key !== undefined) return { kind: 'lost-race', key }
    this.#state.refuseOversize(commit.writes)
    const revision = this.#state.revision + 1
    this.#log.append(durability, revision, commit.payload)
    this.#events.onCommit(revision, this.#state.apply(revision, commit.writes))
    return { kind: 'committed', revision, syncing: durability === 'durable' ? this.#log.sync() : undefined }
  }

  /** Ends the present log and goes on in the next one, which must be there; under the lock and after `catchUp`. */
  seal(): void {
    this.#log.append('seal', this.#state.revision, Buffer.alloc(0))
    this.#openNext()
  }

  /**
   * Removes logs that the present one does not lead to, under the lock and after `catchUp`; returns their paths. A writer that was killed while it replaced the log leaves an empty one;
   * a loss of power may leave one with what was never synced. Throws `DATABASE_CORRUPT`, with nothing changed, if the way to one of them was durable once.
   */
  removeStrayLogs(): readonly string[] {
    const strays = this.#findStrayLogs()
    for (const path of strays) this.#place.files.remove('log:stray', path)
    return strays
  }

  /** Makes all that was read durable. What is written from then on proves it. */
  sync(): Promise<void> {
    return this.#log.sync()
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #findStrayLogs(): readonly string[] {
    const strays = logGenerations(this.#place).filter((generation) => generation > this.#log.generation)
    return strays.map((generation) => {
      const path = logPath(this.#place, generation)
      const bytes = readWhole(this.#place, 'log:stray', path)
      const proof = proofOfSealIn(bytes)
      if (proof === undefined) return path
      const what = `it does not lead on to ${path}, and revision ${proof.revision} there proves that it did`
      throw corruptError({ path: this.#log.path, offset: this.#log.endBytes, what })
    })
  }

  #take(frame: Frame): boolean {
    if (frame.kind === 'seal') return frame.revision === this.#state.revision
    if (frame.kind !== 'durable' && frame.kind !== 'volatile') return false
    if (frame.revision !== this.#state.revision + 1) return false
    const changes = this.#state.apply(frame.revision, parsePayload(frame.payload))
    this.#events.onCommit(frame.revision, changes)
    return true
  }

  #followSeal(): void {
    try {
      this.#openNext()
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      this.#reload()
    }
  }

  #openNext(): void {
    // The log before stays open until it is synced: nothing in the new one may be called durable before.
    this.#log = new LogFile(this.#place, this.#log.generation + 1, this.#log)
    // Now, so that a process that commits nothing durable does not keep one log after the other open. A failure is told to the next durable commit.
    this.#log.sync().catch(() => undefined)
  }

  /** So slow a reader was this that the next log is replaced already: whoever removed it put a checkpoint in its place, durably. */
  #reload(): void {
    const old = this.#log
    const { log, state } = load(this.#place)
    if (log.generation <= old.generation) {
      closeQuietly(log)
      throw corruptError({
        path: old.path,
        offset: old.endBytes,
        what: `the log that goes on from here, ${logPath(this.#place, old.generation + 1)}, is missing`,
      })
    }
    assert.ok(
      state.revision >= this.#state.revision,
      `checkpoint ${state.revision} is older than what was read, ${this.#state.revision}`,
    )
    this.#log = log
    this.#state = state
    closeQuietly(old)
    this.#events.onGap(state.revision)
  }
}

/** Closes a log that is not needed any more; if that fails, nothing is lost but a file descriptor. */
function closeQuietly(log: LogFile): void {
  log.close().catch(() => undefined)
}

/** Finds a frame that was written when its log, and with it the seal of the log before, was known to be on the disk. */
export function proofOfSealIn(bytes: Buffer): Frame | undefined {
  for (const frame of findFrames(bytes, HEADER_BYTES)) if (frame.syncedBytes >= HEADER_BYTES) return frame
  return undefined
}

/** Reads the checkpoint and opens the log that continues it, while others may be replacing both. */
function load(place: Place): { readonly log: LogFile; readonly state: DatabaseState } {
  let missing: number | undefined
  for (let attempt = 0; attempt < LOAD_ATTEMPTS_MAX; attempt += 1) {
    const { generation, state } = readCheckpoint(place)
    try {
      return { log: new LogFile(place, generation), state }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    // A log goes only after a newer checkpoint came, so the same checkpoint again means that it did not go this way.
    if (missing === generation)
      throw corruptError({
        path: logPath(place, generation),
        offset: 0,
        what: 'it is missing, and the checkpoint needs it',
      })
    missing = generation
  }
  throw new HaError(
    'DATABASE_UNAVAILABLE',
    `the checkpoint in ${place.directory} is replaced faster than it can be read`,
  )
}

function movedError(): HaError {
  return new HaError('DATABASE_MOVED', 'the cluster database has moved elsewhere', {
    hint: 'Every clustd goes along by itself. Nothing was changed here.',
  })
}
