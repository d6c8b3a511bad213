import type { DatabaseRecord, Json, RecordKey, Snapshot } from '../../ports/cluster-database.ts'
import type { Effects } from '../../ports/effects.ts'
import { CHECKPOINT_FRAME_BYTES } from '../limits.ts'
import { deepFreeze, sizeOf } from '../prepare-commit.ts'
import { DatabaseState } from '../state.ts'
import { corruptError, newerError } from './file-errors.ts'
import { decodeFrame, decodeHeader, encodeFrame, encodeHeader, type Frame, HEADER_BYTES } from './frame.ts'
import { checkpointPath, type Place, readWhole } from './place.ts'

/** A record as a checkpoint holds it. */
type Entry = readonly [key: RecordKey, revision: number, value: Json]

/** What a checkpoint holds: the state at its revision, and the generation of the log that goes on from there. */
export interface Checkpoint {
  readonly generation: number
  readonly state: DatabaseState
}

/** Yields the bytes of a checkpoint, in pieces of some 256 KiB. */
export function* encodeCheckpoint(generation: number, snapshot: Snapshot): Generator<Buffer> {
  yield encodeHeader('checkpoint', generation)
  const { revision } = snapshot
  const frame = (kind: 'records' | 'end', text: string): Buffer =>
    encodeFrame({ kind, revision, syncedBytes: 0, payload: Buffer.from(text) })
  let texts: string[] = []
  let size = 0
  for (const record of snapshot.records.values()) {
    const text = JSON.stringify([record.key, record.revision, record.value] satisfies Entry)
    texts.push(text)
    size += text.length
    if (size < CHECKPOINT_FRAME_BYTES) continue
    yield frame('records', `[${texts.join(',')}]`)
    texts = []
    size = 0
  }
  if (texts.length > 0) yield frame('records', `[${texts.join(',')}]`)
  yield frame('end', JSON.stringify({ records: snapshot.records.size }))
}

/** Writes a checkpoint to `path`, which must not exist, and makes its content durable. Gives way to other work between the pieces. */
export async function writeCheckpoint(
  place: Place,
  what: { readonly path: string; readonly generation: number; readonly snapshot: Snapshot; readonly effects: Effects },
): Promise<void> {
  const { files } = place
  const file = files.open('checkpoint:create', what.path, 'create-new')
  try {
    let at = 0
    for (const bytes of encodeCheckpoint(what.generation, what.snapshot)) {
      files.write('checkpoint:write', file, bytes, at)
      at += bytes.length
      if (bytes.length >= CHECKPOINT_FRAME_BYTES) await what.effects.sleep(0)
    }
    await files.sync('checkpoint:sync', file)
  } finally {
    files.close('checkpoint:close', file)
  }
}

/** Reads the checkpoint. Throws ENOENT when there is none, `DATABASE_CORRUPT` when anything in it is bad, `DATABASE_NEWER`. */
export function readCheckpoint(place: Place): Checkpoint {
  const path = checkpointPath(place)
  const bytes = readWhole(place, 'checkpoint:read', path)
  const header = decodeHeader('checkpoint', bytes)
  if (header.kind === 'newer') throw newerError(path, header.schema)
  if (header.kind === 'bad') throw corruptError({ path, offset: 0, what: header.why })
  const state = new DatabaseState()
  for (let at = HEADER_BYTES; ; ) {
    const decoded = decodeFrame(bytes, at)
    if (decoded.kind !== 'frame') {
      const what = decoded.kind === 'bad' ? `a part is bad (${decoded.why})` : 'it is cut off'
      throw corruptError({ path, offset: at, what: `${what}; a checkpoint is written whole or not at all` })
    }
    at += decoded.sizeBytes
    if (takePart(state, decoded.frame)) return { generation: header.generation, state }
  }
}

/** Reads the generation of the present checkpoint, and nothing more of it. */
export function checkpointGeneration(place: Place): number {
  const path = checkpointPath(place)
  const { files } = place
  const file = files.open('checkpoint:look', path, 'read')
  try {
    const bytes = Buffer.alloc(HEADER_BYTES)
    const header = decodeHeader('checkpoint', bytes.subarray(0, files.read('checkpoint:look', file, bytes, 0)))
    if (header.kind === 'newer') throw newerError(path, header.schema)
    if (header.kind === 'bad') throw corruptError({ path, offset: 0, what: header.why })
    return header.generation
  } finally {
    files.close('checkpoint:look', file)
  }
}

/** Takes one part over; true when it was the last one. */
function takePart(state: DatabaseState, frame: Frame): boolean {
  if (frame.kind === 'end') {
    state.loaded(frame.revision)
    return true
  }
  for (const [key, revision, value] of JSON.parse(frame.payload.toString()) as readonly Entry[]) {
    const record: DatabaseRecord = { key, value: deepFreeze(value), revision }
    state.load(record, sizeOf(key, JSON.stringify(value)))
  }
  return false
}
