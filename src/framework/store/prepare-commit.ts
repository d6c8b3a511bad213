import assert from 'node:assert/strict'
import { HaError } from '../errors/ha-error.ts'
import { type Guard, type Json, RECORD_SIZE_BYTES_MAX, type RecordKey, type Write } from '../ports/cluster-database.ts'
import { COMMIT_SIZE_BYTES_MAX, KEY_SIZE_BYTES_MAX } from './limits.ts'
import type { PreparedWrite } from './state.ts'

/** A commit that was checked, cut loose from its caller's values, and put into the text that a log holds. */
export interface PreparedCommit {
  readonly guards: readonly Guard[]
  readonly writes: readonly PreparedWrite[]
  /** JSON: one `[key, value]` for each put, one `[key]` for each delete. */
  readonly payload: Buffer
}

/** Checks a commit before anything is touched. Throws `NAME_INVALID` (key) and `DATABASE_FULL` (a record or the commit is too big). */
export function prepareCommit(guards: readonly Guard[], writes: readonly Write[]): PreparedCommit {
  for (const guard of guards) checkKey(guard.key)
  assert.equal(
    new Set(writes.map((write) => write.key)).size,
    writes.length,
    'a commit writes each record once at most',
  )
  const texts: string[] = []
  const prepared = writes.map((write): PreparedWrite => {
    checkKey(write.key)
    const key = JSON.stringify(write.key)
    if (write.kind === 'delete') {
      texts.push(`[${key}]`)
      return write
    }
    const text: string | undefined = JSON.stringify(write.value)
    assert.ok(text !== undefined, `the value of ${write.key} is not JSON`)
    texts.push(`[${key},${text}]`)
    // Parsed again rather than kept: what the caller does to its value later must not change the database.
    return preparePut(write.key, deepFreeze(JSON.parse(text) as Json), text)
  })
  const payload = Buffer.from(`[${texts.join(',')}]`)
  if (payload.length > COMMIT_SIZE_BYTES_MAX) {
    throw new HaError(
      'DATABASE_FULL',
      `a commit holds ${payload.length} bytes of JSON; ${COMMIT_SIZE_BYTES_MAX} is the limit`,
    )
  }
  return { guards: [...guards], writes: prepared, payload }
}

/** Reads the writes of a payload back, as `prepareCommit` made it. Throws a plain error when it is something else. */
export function parsePayload(payload: Buffer): readonly PreparedWrite[] {
  const entries = JSON.parse(payload.toString()) as readonly (readonly [string] | readonly [string, Json])[]
  return entries.map((entry) =>
    entry.length === 1
      ? { kind: 'delete', key: entry[0] }
      : {
          kind: 'put',
          key: entry[0],
          value: deepFreeze(entry[1]),
          sizeBytes: sizeOf(entry[0], JSON.stringify(entry[1])),
        },
  )
}

/** Counts the bytes that a record takes of the limit of the database. */
export function sizeOf(key: RecordKey, valueText: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(valueText)
}

/** Freezes a JSON value through and through: readers share it. */
export function deepFreeze(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

function preparePut(key: RecordKey, value: Json, text: string): PreparedWrite {
  const valueBytes = Buffer.byteLength(text)
  if (valueBytes > RECORD_SIZE_BYTES_MAX) {
    throw new HaError(
      'DATABASE_FULL',
      `record ${key} holds ${valueBytes} bytes of JSON; ${RECORD_SIZE_BYTES_MAX} is the limit`,
      {
        hint: 'Nothing was changed. A record this big is a mistake: the cluster database is meant for configuration and state.',
      },
    )
  }
  return { kind: 'put', key, value, sizeBytes: Buffer.byteLength(key) + valueBytes }
}

function checkKey(key: RecordKey): void {
  if (key !== '' && Buffer.byteLength(key) <= KEY_SIZE_BYTES_MAX && !key.split('/').includes('')) return
  throw new HaError('NAME_INVALID', `${JSON.stringify(key)} cannot be the key of a record`, {
    hint: `A key is segments joined by "/", none of them empty, ${KEY_SIZE_BYTES_MAX} bytes at most.`,
  })
}
