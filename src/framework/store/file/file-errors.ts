import type { ErrorCode } from '../../errors/codes.ts'
import { describeError, HaError, isHaError } from '../../errors/ha-error.ts'
import { SCHEMA } from './frame.ts'

/** Codes of the operating system that mean the same to the operator. */
const MEANINGS: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DATABASE_FULL',
  EDQUOT: 'DATABASE_FULL',
  EFBIG: 'DATABASE_FULL',
  EROFS: 'DATABASE_READ_ONLY',
  EACCES: 'DATABASE_READ_ONLY',
  EPERM: 'DATABASE_READ_ONLY',
}

const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  DATABASE_FULL:
    'Free space on its file system. Nothing that was committed is lost, and what was refused was not done.',
  DATABASE_READ_ONLY: 'Haven must own the directory and its file system must be mounted for writing (see `mount`).',
  DATABASE_UNAVAILABLE: 'Look at the disk and at the log of the kernel (`dmesg`).',
}

/** Tells which code of the operating system an error carries, '' if none. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Makes an error of the operating system into one of ours; `what` says in words what could not be done. One of ours stays as it is. */
export function wrapFileError(what: string, error: unknown): HaError {
  if (isHaError(error)) return error
  const code = MEANINGS[systemCode(error)] ?? 'DATABASE_UNAVAILABLE'
  const hint = HINTS[code]
  return new HaError(code, `${what}: ${describeError(error)}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** A problem in a file: where it is, and what it is. */
export interface Damage {
  readonly path: string
  readonly offset: number
  /** Ends the sentence "the cluster database is damaged: ". */
  readonly what: string
}

export function corruptError({ path, offset, what }: Damage): HaError {
  return new HaError('DATABASE_CORRUPT', `the cluster database is damaged at byte ${offset} of ${path}: ${what}`, {
    hint: 'Nothing was changed. Look at all of it with `scadmin database check`, keep a copy of the directory, then `scadmin database restore FILE` from a backup.',
    details: [`file ${path}`, `byte ${offset}`],
  })
}

export function newerError(path: string, schema: number): HaError {
  return new HaError(
    'DATABASE_NEWER',
    `${path} was written by a newer Haven (layout ${schema}, this one understands ${SCHEMA})`,
    {
      hint: 'Install on this host the version of Haven that the other hosts have. Nothing was changed.',
    },
  )
}
