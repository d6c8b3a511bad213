import type { StatusJson } from '../../framework/api/wire.ts'
import { HaError } from '../../framework/errors/ha-error.ts'
import { defineCommand, formsOf, JSON_OPTION } from '../command/define-command.ts'
import { type Context, printJson, printLine } from '../context.ts'
import { writeTime } from '../print/duration.ts'
import { livePageLines, statusLines } from '../print/status-lines.ts'

/** Messages that clustd gives at most. */
const MESSAGES_MAX = 1_000

const options = {
  messages: {
    kind: 'count',
    letter: 'm',
    value: 'NUMBER',
    describe: 'also the latest messages of this host, so many; none without it',
  },
  interval: {
    kind: 'count',
    letter: 'i',
    value: 'SECONDS',
    describe: 'again every so many seconds until Ctrl-C; on a terminal drawn over the last one',
  },
  json: JSON_OPTION,
} as const

const form = formsOf(options)

export const hastat = defineCommand({
  name: 'hastat',
  summary: 'show the status of the cluster',
  description: [
    'The first lines say whether somebody has to do something, and what. Then comes the page that Sun Cluster printed, with the same headings, ' +
      'from the line HIGH AVAILABILITY CONFIGURATION AND STATUS on, and below it what Haven knows beyond that.',
    'With -i and --json one JSON value is printed on each line.',
  ],
  options,
  examples: [
    { line: 'hastat', describe: 'Show how the cluster is.' },
    { line: 'hastat -i 1', describe: 'Watch it.' },
    { line: 'hastat -m 20', describe: 'With the latest 20 messages of this host.' },
  ],
  forms: [
    form({
      summary: 'show physical hosts, logical hosts and data services',
      optional: ['messages', 'interval', 'json'],
      run: async ({ options: given }, context) => {
        const messages = checkMessages(given.messages ?? 0)
        if (given.interval === undefined) {
          const status = await context.api.status({ messages })
          if (context.json) printJson(context, status)
          else for (const line of statusLines(status, { messages })) printLine(context, line)
          return 0
        }
        return repeat(context, { messages, intervalMs: Math.max(1, given.interval) * 1_000 })
      },
    }),
  ],
})

function checkMessages(messages: number): number {
  if (messages <= MESSAGES_MAX) return messages
  throw new HaError('USAGE', `-m takes at most ${MESSAGES_MAX}`, { hint: 'The log file of clustd holds them all.' })
}

interface Repetition {
  readonly messages: number
  readonly intervalMs: number
}

/** Shows the status until Ctrl-C. A clustd that is away for a moment is told and waited for: that is when one wants to watch. */
async function repeat(context: Context, { messages, intervalMs }: Repetition): Promise<number> {
  const stopped = new AbortController()
  const release = context.onInterrupt(() => stopped.abort())
  try {
    while (!stopped.signal.aborted) {
      const shown = await context.api.status({ messages }).catch((error: unknown) => asMissing(error))
      show(context, shown, messages)
      await context.sleep(intervalMs, stopped.signal)
    }
    return 0
  } finally {
    release()
  }
}

function asMissing(error: unknown): HaError {
  if (error instanceof HaError) return error
  throw error
}

function show(context: Context, shown: StatusJson | HaError, messages: number): void {
  if (context.json) {
    context.stdout.write(`${JSON.stringify(shown)}\n`)
    return
  }
  const { stdout } = context
  const isLive = stdout.isTerminal && context.environment['TERM'] !== 'dumb'
  const lines = pageLines(shown, { messages, isLive })
  if (!isLive) stdout.write(`${lines.join('\n')}\n\n`)
  // Cleared from the top left, so that nothing of a longer page before stays; no longer than the screen, so that its top stays in sight.
  else stdout.write(`\u001b[H\u001b[2J${lines.slice(0, stdout.rows - 1).join('\n')}\n`)
}

function pageLines(shown: StatusJson | HaError, options: { messages: number; isLive: boolean }): readonly string[] {
  if (shown instanceof HaError) return [`${shown.message} (${shown.code})`]
  const head = `${writeTime(shown.atWallMs)}  ${shown.cluster}, asked on ${shown.answeredBy}`
  return [head, ...(options.isLive ? livePageLines : statusLines)(shown, options)]
}
