import type { ErrorCode } from '../errors/codes.ts'
import { HaError } from '../errors/ha-error.ts'

/** Where in a cluster file a problem is: `['logicalHosts', 'ha1', 'addresses', 0]`. */
export type ProblemPath = readonly (string | number)[]

/** One thing that is wrong with a configuration or with a change of it. */
export interface Problem {
  readonly code: ErrorCode
  readonly path: ProblemPath
  /** What is wrong, with names; one sentence without its full stop. */
  readonly message: string
  /** What to do; a whole sentence. Absent = the message says it. */
  readonly hint?: string
}

/**
 * Throws what is wrong, all of it at once; returns if nothing is. One problem is thrown as it is. Several are thrown under `headline`, with
 * the code that they share, else `CONFIG_INVALID`.
 */
export function throwProblems(problems: readonly Problem[], headline: string): void {
  const [first, ...others] = problems
  if (first === undefined) return
  if (others.length === 0) throw new HaError(first.code, first.message, hintOf([first]))
  const code = others.every((problem) => problem.code === first.code) ? first.code : 'CONFIG_INVALID'
  throw new HaError(code, headline, { details: problems.map((problem) => problem.message), ...hintOf(problems) })
}

/** The hints, each once. */
function hintOf(problems: readonly Problem[]): { readonly hint?: string } {
  const hints = new Set(problems.flatMap(({ hint }) => (hint === undefined ? [] : [hint])))
  return hints.size === 0 ? {} : { hint: [...hints].join(' ') }
}
