import { HaError } from '../../../framework/errors/ha-error.ts'
import { printAnswer } from '../../context.ts'
import { carryOut } from '../../follow/carry-out.ts'
import { explainLines } from '../../print/explain-lines.ts'
import { historyLines } from '../../print/history-lines.ts'
import { timelineLines } from '../../print/timeline-lines.ts'
import { scadminForm } from './scadmin-options.ts'

const logicalHost = {
  name: 'logicalHost',
  value: 'LOGICALHOST',
  describe: 'the logical host',
  completes: 'logical-host',
} as const

/** Tells what happened and why, and ends what only an operator can end. */
export const storyForms = [
  scadminForm({
    summary: 'list the latest reconfigurations',
    verb: ['history'],
    optional: ['last', 'json'],
    run: async ({ options }, context) => {
      printAnswer(context, await context.api.history({ last: options.last ?? 20 }), historyLines)
      return 0
    },
  }),
  scadminForm({
    summary:
      'show where every second of a reconfiguration went; without NUMBER: of the last one that touched a logical host',
    verb: ['timeline'],
    words: [{ name: 'number', value: 'NUMBER', describe: 'the number of the reconfiguration', optional: true }],
    optional: ['json'],
    run: async ({ words }, context) => {
      printAnswer(context, await context.api.timeline(parseNumber(words.number)), timelineLines)
      return 0
    },
  }),
  scadminForm({
    summary: 'tell why a logical host is where it is, why not elsewhere, and what would move it',
    verb: ['explain'],
    words: [logicalHost],
    optional: ['json'],
    run: async ({ words }, context) => {
      printAnswer(context, await context.api.explain(words.logicalHost), explainLines)
      return 0
    },
  }),
  scadminForm({
    summary: 'say that what kept a logical host from being mastered is gone: leftovers, failures, or a used-up budget',
    verb: ['clear'],
    words: [logicalHost],
    optional: ['plan', 'json'],
    run: ({ options, words }, context) => carryOut(context, { kind: 'clear', logicalHost: words.logicalHost }, options),
  }),
]

function parseNumber(text: string | undefined): number | 'last' {
  if (text === undefined || text === 'last') return 'last'
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new HaError('USAGE', `NUMBER is that of a reconfiguration, not '${text}'`, {
    hint: "'scadmin history' lists them.",
  })
}
