import type { RequestJson } from '../../framework/api/wire.ts'
import { type Context, printAnswer } from '../context.ts'
import { planLines } from '../print/plan-lines.ts'
import { followReconfiguration } from './follow-reconfiguration.ts'

/** Asks for something and watches it until it is done; with `plan`, only shows what would be done. Returns the exit code. */
export async function carryOut(
  context: Context,
  request: RequestJson,
  options: { readonly plan: boolean },
): Promise<number> {
  if (options.plan) {
    printAnswer(context, await context.api.plan(request), planLines)
    return 0
  }
  const { reconfiguration, warnings } = await context.api.submit({ request })
  return followReconfiguration(context, reconfiguration, warnings)
}
