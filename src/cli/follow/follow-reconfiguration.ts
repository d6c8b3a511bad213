import type { FollowEvent, TimelineHalfJson } from '../../framework/api/wire.ts'
import { HaError } from '../../framework/errors/ha-error.ts'
import { type Context, printJson, printLine } from '../context.ts'
import { writeDuration } from '../print/duration.ts'
import { failureLines, hasFailed } from './event-lines.ts'
import { createFollowView } from './follow-view.ts'

/** Exit code of a command that Ctrl-C ended, as shells have it. */
export const INTERRUPTED_EXIT_CODE = 130

type End = Extract<FollowEvent, { kind: 'end' }>

/** What was seen of a reconfiguration. `interrupted`: the operator does not want to see more; it goes on. */
type Followed =
  | { readonly kind: 'ended'; readonly end: End; readonly failures: readonly TimelineHalfJson[] }
  | { readonly kind: 'interrupted' }

/**
 * Shows a reconfiguration until its end, and says in one sentence what is so now. Throws `GOAL_NOT_REACHED` with what failed, `WAIT_TIMED_OUT` when
 * the end is not known. Ctrl-C ends the watching only. Null = there was nothing to do. `warnings` are told first.
 */
export async function followReconfiguration(
  context: Context,
  reconfiguration: number | null,
  warnings: readonly string[] = [],
): Promise<number> {
  if (!context.json) for (const warning of warnings) printLine(context, `warning: ${warning}`)
  if (reconfiguration === null) {
    if (context.json)
      printEnd(
        context,
        { reconfiguration: null, outcome: 'reached', why: [], logicalHosts: [], durationMs: 0 },
        warnings,
      )
    else printLine(context, 'Nothing had to be done.')
    return 0
  }
  const followed = await watch(context, reconfiguration)
  if (followed.kind === 'interrupted') {
    context.stderr.write(
      `Reconfiguration ${reconfiguration} goes on without being watched. See it with 'scadmin timeline ${reconfiguration}', or 'hastat -i 1'.\n`,
    )
    return INTERRUPTED_EXIT_CODE
  }
  const { end } = followed
  if (end.outcome === 'not reached') {
    // Watched, the failures stand above already.
    throw notReached(end, context.json ? followed.failures : [])
  }
  if (end.outcome === 'unknown') throw unknownEnd(end)
  if (context.json) printEnd(context, end, warnings)
  else for (const line of closingLines(end)) printLine(context, line)
  return 0
}

async function watch(context: Context, reconfiguration: number): Promise<Followed> {
  const stopped = new AbortController()
  const release = context.onInterrupt(() => stopped.abort())
  const view = createFollowView(context)
  const failures: TimelineHalfJson[] = []
  try {
    for await (const event of context.api.follow(reconfiguration, { signal: stopped.signal })) {
      view.show(event)
      if (event.kind === 'half-ended' && hasFailed(event.half)) failures.push(event.half)
      if (event.kind === 'end') return { kind: 'ended', end: event, failures }
    }
    throw new HaError('ABORTED', `clustd stopped telling of reconfiguration ${reconfiguration}`, {
      hint: lookHint(reconfiguration),
    })
  } catch (error) {
    if (stopped.signal.aborted) return { kind: 'interrupted' }
    throw error
  } finally {
    view.close()
    release()
  }
}

type PrintedEnd = Omit<End, 'kind' | 'reconfiguration'> & { readonly reconfiguration: number | null }

function printEnd(context: Context, end: PrintedEnd, warnings: readonly string[]): void {
  const { reconfiguration, outcome, why, logicalHosts, durationMs } = end
  printJson(context, { reconfiguration, outcome, why, logicalHosts, durationMs, warnings })
}

/** Logical hosts whose end is told one by one; of more, only how many. */
const TOLD_MAX = 12

function closingLines({ reconfiguration, logicalHosts, durationMs }: End): readonly string[] {
  const took = `reconfiguration ${reconfiguration}, ${writeDuration(durationMs)}`
  const [only] = logicalHosts
  if (only === undefined) return [`Done (${took}).`]
  if (logicalHosts.length === 1) return [`${only.logicalHost} is ${only.sentence} (${took}).`]
  const told = logicalHosts.slice(0, TOLD_MAX).map(({ logicalHost, sentence }) => `  ${logicalHost} is ${sentence}`)
  const more = logicalHosts.length - told.length
  return [`Done (${took}):`, ...told, ...(more > 0 ? [`  and ${more} more`] : [])]
}

function notReached(end: End, failures: readonly TimelineHalfJson[]): HaError {
  // The reasons say of some logical hosts how they are now; of the others it is added.
  const untold = end.logicalHosts.filter(
    ({ logicalHost }) => !end.why.some((reason) => reason.startsWith(`${logicalHost} `)),
  )
  const now = untold.map(({ logicalHost, sentence }) => `${logicalHost} is ${sentence}.`)
  return new HaError(
    'GOAL_NOT_REACHED',
    `reconfiguration ${end.reconfiguration} ended, but not with what was asked for`,
    {
      details: [...failures.flatMap(failureLines).map((line) => line.slice(2)), ...end.why, ...now],
      hint: `See every step with 'scadmin timeline ${end.reconfiguration}'${explainHint(end)}.`,
    },
  )
}

function explainHint({ logicalHosts }: End): string {
  const [only] = logicalHosts
  return only === undefined ? '' : `, and why with 'scadmin explain ${only.logicalHost}'`
}

function unknownEnd(end: End): HaError {
  return new HaError('WAIT_TIMED_OUT', `the end of reconfiguration ${end.reconfiguration} was not seen`, {
    details: end.why,
    hint: lookHint(end.reconfiguration),
  })
}

function lookHint(reconfiguration: number): string {
  return `It may still go on. Look with 'scadmin timeline ${reconfiguration}', or 'hastat -i 1'.`
}
