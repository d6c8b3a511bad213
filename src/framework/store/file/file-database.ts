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
import type { Effects } from '../../ports/effects.ts'
import { COMMITS_PER_LOCK_MAX, POLL_MS } from '../limits.ts'
import { type PreparedCommit, prepareCommit } from '../prepare-commit.ts'
import { Watchers } from '../watchers.ts'
import { wrapFileError } from './file-errors.ts'
import { LogFollower } from './follower.ts'
import type { KernelLock } from './kernel-lock.ts'
import type { CutTail } from './log-file.ts'
import { type Place, syncDirectoryAside } from './place.ts'
import { replaceLog } from './replace-log.ts'

export interface FileDatabaseParts {
  readonly place: Place
  readonly effects: Effects
  readonly lock: KernelLock
  readonly log: (message: string) => void
  readonly logSizeBytesMax: number
}

/** A commit on its way to the log. It may be answered more than once; the first answer counts. */
interface Waiting {
  readonly commit: PreparedCommit
  readonly options: CommitOptions
  resolve(outcome: CommitOutcome): void
  reject(error: unknown): void
}

/** One process's part of a database in files. Made by `openFileDatabase`. */
export class FileDatabase implements ClusterDatabase {
  readonly #parts: FileDatabaseParts
  readonly #follower: LogFollower
  readonly #watchers: Watchers
  readonly #ending = new AbortController()
  #queue: Waiting[] = []
  #pumping: Promise<void> | undefined
  #replacing: Promise<void> | undefined
  #replaceAtBytes: number
  #hints: { close(): void } | undefined
  #isFollowing = false
  /** Why this can no longer be used: what the files say is not certain any more. */
  #fault: HaError | undefined
  #closing: Promise<void> | undefined

  /** Reads the database in. Throws `DATABASE_*`. */
  constructor(parts: FileDatabaseParts) {
    this.#parts = parts
    this.#replaceAtBytes = parts.logSizeBytesMax
    let watchers: Watchers | undefined
    this.#follower = new LogFollower(parts.place, {
      onCommit: (revision, changes) => watchers?.publish(revision, changes),
      onGap: (revision) => watchers?.publishGap(revision),
    })
    try {
      this.#follower.refresh()
    } catch (error) {
      this.#follower.close().catch(() => undefined) // What counts is why it cannot be read.
      throw error
    }
    watchers = new Watchers(this.#follower.revision)
    this.#watchers = watchers
  }

  /** Makes sure, under the lock, that the end of the log is sound, and all of it on the disk: the second half of opening. */
  async settle(): Promise<void> {
    const strays = await this.#parts.lock.run(() => {
      this.#catchUp('lost-power')
      return this.#follower.removeStrayLogs()
    }, this.#ending.signal)
    for (const path of strays) {
      this.#parts.log(
        `removed ${path}, which a writer that was cut off left behind; nothing in it was answered as durable`,
      )
    }
    // Whoever made the files that are there now may have been killed before it synced their names.
    await syncDirectoryAside(this.#parts.place, 'open:settle')
    await this.#follower.sync()
  }

  async read(): Promise<Snapshot> {
    this.#refuseUnusable()
    try {
      if (this.#follower.refresh() === 'pending') await this.#settlePending()
    } catch (error) {
      throw this.#failed('the cluster database cannot be read', error)
    }
    return this.#follower.snapshot()
  }

  async commit(guards: readonly Guard[], writes: readonly Write[], options: CommitOptions): Promise<CommitOutcome> {
    this.#refuseUnusable()
    const commit = prepareCommit(guards, writes)
    const { signal } = options
    if (signal?.aborted === true) throw abortedError(signal)
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#queue = this.#queue.filter((other) => other !== waiting)
        waiting.reject(abortedError(signal))
      }
      const waiting: Waiting = {
        commit,
        options,
        resolve: (outcome) => {
          signal?.removeEventListener('abort', onAbort)
          resolve(outcome)
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(waiting)
      this.#pumping ??= this.#pump()
    })
  }

  watch(fromRevision: number, onEvent: (event: WatchEvent) => void): Watch {
    this.#refuseUnusable()
    const watch = this.#watchers.watch(fromRevision, onEvent, this.#parts.place.directory)
    if (!this.#isFollowing) this.#startFollowing()
    return watch
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#ending.abort(closedError())
    this.#hints?.close()
    this.#watchers.close()
    for (const waiting of this.#queue.splice(0)) waiting.reject(closedError())
    await this.#pumping
    await this.#replacing
    try {
      await this.#follower.close()
      this.#parts.lock.close()
    } catch (error) {
      throw wrapFileError('the cluster database cannot be closed', error) // What was answered is safe all the same.
    }
  }

  /** Brings the queue into the log: at once when the lock is free, so that a stamp costs no turn of the event loop. */
  async #pump(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#pumpOnce([...this.#queue])
    } finally {
      // In the same turn as the last look at the queue: who comes a moment later must find that nobody pumps, or nobody ever serves him.
      this.#pumping = undefined
    }
  }

  async #pumpOnce(first: readonly Waiting[]): Promise<void> {
    try {
      await this.#parts.lock.run(() => this.#drain(), this.#ending.signal)
    } catch (error) {
      // Only those that waited all the time; who came later still has time to wait.
      const failure = this.#failed('the cluster database cannot be written', error)
      this.#queue = this.#queue.filter((waiting) => !first.includes(waiting))
      for (const waiting of first) waiting.reject(failure)
    }
  }

  #drain(): void {
    this.#catchUp()
    for (let count = 0; count < COMMITS_PER_LOCK_MAX; count += 1) {
      const waiting = this.#queue.shift()
      if (waiting === undefined) break
      this.#append(waiting)
    }
    const { log } = this.#follower
    if (log.endBytes > this.#replaceAtBytes && this.#replacing === undefined) this.#startReplacing()
  }

  #append(waiting: Waiting): void {
    try {
      const appended = this.#follower.append(waiting.commit, waiting.options.durability)
      if (appended.kind === 'lost-race' || appended.syncing === undefined) waiting.resolve(outcomeOf(appended))
      else {
        appended.syncing.then(
          () => waiting.resolve(outcomeOf(appended)),
          (error) => waiting.reject(this.#lostSync(error)),
        )
      }
    } catch (error) {
      waiting.reject(this.#failed('the commit could not be written', error))
    }
  }

  /** Replaces the log behind the back of the commit that made it too long. */
  #startReplacing(): void {
    const { place, lock, effects, log, logSizeBytesMax } = this.#parts
    const replace = async (): Promise<void> => {
      try {
        await replaceLog({ place, lock, effects, follower: this.#follower })
        this.#replaceAtBytes = logSizeBytesMax
      } catch (error) {
        // The log goes on growing meanwhile, which only costs space; try again when it has grown by a quarter.
        this.#replaceAtBytes = this.#follower.log.endBytes + logSizeBytesMax / 4
        log(`the log in ${place.directory} could not be replaced by a checkpoint yet: ${describeError(error)}`)
      }
      this.#replacing = undefined
    }
    // Not now: this is called under the lock.
    this.#replacing = Promise.resolve().then(replace)
  }

  #startFollowing(): void {
    this.#isFollowing = true
    const { place, log } = this.#parts
    try {
      this.#hints = place.files.watch('store:watch', place.directory, () => this.#follow())
    } catch (error) {
      log(`no watch on ${place.directory} (${describeError(error)}); looking every ${POLL_MS} ms instead`)
    }
    void this.#poll()
  }

  async #poll(): Promise<void> {
    const { effects } = this.#parts
    while (this.#fault === undefined) {
      try {
        await effects.sleep(POLL_MS, this.#ending.signal)
      } catch {
        return // It is closed.
      }
      this.#lookAround()
    }
  }

  /** Looks slowly for what hints do not tell. */
  #lookAround(): void {
    const { lock, place } = this.#parts
    try {
      if (lock.isStill()) this.#follow()
      else this.#break(removedError(place.directory))
    } catch (error) {
      this.#failed('the cluster database cannot be looked at', error)
    }
  }

  #follow(): void {
    if (this.#fault !== undefined || this.#closing !== undefined) return
    try {
      if (this.#follower.refresh() === 'pending')
        void this.#settlePending().catch((error) => this.#failed('the cluster database cannot be read', error))
    } catch (error) {
      this.#failed('the cluster database cannot be read', error)
    }
  }

  /** Decides under the lock what the unfinished end of the log is. Without the lock, its writer may be alive and will finish it: it is no commit yet. */
  async #settlePending(): Promise<void> {
    try {
      await this.#parts.lock.run(() => this.#catchUp(), this.#ending.signal)
    } catch (error) {
      if (!isHaError(error, 'DATABASE_BUSY')) throw error
    }
  }

  #catchUp(mayBe?: 'lost-power'): void {
    const cut = this.#follower.catchUp(mayBe)
    if (cut !== undefined) this.#parts.log(cutMessage(cut))
  }

  #lostSync(error: unknown): HaError {
    // After a failed fdatasync the kernel may drop what it could not write, and the next one succeeds all the same: no answer could be trusted.
    return this.#break(
      new HaError(
        'DATABASE_UNAVAILABLE',
        `the disk did not take the log in ${this.#parts.place.directory}: ${describeError(error)}`,
        {
          hint: 'Whether the commit happened is unknown. Look at the disk (`dmesg`), then start this process again.',
          cause: error,
        },
      ),
    )
  }

  /** Makes an error one of ours; one that will not go away by itself ends the use of this database. */
  #failed(what: string, error: unknown): HaError {
    const failure = wrapFileError(what, error)
    return failure.code === 'DATABASE_CORRUPT' || failure.code === 'DATABASE_NEWER' ? this.#break(failure) : failure
  }

  #break(fault: HaError): HaError {
    if (this.#fault === undefined) this.#parts.log(describeError(fault))
    this.#fault ??= fault
    return fault
  }

  #refuseUnusable(): void {
    if (this.#closing !== undefined) throw closedError()
    if (this.#fault !== undefined) throw this.#fault
  }
}

function outcomeOf(appended: CommitOutcome): CommitOutcome {
  return appended.kind === 'committed' ? { kind: 'committed', revision: appended.revision } : appended
}

function cutMessage({ path, offset, sizeBytes, why }: CutTail): string {
  return `cut ${sizeBytes} bytes off the end of ${path} at byte ${offset} (${why}): a commit that was never answered`
}

function removedError(directory: string): HaError {
  return new HaError(
    'DATABASE_UNAVAILABLE',
    `the cluster database in ${directory} was removed or replaced while it was in use`,
    {
      hint: 'Start this process again once the directory is as it should be.',
    },
  )
}

function closedError(): HaError {
  return new HaError('DATABASE_UNAVAILABLE', 'the cluster database was closed')
}

function abortedError(signal: AbortSignal | undefined): HaError {
  return new HaError('ABORTED', 'the commit was given up by its caller', { cause: signal?.reason })
}
