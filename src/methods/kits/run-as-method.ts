import { HaError } from '../../framework/errors/ha-error.ts'
import { logLine } from './log.ts'
import { type MethodArguments, parseMethodArguments } from './method-arguments.ts'

/**
 * Runs the body of a method: parses what it was called with, and turns the end into an exit code. Returning = 0 = done or was done already; a number = that
 * exit code (FM_CHECK: 0 healthy, 1 not healthy, 75 cannot tell); anything thrown = 1, with message, details and hint on stderr. Never rejects.
 *
 * @param call - what to parse instead of this process's own arguments and environment
 */
export async function runAsMethod(
  body: (given: MethodArguments) => Promise<number | undefined> | Promise<void>,
  call?: { readonly words: readonly string[]; readonly environment: Readonly<Record<string, string | undefined>> },
): Promise<void> {
  try {
    process.exitCode = (await body(parseMethodArguments(call?.words, call?.environment))) ?? 0
  } catch (error) {
    process.exitCode = 1
    for (const line of linesOf(error)) logLine(line)
  }
}

function linesOf(error: unknown): readonly string[] {
  if (!(error instanceof HaError)) return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
  const hint = error.hint === undefined ? [] : [error.hint]
  return [`${error.code}: ${error.message}`, ...error.details.map((detail) => `  ${detail}`), ...hint]
}
