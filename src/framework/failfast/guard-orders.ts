import { crc32 } from 'node:zlib'

/** A process, told from a later one with the same pid by its start. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot, field 22 of proc(5) `stat`. */
  readonly startTicks: number
}

/** What clustd tells its guard, in the file `guard-deadline`. */
export interface GuardOrders {
  /** Counts up with every write, over all lives; what has a smaller one is old. */
  readonly write: number
  /** Monotonic times mean nothing in another boot. */
  readonly bootId: string
  /** `idle`: the guard was started, and waits to be armed. `disarmed`: final, the guard ends. */
  readonly state: 'idle' | 'armed' | 'disarmed'
  /** Of the life that is guarded; 0 until the host is a member. */
  readonly incarnation: number
  /** Monotonic clock, milliseconds. */
  readonly deadlineMs: number
  /** How far the clock since boot was ahead of the monotonic one when the deadline was made: what it gained since is time slept. */
  readonly aheadMs: number
  readonly stampMs: number
  readonly guardMs: number
  readonly abortMs: number
  readonly marginMs: number
  readonly clustd: ProcessIdentity
  /** The guard in charge; null while one is being started. */
  readonly guard: ProcessIdentity | null
  /** Grows when the files of the holdings have changed. */
  readonly holdNumber: number
  /** Why the guard is to fire at once; null = it is not. */
  readonly fire: string | null
}

/** What the guard answers, in the file `guard-ack`. */
export interface GuardAck {
  readonly bootId: string
  readonly guard: ProcessIdentity
  /** `done`: it has ended, or is about to. */
  readonly state: 'watching' | 'fired' | 'done'
  /** Monotonic clock of its last look at the orders, milliseconds. */
  readonly lookedMs: number
  /** The greatest `write` that it has obeyed; 0 = none yet. */
  readonly sawWrite: number
}

/** Always the same size, so that a file which is written over in place needs no new block: it works on a full disk. */
export const LINE_BYTES = 1024

/** Characters of a reason that are kept, so that the line keeps its size. */
const FIRE_CHARS_MAX = 200

/** Makes a line of `LINE_BYTES` bytes: checksum, JSON, blanks. A reader who sees half of an old and half of a new one can tell. */
export function encodeLine(value: GuardOrders | GuardAck): Buffer {
  const text = JSON.stringify(value, (name, part: unknown) =>
    name === 'fire' && typeof part === 'string' ? part.replace(/[^ -~]/g, '?').slice(0, FIRE_CHARS_MAX) : part,
  )
  const line = Buffer.alloc(LINE_BYTES, ' ')
  const bytes = Buffer.from(`${checksum(text)} ${text}`)
  if (bytes.length >= LINE_BYTES) throw new RangeError(`a line of the guard has ${bytes.length} bytes`)
  bytes.copy(line)
  line.write('\n', LINE_BYTES - 1)
  return line
}

/** Reads such a line, or a longer one that `encodeText` made; undefined when it is not one, or torn. */
export function decodeLine<Value>(bytes: Buffer | string): Value | undefined {
  const line = bytes.toString().trimEnd()
  const text = line.slice(CHECKSUM_CHARS + 1)
  if (line[CHECKSUM_CHARS] !== ' ' || checksum(text) !== line.slice(0, CHECKSUM_CHARS)) return undefined
  return JSON.parse(text) as Value
}

/** Makes a line of any length, for files that are replaced by a rename. */
export function encodeText(value: unknown): string {
  const text = JSON.stringify(value)
  return `${checksum(text)} ${text}\n`
}

const CHECKSUM_CHARS = 8

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_CHARS, '0')
}
