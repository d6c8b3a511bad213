import { z } from 'zod'
import { HaError } from '../../errors/ha-error.ts'
import type { EtcdPlace } from '../../model/database-place.ts'
import type { Json, RecordKey, Snapshot } from '../../ports/cluster-database.ts'

/** The last record that a database gets which moves elsewhere: nothing can be committed there any more. */
export const MOVED_KEY: RecordKey = 'moved'
/** The record that says where the database is about to go, so that its users can make ready: what comes after `MOVED_KEY` has to be quick. */
export const MOVING_KEY: RecordKey = 'moving'
/** Users that are ready say so below this. */
export const READY_PREFIX = 'moving/ready/'
/** The record that says, in the new place, that all of the old one is there; written last. */
export const ORIGIN_KEY: RecordKey = 'origin'

/** Says where a database has gone. What a host proves itself with there is the host's own business, unless it was named. */
export interface Moved {
  /** Tells this move from any other. */
  readonly id: string
  readonly to: EtcdPlace
}

/** Says where a database has come from. */
export interface Origin {
  readonly id: string
  /** The last revision in the old place: all revisions here count on from it. */
  readonly fromRevision: number
}

const SCHEMA = 1
const path = z.string().startsWith('/')
const movedShape = z.object({
  schema: z.literal(SCHEMA),
  id: z.string(),
  to: z.object({
    kind: z.literal('etcd'),
    endpoints: z.array(z.string()).min(1),
    isManaged: z.boolean(),
    tls: z.object({ ca: path, certificate: path.optional(), key: path.optional() }).optional(),
    login: z.object({ user: z.string(), passwordFile: path }).optional(),
  }),
})
const originShape = z.object({
  schema: z.literal(SCHEMA),
  id: z.string(),
  fromRevision: z.number().int().nonnegative(),
})

/** Reads where the database has gone; undefined = nowhere. Throws `RECORD_INVALID`. */
export function movedOf({ records }: Snapshot): Moved | undefined {
  const record = records.get(MOVED_KEY)
  return record === undefined ? undefined : parse(MOVED_KEY, movedShape, record.value)
}

/** Reads where the database is about to go; undefined = nowhere. Throws `RECORD_INVALID`. */
export function movingOf({ records }: Snapshot): Moved | undefined {
  const record = records.get(MOVING_KEY)
  return record === undefined ? undefined : parse(MOVING_KEY, movedShape, record.value)
}

/** Tells whether a record is about the move alone, and stays behind. */
export function isOfMove(key: RecordKey): boolean {
  return key === MOVED_KEY || key === MOVING_KEY || key.startsWith(READY_PREFIX)
}

/** Reads where the database has come from; undefined = it was made here. Throws `RECORD_INVALID`. */
export function originOf({ records }: Snapshot): Origin | undefined {
  const record = records.get(ORIGIN_KEY)
  return record === undefined ? undefined : parse(ORIGIN_KEY, originShape, record.value)
}

/** Makes the value of a record of a move. */
export function moveRecord(value: Moved | Origin): Json {
  // Through text, as it would be read back: without what is undefined.
  return JSON.parse(JSON.stringify({ schema: SCHEMA, ...value })) as Json
}

function parse<Value>(key: RecordKey, shape: z.ZodType<Value>, value: Json): Value {
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed.data
  throw new HaError('RECORD_INVALID', `the record ${key} of the cluster database does not have the expected shape`, {
    hint: 'A newer Haven may have written it: install the same version on this host.',
    details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  })
}
