import type { PhysicalHostName } from './names.ts'

/** Paths that are kept of one host: who has mended so many looks again anyway, and the record stays small. */
export const MISSING_PROGRAMS_MAX = 200

/**
 * Programs of methods that a host cannot execute although it may have to, as it found when it last looked; volatile record `programs/<host>`. Absent = none is
 * missing, or it has not looked yet.
 */
export interface MissingPrograms {
  readonly host: PhysicalHostName
  /** Absolute paths, those of services that are on first; never empty, at most `MISSING_PROGRAMS_MAX`. */
  readonly programs: readonly string[]
}
