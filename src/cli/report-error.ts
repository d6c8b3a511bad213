import { HaError } from '../framework/errors/ha-error.ts'
import type { Context } from './context.ts'

/** Says on stderr what failed and what to do, as text or as JSON; returns the exit code of the error table. The only place that does. */
export function reportError(
  context: Pick<Context, 'name' | 'json' | 'stderr' | 'environment'>,
  thrown: unknown,
): number {
  const error = thrown instanceof HaError ? thrown : unexpected(thrown)
  if (context.json) context.stderr.write(`${JSON.stringify(error)}\n`)
  else context.stderr.write(`${renderError(context.name, error).join('\n')}\n`)
  return error.exitCode
}

/** Writes an error as lines: what failed with its code, one fact per line, what to do. */
export function renderError(name: string, error: HaError): readonly string[] {
  return [
    `${name}: ${error.message} (${error.code})`,
    ...error.details.map((detail) => `  ${detail}`),
    ...(error.hint === undefined ? [] : [`  What to do: ${error.hint}`]),
  ]
}

function unexpected(thrown: unknown): HaError {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const stack = thrown instanceof Error ? (thrown.stack ?? '').split('\n').slice(1, 6) : []
  return new HaError('INTERNAL', message, {
    hint: 'This is a bug in Haven. Please report it with these lines.',
    details: stack.map((line) => line.trim()),
    cause: thrown,
  })
}
