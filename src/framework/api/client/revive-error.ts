import { ERROR_CODES, type ErrorCode } from '../../errors/codes.ts'
import { HaError } from '../../errors/ha-error.ts'

/** Makes an error out of what clustd answered; something that is no error of ours becomes `INTERNAL`, with what was there. */
export function reviveError(value: unknown, httpStatus: number | undefined): HaError {
  if (isErrorLike(value)) {
    return new HaError(value.code, value.message, {
      ...(typeof value.hint === 'string' && { hint: value.hint }),
      details: Array.isArray(value.details) ? value.details.map(String) : [],
    })
  }
  return new HaError('INTERNAL', `clustd answered with HTTP status ${httpStatus ?? 'none'} and no error of Haven`, {
    details: [JSON.stringify(value).slice(0, 1_000)],
  })
}

interface ErrorLike {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: unknown
  readonly details?: unknown
}

// A newer clustd may know codes that this client does not: those are INTERNAL here, with the whole answer as detail.
function isErrorLike(value: unknown): value is ErrorLike {
  if (typeof value !== 'object' || value === null) return false
  const { code, message } = value as Record<string, unknown>
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) && typeof message === 'string'
}
