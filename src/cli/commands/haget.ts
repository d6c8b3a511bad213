import { HAGET_FIELDS } from '../../framework/api/wire/haget.ts'
import { HaError } from '../../framework/errors/ha-error.ts'
import { defineCommand, formsOf, JSON_OPTION } from '../command/define-command.ts'
import { didYouMean } from '../command/suggest.ts'
import { printJson, printLine } from '../context.ts'

const options = {
  field: {
    kind: 'text',
    letter: 'f',
    value: 'FIELD',
    valueOptional: true,
    completes: 'field',
    describe: 'what to print; alone: list the fields',
  },
  host: {
    kind: 'text',
    letter: 'h',
    value: 'HOST',
    completes: 'any-host',
    describe: 'the logical or physical host it is asked about; physical: default this one',
  },
  service: { kind: 'text', letter: 's', value: 'SERVICE', completes: 'service', describe: 'the data service' },
  network: { kind: 'text', long: 'network', value: 'NETWORK', describe: 'the network' },
  apiVersion: { kind: 'text', letter: 'a', value: 'VERSION', describe: 'accepted for old scripts; has no effect' },
  classicS: { kind: 'flag', letter: 'S', describe: 'accepted for old scripts; has no effect' },
  json: JSON_OPTION,
} as const

const form = formsOf(options)

export const haget = defineCommand({
  name: 'haget',
  summary: 'get one fact about the cluster, for scripts',
  description: [
    'Prints the values of one field, one per line; nothing when there is none (a logical host without a master). ' +
      'A name that is not configured is an error (exit code 7), a field that there is not is wrong usage (2).',
    'Answers come from the clustd of this host, from what it has read last.',
  ],
  options,
  examples: [
    { line: 'haget -f master -h ha1', describe: 'Print who masters the logical host ha1.' },
    { line: 'haget -f pathprefix ha1', describe: 'The same as with -h, as the classic samples write it.' },
    { line: 'haget -f', describe: 'List all fields and what they need.' },
  ],
  forms: [
    form({
      summary: 'print a field, or list the fields',
      required: ['field'],
      optional: ['host', 'service', 'network', 'apiVersion', 'classicS', 'json'],
      words: [
        {
          name: 'host',
          value: 'HOST',
          describe: 'the same as -h',
          optional: true,
          completes: 'any-host',
        },
      ],
      run: async ({ options: given, words }, context) => {
        if (given.field === undefined || given.field === '') {
          if (context.json) printJson(context, { fields: HAGET_FIELDS })
          else for (const line of fieldLines()) printLine(context, line)
          return 0
        }
        refuseUnknownField(given.field)
        const host = given.host ?? words.host
        const answer = await context.api.haget({
          field: given.field,
          ...(host !== undefined && { host }),
          ...(given.service !== undefined && { service: given.service }),
          ...(given.network !== undefined && { network: given.network }),
        })
        if (context.json) printJson(context, answer)
        else for (const value of answer.values) printLine(context, value)
        return 0
      },
    }),
  ],
})

// Found out here, so that a slip of the hand is not answered with `clustd is not running`.
function refuseUnknownField(field: string): void {
  const names = HAGET_FIELDS.map(({ name }) => name)
  if (names.includes(field)) return
  throw new HaError('USAGE', `there is no field '${field}'${didYouMean(field, names)}`, {
    hint: "'haget -f' lists the fields.",
  })
}

const NEEDS_FLAG = {
  nothing: '',
  'logical host': '-h LOGICALHOST',
  'physical host': '[-h HOST]',
  service: '-s SERVICE',
  network: '--network NETWORK',
}

function fieldLines(): readonly string[] {
  return HAGET_FIELDS.map(({ name, needs, meaning }) =>
    `${name.padEnd(20)} ${NEEDS_FLAG[needs].padEnd(17)} ${meaning}`.trimEnd(),
  )
}
