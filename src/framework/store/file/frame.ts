import { crc32 } from 'node:zlib'

/** Version of the layout of both files. A process refuses what a newer version wrote. */
export const SCHEMA = 1

export type FileKind = 'log' | 'checkpoint'

/** First bytes of the two files, the same in every schema. */
const FILE_MAGIC: Readonly<Record<FileKind, string>> = { log: 'HAVENLOG', checkpoint: 'HAVENCKP' }
/** Bytes of a file's header: magic 8, schema 4, generation 6, zeros, checksum of it all 4. The size and these places are the same in every schema. */
export const HEADER_BYTES = 32

/** What a frame holds: a commit, the end of a log that another continues, or a part of a checkpoint. */
export type FrameKind = 'durable' | 'volatile' | 'seal' | 'records' | 'end'

const KINDS: readonly FrameKind[] = ['durable', 'volatile', 'seal', 'records', 'end']

/** Begins each frame. 0xff and 0xfe never occur in the UTF-8 text of a payload, so no payload can look like a frame. */
const FRAME_MAGIC = Buffer.from([0xff, 0x48, 0x56, 0xfe])
/** Bytes before the payload: magic 4, kind 1, zeros 3, revision 6 (at 8), synced bytes 6 (at 16), payload length 4 (at 24), checksum of the payload 4, of all before it 4. */
export const FRAME_HEADER_BYTES = 36

/** One length-prefixed, checksummed unit of a file. */
export interface Frame {
  readonly kind: FrameKind
  /** Of the commit; for a seal and the end of a checkpoint, of the last commit before it. */
  readonly revision: number
  /** How many bytes of this file its writer knew to be on the disk already: what lies before was durable, so damage there is damage. */
  readonly syncedBytes: number
  readonly payload: Buffer
}

/** What is at a place of a file. `short`: a frame (whose header is good, if it is there in whole) of `needBytes` is not all there. `bad`: no frame. */
export type Decoded =
  | { readonly kind: 'frame'; readonly frame: Frame; readonly sizeBytes: number }
  | { readonly kind: 'short'; readonly needBytes: number }
  | { readonly kind: 'bad'; readonly why: string }

export function encodeFrame({ kind, revision, syncedBytes, payload }: Frame): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length)
  bytes.fill(0, 0, FRAME_HEADER_BYTES)
  FRAME_MAGIC.copy(bytes)
  bytes.writeUInt8(KINDS.indexOf(kind) + 1, 4)
  bytes.writeUIntLE(revision, 8, 6)
  bytes.writeUIntLE(syncedBytes, 16, 6)
  bytes.writeUInt32LE(payload.length, 24)
  bytes.writeUInt32LE(crc32(payload), 28)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 32)), 32)
  payload.copy(bytes, FRAME_HEADER_BYTES)
  return bytes
}

/** Reads the frame at `at`. Its payload is a view into `bytes`. */
export function decodeFrame(bytes: Buffer, at: number): Decoded {
  const thereBytes = bytes.length - at
  if (thereBytes < FRAME_HEADER_BYTES) return { kind: 'short', needBytes: FRAME_HEADER_BYTES }
  if (bytes.readUInt32LE(at + 32) !== crc32(bytes.subarray(at, at + 32)))
    return { kind: 'bad', why: 'the checksum of its header is wrong' }
  if (bytes.compare(FRAME_MAGIC, 0, 4, at, at + 4) !== 0) return { kind: 'bad', why: 'no record begins here' }
  const kind = KINDS[bytes.readUInt8(at + 4) - 1]
  if (kind === undefined) return { kind: 'bad', why: 'its kind is unknown' }
  const sizeBytes = FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 24)
  if (thereBytes < sizeBytes) return { kind: 'short', needBytes: sizeBytes }
  const payload = bytes.subarray(at + FRAME_HEADER_BYTES, at + sizeBytes)
  if (crc32(payload) !== bytes.readUInt32LE(at + 28)) return { kind: 'bad', why: 'its checksum is wrong' }
  return {
    kind: 'frame',
    frame: { kind, revision: bytes.readUIntLE(at + 8, 6), syncedBytes: bytes.readUIntLE(at + 16, 6), payload },
    sizeBytes,
  }
}

/** Finds every whole, good frame at or behind `from`, however damaged what lies between is. */
export function* findFrames(bytes: Buffer, from: number): Generator<Frame> {
  for (let at = bytes.indexOf(FRAME_MAGIC, from); at >= 0; ) {
    const decoded = decodeFrame(bytes, at)
    if (decoded.kind === 'frame') yield decoded.frame
    at = bytes.indexOf(FRAME_MAGIC, at + (decoded.kind === 'frame' ? decoded.sizeBytes : 1))
  }
}

/** What the header of a file says. */
export type Header =
  | { readonly kind: 'good'; readonly generation: number }
  | { readonly kind: 'newer'; readonly schema: number }
  | { readonly kind: 'bad'; readonly why: string }

export function encodeHeader(file: FileKind, generation: number, schema = SCHEMA): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.write(FILE_MAGIC[file], 0, 'latin1')
  bytes.writeUInt32LE(schema, 8)
  bytes.writeUIntLE(generation, 12, 6)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28)
  return bytes
}

export function decodeHeader(file: FileKind, bytes: Buffer): Header {
  if (bytes.length < HEADER_BYTES) return { kind: 'bad', why: 'its header is cut off' }
  if (bytes.toString('latin1', 0, 8) !== FILE_MAGIC[file])
    return { kind: 'bad', why: `it does not begin as a ${file} does` }
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32LE(28))
    return { kind: 'bad', why: 'the checksum of its header is wrong' }
  const schema = bytes.readUInt32LE(8)
  if (schema > SCHEMA) return { kind: 'newer', schema }
  return { kind: 'good', generation: bytes.readUIntLE(12, 6) }
}
