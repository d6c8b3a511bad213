import type { z } from 'zod'
import { HaError } from '../errors/ha-error.ts'

/**
 * Parses what a client sent. Throws `USAGE` with one detail for each thing that is not as it should be: missing, of another type, too
 * long, or not known at all.
 */
export function parseRequest<Shape>(schema: z.ZodType<Shape>, value: unknown, what: string): Shape {
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  throw new HaError('USAGE', `the ${what} is not what clustd understands`, {
    details: parsed.error.issues.flatMap((issue) => describeIssue(issue)),
    hint: 'Commands and clustd of the same version understand each other.',
  })
}

/** Says what zod found, one sentence each, with the path of the field. */
export function describeIssue(issue: z.core.$ZodIssue): readonly string[] {
  const at = issue.path.map(String).join('.')
  const where = at === '' ? '' : `${at}: `
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${where}there is no field '${key}'`)
  return [`${where}${issue.message}`]
}
