import assert from 'node:assert/strict'
import type { OpenFile } from '../../ports/files.ts'
import { corruptError, newerError } from './file-errors.ts'
import {
  type Decoded,
  decodeFrame,
  decodeHeader,
  encodeFrame,
  type Frame,
  type FrameKind,
  findFrames,
  HEADER_BYTES,
} from './frame.ts'
import { logPath, type Place } from './place.ts'

/** Bytes read at a time; a bigger frame makes the buffer grow. */
const READ_BYTES = 64 * 1024

/** How a reading of the tail ended: all read; sealed, another log continues; or something is there that is not (yet) a frame. */
export type TailEnd = 'end' | 'sealed' | 'pending'

/** What was taken off the end of a log because it was never a commit. */
export interface CutTail {
  readonly path: string
  readonly offset: number
  readonly sizeBytes: number
  readonly why: string
}

/** One generation of the recovery log, open. It knows how far it was read, and never goes back. */
export class LogFile {
  readonly generation: number
  readonly path: string
  readonly #place: Place
  readonly #file: OpenFile
  /** Must be on the disk before anything in this log may be called durable. */
  #previous: LogFile | undefined
  #buffer = Buffer.allocUnsafe(READ_BYTES)
  #endBytes = HEADER_BYTES
  #syncedBytes = 0
  #isSealed = false
  /** Why an fdatasync failed. From then on none can be believed: the kernel may have dropped what it could not write. */
  #lost: { readonly error: unknown } | undefined
  #running: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  /** Opens the log; throws ENOENT when it is absent, `DATABASE_CORRUPT` and `DATABASE_NEWER`. */
  constructor(place: Place, generation: number, previous?: LogFile) {
    this.generation = generation
    this.path = logPath(place, generation)
    this.#place = place
    this.#previous = previous
    this.#file = place.files.open('log:open', this.path, 'read-write')
    try {
      this.#checkHeader()
    } catch (error) {
      place.files.close('log:close', this.#file)
      throw error
    }
  }

  /** Offset behind the last good frame that was read or written. */
  get endBytes(): number {
    return this.#endBytes
  }

  /** Hands every further whole frame to `take`, which returns false for one that does not fit: it is then read again next time. */
  readTail(take: (frame: Frame) => boolean): TailEnd {
    while (!this.#isSealed) {
      const bytes = this.#read()
      if (bytes.length === 0) return 'end'
      let at = 0
      let decoded = decodeFrame(bytes, at)
      while (decoded.kind === 'frame' && take(decoded.frame)) {
        at += decoded.sizeBytes
        this.#endBytes += decoded.sizeBytes
        this.#syncedBytes = Math.max(this.#syncedBytes, decoded.frame.syncedBytes)
        if (decoded.frame.kind === 'seal') {
          this.#isSealed = true
          return 'sealed'
        }
        decoded = decodeFrame(bytes, at)
      }
      if (at > 0) this.#shrink()
      else if (!this.#growFor(decoded, bytes.length)) return 'pending'
    }
    return 'sealed'
  }

  /**
   * Cuts off what stands behind the last good frame. Call it under the lock only, after a `pending` tail: then no living writer is at work there.
   * `mayBe` says what can have happened: `killed-writer` while this process looked on, or also `lost-power` before it started.
   * Throws `DATABASE_CORRUPT`, with nothing changed, if that does not explain what stands there.
   */
  cutTail(mayBe: 'killed-writer' | 'lost-power'): CutTail {
    const { files } = this.#place
    const bytes = Buffer.allocUnsafe(files.sizeBytes('log:look', this.#file) - this.#endBytes)
    const there = bytes.subarray(0, files.read('log:look', this.#file, bytes, this.#endBytes))
    const judged = judgeTail(there, this.#endBytes)
    // What a killed writer had written stays in the memory of the machine as it was, so only its end can be missing.
    const isExplained = judged.kind === 'tail' && (mayBe === 'lost-power' || decodeFrame(there, 0).kind === 'short')
    if (!isExplained) throw corruptError({ path: this.path, offset: this.#endBytes, what: judged.what })
    files.truncate('log:cut', this.#file, this.#endBytes)
    // If the cut could come undone, good frames of the tail might stand behind what is written next, and seem to follow it.
    files.syncNow('log:cut', this.#file)
    return { path: this.path, offset: this.#endBytes, sizeBytes: there.length, why: judged.what }
  }

  /** Makes sure that nobody made the log shorter than it was when it was read: what is written behind its end could never be read. */
  checkEnd(): void {
    const sizeBytes = this.#place.files.sizeBytes('log:check', this.#file)
    if (sizeBytes >= this.#endBytes) return
    throw corruptError({
      path: this.path,
      offset: sizeBytes,
      what: `it ends here, and went on to byte ${this.#endBytes} before`,
    })
  }

  /** Writes one frame behind the last one, or nothing. Call it under the lock only, with the tail read to its end. */
  append(kind: FrameKind, revision: number, payload: Buffer): void {
    const { files } = this.#place
    assert.ok(!this.#isSealed, `${this.path} is sealed: what were written behind the seal would never be read`)
    const bytes = encodeFrame({ kind, revision, syncedBytes: this.#syncedBytes, payload })
    try {
      files.write('log:append', this.#file, bytes, this.#endBytes)
    } catch (error) {
      this.#takeBack()
      throw error
    }
    this.#endBytes += bytes.length
    this.#isSealed = kind === 'seal'
  }

  /** Resolves when everything appended before the call is durable, in this log and in those before it. Several calls share one fdatasync. When one fails, all later ones do. */
  sync(): Promise<void> {
    // An fdatasync that runs now may have begun before the last append, and its end says nothing about it. Hence the one after it.
    this.#next ??= this.#running.then(
      () => this.#syncOnce(),
      () => this.#syncOnce(),
    )
    return this.#next
  }

  /** Closes it when no fdatasync runs any more. */
  async close(): Promise<void> {
    await (this.#next ?? this.#running).catch(() => undefined) // Whoever asked for it was told.
    await this.#previous?.close()
    this.#place.files.close('log:close', this.#file)
  }

  #syncOnce(): Promise<void> {
    this.#next = undefined
    this.#running = this.#syncAll()
    return this.#running
  }

  async #syncAll(): Promise<void> {
    const previous = this.#previous
    if (previous !== undefined) {
      await previous.sync()
      // Two runs never overlap, so nobody else closes it.
      this.#previous = undefined
      await previous.close()
    }
    if (this.#lost !== undefined) throw this.#lost.error
    const upToBytes = this.#endBytes
    try {
      await this.#place.files.sync('log:sync', this.#file)
    } catch (error) {
      this.#lost = { error }
      throw error
    }
    this.#syncedBytes = Math.max(this.#syncedBytes, upToBytes)
  }

  #read(): Buffer {
    return this.#buffer.subarray(0, this.#place.files.read('log:read', this.#file, this.#buffer, this.#endBytes))
  }

  /** Makes room for a frame that is bigger than the buffer; false when the buffer was not the problem. */
  #growFor(decoded: Decoded, thereBytes: number): boolean {
    if (decoded.kind !== 'short' || thereBytes < this.#buffer.length || decoded.needBytes <= this.#buffer.length)
      return false
    this.#buffer = Buffer.allocUnsafe(decoded.needBytes)
    return true
  }

  /** One huge commit (a restore) must not cost its memory for ever. */
  #shrink(): void {
    if (this.#buffer.length > READ_BYTES) this.#buffer = Buffer.allocUnsafe(READ_BYTES)
  }

  #takeBack(): void {
    try {
      this.#place.files.truncate('log:take-back', this.#file, this.#endBytes)
    } catch {
      // The half frame stays. It is no commit: the next writer cuts it off, as that of a killed writer.
    }
  }

  #checkHeader(): void {
    const bytes = Buffer.alloc(HEADER_BYTES)
    const header = decodeHeader('log', bytes.subarray(0, this.#place.files.read('log:read', this.#file, bytes, 0)))
    if (header.kind === 'newer') throw newerError(this.path, header.schema)
    if (header.kind === 'bad') throw corruptError({ path: this.path, offset: 0, what: header.why })
    if (header.generation === this.generation) return
    throw corruptError({ path: this.path, offset: 0, what: `it says that it is generation ${header.generation}` })
  }
}

/**
 * Judges what follows the last good frame of a log, `bytes` at `offset`: a tail that was never durable, or damage.
 *
 * A writer that was killed leaves a frame cut short at the very end. A loss of power may leave anything of what was not synced, also holes with good frames behind them.
 * Both are tails. But a frame that was written when this place was known to be on the disk proves that nothing of the kind happened here: that is damage.
 * A frame that does not fit although it is good in itself is always damage.
 */
export function judgeTail(bytes: Buffer, offset: number): { readonly kind: 'tail' | 'damage'; readonly what: string } {
  const first = decodeFrame(bytes, 0)
  if (first.kind === 'frame') {
    return {
      kind: 'damage',
      what: `a record that is good in itself (revision ${first.frame.revision}) does not fit here`,
    }
  }
  const why = first.kind === 'bad' ? `a record is bad (${first.why})` : 'a record is cut off'
  for (const frame of findFrames(bytes, 1)) {
    if (frame.syncedBytes <= offset) continue
    return {
      kind: 'damage',
      what: `${why}, and that of revision ${frame.revision} behind it proves that it was good and on the disk`,
    }
  }
  return { kind: 'tail', what: why }
}
