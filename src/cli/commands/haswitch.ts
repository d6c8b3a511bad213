import { defineCommand, formsOf, JSON_OPTION } from '../command/define-command.ts'
import { carryOut } from '../follow/carry-out.ts'
import { followReconfiguration } from '../follow/follow-reconfiguration.ts'
import { LOGICAL_HOSTS_WORD } from './logical-hosts-word.ts'

const options = {
  maintenance: {
    kind: 'flag',
    letter: 'm',
    describe: 'put into maintenance: nobody masters them until they are switched to a host again',
  },
  reconfigure: { kind: 'flag', letter: 'r', describe: 'call the methods again, with unchanged lists' },
  plan: {
    kind: 'flag',
    long: 'plan',
    describe: 'do nothing; show each step, how long it usually takes, and the id of the plan',
  },
  apply: {
    kind: 'text',
    long: 'apply',
    value: 'ID',
    describe: 'do exactly what was shown; refused if the state has moved since',
  },
  json: JSON_OPTION,
} as const

const form = formsOf(options)

export const haswitch = defineCommand({
  name: 'haswitch',
  summary: 'switch logical hosts over to another physical host',
  description: [
    'Moves each named logical host with its disk groups, its logical addresses and all its data services. The present master gives it up, ' +
      'then the other host takes it on. Any member can be asked.',
    'The command watches the reconfiguration until it is done. Ctrl-C stops the watching, not the reconfiguration.',
    'A logical host in maintenance stays without a master, also across reboots, until it is switched to a physical host.',
  ],
  options,
  examples: [
    { line: 'haswitch beta ha1', describe: 'Let beta master ha1.' },
    { line: 'haswitch --plan beta ha1 ha2', describe: 'See beforehand what would happen, and for how long.' },
    { line: 'haswitch -m ha1', describe: 'Take ha1 out of service; `haswitch beta ha1` ends it.' },
  ],
  forms: [
    form({
      summary: 'move logical hosts to a physical host; also ends their maintenance',
      optional: ['plan', 'json'],
      words: [
        { name: 'to', value: 'HOST', describe: 'the physical host that shall master them', completes: 'physical-host' },
        LOGICAL_HOSTS_WORD,
      ],
      run: ({ options: given, words }, context) =>
        carryOut(context, { kind: 'switchover', logicalHosts: words.logicalHosts, to: words.to }, given),
    }),
    form({
      summary: 'put logical hosts into maintenance',
      selectedBy: ['maintenance'],
      optional: ['plan', 'json'],
      words: [LOGICAL_HOSTS_WORD],
      run: ({ options: given, words }, context) =>
        carryOut(context, { kind: 'maintenance', logicalHosts: words.logicalHosts }, given),
    }),
    form({
      summary: 'reconfigure: call the methods of all data services again',
      selectedBy: ['reconfigure'],
      optional: ['plan', 'json'],
      run: ({ options: given }, context) => carryOut(context, { kind: 'reconfigure' }, given),
    }),
    form({
      summary: 'carry out a plan that --plan has shown',
      selectedBy: ['apply'],
      optional: ['json'],
      run: async ({ options: given }, context) => {
        const { reconfiguration } = await context.api.applyPlan(given.apply ?? '')
        return followReconfiguration(context, reconfiguration)
      },
    }),
  ],
})
