import type { ConfiguredJson } from '../../framework/api/wire.ts'
import { type Context, printJson, printLine } from '../context.ts'
import { configuredLines } from '../print/configured-lines.ts'
import { followReconfiguration } from './follow-reconfiguration.ts'

/** Prints what was changed, and watches the reconfigurations that carry it out, if any. Returns the exit code. */
export async function showConfigured(context: Context, answer: ConfiguredJson): Promise<number> {
  if (context.json) {
    printJson(context, answer)
    return 0
  }
  for (const line of configuredLines(answer)) printLine(context, line)
  const last = answer.reconfigurations.at(-1)
  return last === undefined ? 0 : followReconfiguration(context, last)
}
