import { ERROR_CODES, type ErrorCode } from './codes.ts'

/** What may go with an error beside its message. */
export interface HaErrorOptions {
  /** What the operator does next, a whole sentence. */
  readonly hint?: string
  /** Further lines, one per problem or fact. */
  readonly details?: readonly string[]
  readonly cause?: unknown
}

/** An error as programs see it: in API answers and under `--json`. */
export interface ErrorJson {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | null
  readonly details: readonly string[]
  readonly retryable: boolean
}

/**
 * An expected failure: something outside did not do what was hoped for, or a request cannot be granted.
 * The message says what failed, with names; the hint what to do. A bug is an assertion, never an `HaError`.
 */
export class HaError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: readonly string[]

  constructor(code: ErrorCode, message: string, options: HaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HaError'
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? []
  }

  /** Exit code of a command that ends with this error. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode
  }

  /** Whether the same call may succeed later by itself. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable
  }

  toJSON(): ErrorJson {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint ?? null,
      details: this.details,
      retryable: this.retryable,
    }
  }
}

/** Tells whether `error` is an `HaError` with that code. */
export function isHaError(error: unknown, code?: ErrorCode): error is HaError {
  return error instanceof HaError && (code === undefined || error.code === code)
}

/** Renders any thrown value for a log line or the `message` of a wrapping error. */
export function describeError(error: unknown): string {
  if (error instanceof HaError) return [`${error.code}: ${error.message}`, ...error.details].join('; ')
  return error instanceof Error ? error.message : String(error)
}
