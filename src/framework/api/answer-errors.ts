import type { FastifyError, FastifyInstance } from 'fastify'
import { describeError, HaError } from '../errors/ha-error.ts'
import type { Log } from '../ports/log.ts'

/** HTTP status by exit code (`errors/codes.ts`): what is said by exit codes to scripts is said by these to programs. */
const STATUS_BY_EXIT_CODE: Readonly<Record<number, number>> = {
  1: 500,
  2: 400,
  3: 503,
  4: 409,
  5: 502,
  6: 409,
  7: 404,
  8: 503,
  9: 504,
}

/** Makes the app answer every failure as `ErrorJson`; what is no expected failure is `INTERNAL`, and logged. */
export function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error: FastifyError | HaError, request, reply) => {
    const known = toHaError(error)
    if (known.code === 'INTERNAL') {
      const stack = error instanceof Error ? error.stack : undefined
      log.write({
        level: 'error',
        message: `${request.method} ${request.url} failed: ${describeError(error)}`,
        facts: { stack: stack ?? '' },
      })
    }
    return reply.status(STATUS_BY_EXIT_CODE[known.exitCode] ?? 500).send(known.toJSON())
  })
  app.setNotFoundHandler((request) => {
    throw new HaError('NOT_FOUND', `clustd knows no ${request.method} ${request.url.split('?')[0]}`, {
      hint: 'Commands and clustd of the same version understand each other.',
    })
  })
}

function toHaError(error: FastifyError | HaError): HaError {
  if (error instanceof HaError) return error
  const { statusCode = 500 } = error
  if (statusCode === 413)
    return new HaError('LIMIT_REACHED', 'the request is larger than clustd takes', { cause: error })
  if (statusCode < 500)
    return new HaError('USAGE', `clustd cannot read the request: ${error.message}`, { cause: error })
  return new HaError('INTERNAL', describeError(error), { hint: 'The log of clustd has more.', cause: error })
}
