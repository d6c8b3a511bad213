/**
 * The JSON shapes of the API and of every `--json` output. Stable: fields are added, never renamed, removed or given another meaning.
 *
 * Rules of all shapes: plain JSON; a field is always there, and `null` (never a missing key) says that there is no value; lists may be
 * empty; names are plain text; `...WallMs` is a wall clock in milliseconds since the epoch, for people; `...Ms` and `...S` are durations.
 * Only requests have optional fields: left out means "as it is" or the default that the field names.
 */

export type { ErrorJson } from '../errors/ha-error.ts'
export type * from './wire/admission.ts'
export type * from './wire/change-requests.ts'
export type * from './wire/configuration.ts'
export type * from './wire/database.ts'
export type * from './wire/explain.ts'
export type * from './wire/fencing.ts'
export { HAGET_FIELDS, type HagetField, type HagetJson, type HagetQuery } from './wire/haget.ts'
export type * from './wire/plan.ts'
export type * from './wire/public-networks.ts'
export type * from './wire/requests.ts'
export type * from './wire/status.ts'
export type * from './wire/timeline.ts'
export type * from './wire/voters.ts'

/** Header that carries the name of the operator for causes and the journal; the client sets it from SUDO_USER, else USER. */
export const OPERATOR_HEADER = 'haven-operator'
/** Where clustd listens, below `HAVEN_ROOT`. */
export const SOCKET_PATH_BELOW_ROOT = 'run/haven/clustd.sock'
/** Milliseconds between two lines of a followed reconfiguration at most: a reader that hears nothing for longer has lost clustd. */
export const FOLLOW_SILENCE_MS_MAX = 5_000
