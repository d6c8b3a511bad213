import { HaError } from '../../framework/errors/ha-error.ts'
import { defineCommand, formsOf, JSON_OPTION } from '../command/define-command.ts'
import type { Context } from '../context.ts'
import { printAnswer } from '../context.ts'
import { showConfigured } from '../follow/show-configured.ts'
import { publicNetworkLines } from '../print/public-network-lines.ts'
import { askGroups, type TypedGroup } from './pnmset/ask-groups.ts'

const options = {
  configure: {
    kind: 'text',
    letter: 'c',
    value: 'GROUP',
    describe: 'make this backup group, such as nafo0, or give it other adapters',
  },
  adapters: {
    kind: 'list',
    letter: 'o',
    value: 'ADAPTER',
    describe: 'its adapters, the preferred one first',
  },
  network: {
    kind: 'text',
    long: 'network',
    value: 'NETWORK',
    describe: 'the network they are on; without it, that of their interface, or the only one for clients',
  },
  remove: { kind: 'text', letter: 'd', value: 'GROUP', describe: 'remove this backup group' },
  switch: {
    kind: 'text',
    long: 'switch',
    value: 'GROUP',
    describe: 'move the addresses of this group to another adapter',
  },
  host: {
    kind: 'text',
    letter: 'h',
    value: 'HOST',
    completes: 'physical-host',
    describe: 'of another host than this one',
  },
  json: JSON_OPTION,
} as const

const form = formsOf(options)

export const pnmset = defineCommand({
  name: 'pnmset',
  summary: 'configure backup groups of public network adapters',
  description: [
    'A backup group is a list of adapters of one host on one network, of which one carries the logical addresses and the own addresses of the host, and the ' +
      'others stand by. When the active one fails while the network works, the addresses move to the next one that works, within the host, and connections go on.',
    'Logical addresses name the group where they would name an adapter; one that names an adapter of the group is on the group as well. All public adapters ' +
      'should be in a group, single ones too: they are tested then. Addresses do not go back by themselves when an adapter was repaired: --switch does that.',
    'Without options it asks at the terminal. It warns when this host has no adapter of a name that is given.',
    'Adapters that stand by must be switched on (ip link set ADAPTER up) and have no addresses of their own.',
  ],
  options,
  examples: [
    { line: 'pnmset -c nafo0 -o eth1,eth2', describe: 'Let eth2 stand by for eth1 on this host.' },
    { line: 'pnmset', describe: 'Be asked for the groups of this host, at a terminal.' },
    { line: 'pnmset --switch nafo0 eth1', describe: 'Go back to eth1 after it was repaired.' },
    { line: 'pnmset -d nafo0', describe: 'Remove the group.' },
  ],
  forms: [
    form({
      summary: 'make a backup group, or give it other adapters',
      selectedBy: ['configure'],
      required: ['adapters'],
      optional: ['network', 'host', 'json'],
      run: async ({ options: given }, context) => {
        const { configure: name = '', adapters = [], network } = given
        const host = await hostOf(context, given.host)
        return configure(context, host, { name, adapters, ...(network !== undefined && { network }) })
      },
    }),
    form({
      summary: 'ask for the backup groups of a host at the terminal',
      optional: ['host', 'json'],
      run: async ({ options: given }, context) => {
        const { ask } = context
        if (ask === undefined || context.json) {
          throw new HaError('USAGE', 'it is not said what to do, and nobody can be asked here', {
            hint: 'Say it in the command line, such as: pnmset -c nafo0 -o eth1,eth2',
          })
        }
        const { physicalHost } = await context.api.identity()
        const host = await hostOf(context, given.host)
        const { physicalHosts, networks } = await context.api.configuration()
        const typed = await askGroups(ask, {
          host,
          groups: physicalHosts.find(({ name }) => name === host)?.backupGroups ?? [],
          adapters: host === physicalHost ? context.adapters() : [],
          networks: networks.filter(({ role }) => role === 'client' || role === 'both').map(({ name }) => name),
        })
        for (const group of typed) {
          const exitCode = await configure(context, host, group)
          if (exitCode !== 0) return exitCode
        }
        return 0
      },
    }),
    form({
      summary: 'remove a backup group',
      selectedBy: ['remove'],
      optional: ['host', 'json'],
      run: async ({ options: given }, context) => {
        const host = await hostOf(context, given.host)
        return showConfigured(
          context,
          await context.api.configure({ kind: 'remove-backup-group', host, name: given.remove ?? '' }),
        )
      },
    }),
    form({
      summary: 'move the addresses of a group of this host to another of its adapters',
      selectedBy: ['switch'],
      optional: ['json'],
      words: [{ name: 'adapter', value: 'ADAPTER', describe: 'the adapter that is to carry them' }],
      run: async ({ options: given, words }, context) => {
        const group = given.switch ?? ''
        const answer = await context.api.switchAdapter({ group, adapter: words.adapter })
        printAnswer(context, answer, publicNetworkLines)
        return 0
      },
    }),
  ],
})

async function configure(context: Context, host: string, group: TypedGroup): Promise<number> {
  const answer = await context.api.configure({ kind: 'backup-group', host, ...group })
  const strange = await findStrange(context, host, group.adapters)
  const warnings = strange.map((adapter) => `this machine, ${host}, has no adapter ${adapter} now`)
  return showConfigured(context, { ...answer, warnings: [...answer.warnings, ...warnings] })
}

/** Adapters that are not there. Only the machine of the host knows; and one may be plugged in later, so it is no reason to refuse it. */
async function findStrange(context: Context, host: string, adapters: readonly string[]): Promise<readonly string[]> {
  const present = context.adapters()
  if (present.length === 0 || (await context.api.identity()).physicalHost !== host) return []
  return adapters.filter((adapter) => !present.includes(adapter))
}

async function hostOf(context: Context, asked: string | undefined): Promise<string> {
  if (asked === '') throw new HaError('USAGE', '-h needs the name of a host')
  return asked ?? (await context.api.identity()).physicalHost
}
