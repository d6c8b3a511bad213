import { type Context, printAnswer, printJson, printLine } from '../../context.ts'
import { voterLines } from '../../print/voter-lines.ts'
import { scadminForm } from './scadmin-options.ts'

/** Looks after the voters of an etcd that Haven runs. They need no clustd, so these speak to them directly. */
export const voterForms = [
  scadminForm({
    summary: 'make this machine a witness: it votes in the cluster database and never masters anything',
    verb: ['witness'],
    required: ['join', 'token'],
    optional: ['host', 'address', 'json'],
    run: async ({ options }, context) => {
      const { joinWitness } = await context.offline()
      const joined = await joinWitness({
        root: context.root,
        installation: context.installation,
        place: options.join ?? '',
        token: options.token ?? '',
        ...(options.host !== undefined && { name: options.host }),
        ...(options.address !== undefined && { addresses: options.address }),
      })
      const { name, cluster, admittedBy } = joined
      say(context, joined, `${name} is a witness of the cluster ${cluster}: ${admittedBy} has let it in.`)
      if (!context.json) for (const warning of joined.warnings) printLine(context, `Note: ${warning}`)
      return 0
    },
  }),
  scadminForm({
    summary: 'list the voters of the cluster database: who is well, who leads, how far behind the others are',
    verb: ['voters'],
    optional: ['json'],
    run: async (_given, context) => {
      printAnswer(context, await (await context.offline()).listVoters(context.root), voterLines)
      return 0
    },
  }),
  scadminForm({
    summary: 'take a voter out; refused when the others would be no majority of healthy ones',
    verb: ['voters', 'remove'],
    words: [{ name: 'voter', value: 'VOTER', describe: 'the name of the voter' }],
    optional: ['json'],
    run: async ({ words }, context) => {
      const warnings = await (await context.offline()).removeVoter(context.root, words.voter)
      const answer = { removed: words.voter, warnings }
      say(context, answer, `${words.voter} does not vote in the cluster database any more.`)
      if (!context.json) for (const warning of warnings) printLine(context, `Note: ${warning}`)
      return 0
    },
  }),
  scadminForm({
    summary:
      'say at which addresses the voter of this machine is reached, all of them; its etcd is started anew for that',
    verb: ['voters', 'address'],
    words: [
      {
        name: 'addresses',
        value: 'ADDRESS',
        describe: 'IP addresses of this machine, one in each private network at best; one of the former has to stay',
        many: true,
      },
    ],
    optional: ['json'],
    run: async ({ words }, context) => {
      const { setVoterAddresses } = await context.offline()
      const addresses = words.addresses.flatMap((text) => text.split(',')).filter((text) => text !== '')
      const place = await setVoterAddresses(context, addresses)
      say(context, place, `The voter ${place.name} is reached at ${place.addresses.join(', ')}.`)
      return 0
    },
  }),
  scadminForm({
    summary:
      'go on with the voter of this machine alone, when the majority is lost for good; if the lost ones are alive after all, logical hosts may be mastered twice',
    verb: ['voters', 'recover'],
    required: ['lost'],
    optional: ['json'],
    run: async ({ options }, context) => {
      const { recoverAlone } = await context.offline()
      await recoverAlone(context, options.lost ?? [])
      say(context, { recovered: true }, "The voter of this machine goes on alone. See 'scadmin voters'.")
      return 0
    },
  }),
  scadminForm({
    summary: 'start the voter of this machine, if it does not run',
    verb: ['voters', 'start'],
    optional: ['json'],
    run: async (_given, context) => {
      const { startVoter } = await context.offline()
      startVoter(context)
      say(context, { started: true }, "The voter of this machine is started. See how it gets on with 'scadmin voters'.")
      return 0
    },
  }),
  scadminForm({
    summary: 'stop the voter of this machine in order, before the machine is switched off',
    verb: ['voters', 'stop'],
    optional: ['json'],
    run: async (_given, context) => {
      const stopped = await (await context.offline()).stopVoter(context.root)
      say(context, { stopped }, stopped ? 'The voter of this machine has ended.' : 'No voter runs on this machine.')
      return 0
    },
  }),
]

function say(context: Context, answer: unknown, sentence: string): void {
  if (context.json) printJson(context, answer)
  else printLine(context, sentence)
}
