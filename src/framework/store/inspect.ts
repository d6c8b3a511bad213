import { describeError, isHaError } from '../errors/ha-error.ts'
import type { Files } from '../ports/files.ts'
import { realFiles } from '../ports/real-files.ts'
import { readCheckpoint } from './file/checkpoint.ts'
import { systemCode } from './file/file-errors.ts'
import { proofOfSealIn } from './file/follower.ts'
import { decodeFrame, decodeHeader, type Frame, HEADER_BYTES } from './file/frame.ts'
import { judgeTail } from './file/log-file.ts'
import { checkpointPath, logGenerations, logPath, type Place, readWhole } from './file/place.ts'
import { parsePayload } from './prepare-commit.ts'
import { DatabaseState } from './state.ts'

/** One thing that is not as it should be. `warning`: the next start deals with it and loses no commit that was answered as durable. */
export interface DatabaseProblem {
  readonly severity: 'error' | 'warning'
  readonly path: string
  /** Byte in that file; 0 for the file as a whole. */
  readonly offset: number
  readonly what: string
}

/** What a check found. The figures are those of what could be read. */
export interface DatabaseReport {
  readonly directory: string
  /** `sound`; `torn`: a start cuts something off and goes on; `damaged`: a start refuses it; `newer`; `absent`. */
  readonly verdict: 'sound' | 'torn' | 'damaged' | 'newer' | 'absent'
  readonly revision: number
  readonly records: number
  readonly sizesBytes: { readonly records: number; readonly checkpoint: number; readonly log: number }
  /** Commits in the log, since the checkpoint. */
  readonly commits: number
  readonly generation: number
  readonly problems: readonly DatabaseProblem[]
}

/** Attempts on a database that others are using: a log may be replaced, or half a record be there, while it is read. */
const CHECK_ATTEMPTS_MAX = 5

/**
 * Reads every byte of a database in files and tells what is wrong with it. Takes no lock and changes nothing, so it works beside running hosts and on a
 * read-only directory; a record that somebody is writing shows as `torn` only if it stays so. Never throws for what the files hold.
 */
export function checkFileDatabase(directory: string, files: Files = realFiles): DatabaseReport {
  let report = new Check({ directory, files }).run()
  for (
    let attempt = 1;
    attempt < CHECK_ATTEMPTS_MAX && report.verdict !== 'sound' && report.verdict !== 'absent';
    attempt += 1
  ) {
    report = new Check({ directory, files }).run()
  }
  return report
}

class Check {
  readonly #place: Place
  readonly #problems: DatabaseProblem[] = []
  #state = new DatabaseState()
  #generation = 0
  #commits = 0
  #checkpointBytes = 0
  #logBytes = 0
  #isNewer = false

  constructor(place: Place) {
    this.#place = place
  }

  run(): DatabaseReport {
    if (!this.#readCheckpoint()) return this.#report('absent')
    // Nothing can be said about the logs when where they begin is not known.
    if (this.#problems.length === 0) this.#readLogs()
    if (this.#isNewer) return this.#report('newer')
    const isDamaged = this.#problems.some(({ severity }) => severity === 'error')
    return this.#report(isDamaged ? 'damaged' : this.#problems.length > 0 ? 'torn' : 'sound')
  }

  #report(verdict: DatabaseReport['verdict']): DatabaseReport {
    return {
      directory: this.#place.directory,
      verdict,
      revision: this.#state.revision,
      records: this.#state.recordCount,
      sizesBytes: { records: this.#state.sizeBytes, checkpoint: this.#checkpointBytes, log: this.#logBytes },
      commits: this.#commits,
      generation: this.#generation,
      problems: this.#problems,
    }
  }

  /** False when there is neither a checkpoint nor a log. */
  #readCheckpoint(): boolean {
    const path = checkpointPath(this.#place)
    try {
      this.#checkpointBytes = readWhole(this.#place, 'check:read', path).length
      const { generation, state } = readCheckpoint(this.#place)
      this.#generation = generation
      this.#state = state
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') {
        if (!this.#hasLogs()) return false
        this.#add('error', path, 0, 'it is missing, although there is a log')
      } else this.#addThrown(path, error)
    }
    return true
  }

  #hasLogs(): boolean {
    try {
      return logGenerations(this.#place).length > 0
    } catch {
      return false // No directory, no logs.
    }
  }

  #readLogs(): void {
    for (let generation = this.#generation; ; generation += 1) {
      const end = this.#readLog(generation)
      if (end === 'broken') return
      this.#generation = generation
      if (end === 'last') break
    }
    for (const generation of logGenerations(this.#place))
      if (generation > this.#generation) this.#judgeStray(generation)
  }

  #readLog(generation: number): 'sealed' | 'last' | 'broken' {
    const path = logPath(this.#place, generation)
    let bytes: Buffer
    try {
      bytes = readWhole(this.#place, 'check:read', path)
    } catch (error) {
      const what =
        systemCode(error) === 'ENOENT' ? 'it is missing, and what is before it needs it' : describeError(error)
      this.#add('error', path, 0, what)
      return 'broken'
    }
    this.#logBytes += bytes.length
    const header = decodeHeader('log', bytes)
    if (header.kind !== 'good' || header.generation !== generation) {
      this.#isNewer = header.kind === 'newer'
      const what =
        header.kind === 'newer'
          ? `a newer Haven wrote it (layout ${header.schema})`
          : header.kind === 'bad'
            ? header.why
            : `it says that it is generation ${header.generation}`
      this.#add('error', path, 0, what)
      return 'broken'
    }
    let at = HEADER_BYTES
    while (at < bytes.length) {
      const decoded = decodeFrame(bytes, at)
      if (decoded.kind !== 'frame' || !this.#take(decoded.frame)) return this.#judgeTail(path, bytes, at)
      if (decoded.frame.kind === 'seal') return 'sealed'
      at += decoded.sizeBytes
    }
    return 'last'
  }

  #take(frame: Frame): boolean {
    if (frame.kind === 'seal') return frame.revision === this.#state.revision
    if ((frame.kind !== 'durable' && frame.kind !== 'volatile') || frame.revision !== this.#state.revision + 1)
      return false
    this.#state.apply(frame.revision, parsePayload(frame.payload))
    this.#commits += 1
    return true
  }

  #judgeTail(path: string, bytes: Buffer, at: number): 'last' | 'broken' {
    const { kind, what } = judgeTail(bytes.subarray(at), at)
    if (kind === 'damage') {
      this.#add('error', path, at, what)
      return 'broken'
    }
    this.#add(
      'warning',
      path,
      at,
      `${what}; ${bytes.length - at} bytes are no commit that was answered, the next writer cuts them off`,
    )
    return 'last'
  }

  #judgeStray(generation: number): void {
    const path = logPath(this.#place, generation)
    if (proofOfSealIn(readWhole(this.#place, 'check:read', path)) === undefined) {
      this.#add('warning', path, 0, 'a writer that was cut off left it behind; the next start removes it')
    } else this.#add('error', path, 0, 'the log before it does not lead here, although this one proves that it did')
  }

  #addThrown(path: string, error: unknown): void {
    this.#isNewer = this.#isNewer || isHaError(error, 'DATABASE_NEWER')
    const details = isHaError(error) ? error.details : []
    const offset = Number(details.find((line) => line.startsWith('byte '))?.slice('byte '.length) ?? 0)
    this.#add('error', path, offset, describeError(error))
  }

  #add(severity: DatabaseProblem['severity'], path: string, offset: number, what: string): void {
    this.#problems.push({ severity, path, offset, what })
  }
}
