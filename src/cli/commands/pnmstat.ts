import type { PublicGroupJson, PublicNetworksJson } from '../../framework/api/wire.ts'
import { HaError } from '../../framework/errors/ha-error.ts'
import { defineCommand, formsOf, JSON_OPTION } from '../command/define-command.ts'
import { type Context, printJson, printLine } from '../context.ts'
import { classicStatus, publicNetworkLines } from '../print/public-network-lines.ts'

const options = {
  long: { kind: 'flag', letter: 'l', describe: 'one line for each backup group, with headings; so without any option' },
  group: {
    kind: 'text',
    letter: 'c',
    value: 'GROUP',
    describe:
      'one group: its status, when its addresses moved last (seconds ago, or NEVER), its active adapter, one per line',
  },
  short: { kind: 'flag', letter: 's', describe: 'the same on one line, for scripts; of all groups without -c' },
  host: {
    kind: 'text',
    letter: 'h',
    value: 'HOST',
    completes: 'physical-host',
    describe: 'another host, as it told last',
  },
  json: JSON_OPTION,
} as const

const form = formsOf(options)

export const pnmstat = defineCommand({
  name: 'pnmstat',
  summary: 'show the public network adapters of a host',
  description: [
    'Shows each backup group of this host, and each public adapter that is in none, as the tests of its clustd find it: its adapters, the one that carries ' +
      'the logical addresses, and its status. OK: it works. DOUBT: a test is under way. DOWN: every adapter of it is faulty while the network works for ' +
      'others; its logical hosts move. NETDOWN: nothing is heard, and the other hosts hear nothing either; nothing moves. UNKNOWN: nothing was told yet.',
    'The exit code is 0 when every group that was asked for is OK or DOUBT, and 1 when one is not.',
  ],
  options,
  examples: [
    { line: 'pnmstat', describe: 'Show the backup groups of this host.' },
    { line: 'pnmstat -c nafo0', describe: 'Show one of them, as scripts read it.' },
    { line: 'pnmstat -s -h beta -c nafo0', describe: 'Ask about another host.' },
  ],
  forms: [
    form({
      summary: 'show backup groups and adapters',
      optional: ['long', 'group', 'short', 'host', 'json'],
      run: async ({ options: given }, context) => {
        const all = await context.api.publicNetworks(given.host === undefined ? {} : { host: given.host })
        const asked = { ...all, groups: pick(all, given.group) }
        print(context, asked, { isOne: given.group !== undefined, isShort: given.short === true })
        return asked.groups.every(({ state }) => state === 'ok' || state === 'doubtful') ? 0 : 1
      },
    }),
  ],
})

function pick({ host, groups }: PublicNetworksJson, name: string | undefined): readonly PublicGroupJson[] {
  if (name === undefined) return groups
  const found = groups.filter((group) => group.name === name)
  if (found.length > 0) return found
  throw new HaError('NOT_FOUND', `${host} has no backup group ${name}`, {
    hint: `There are: ${groups.map((group) => group.name).join(', ') || 'none; pnmset makes them'}.`,
  })
}

function print(
  context: Context,
  asked: PublicNetworksJson,
  { isOne, isShort }: { readonly isOne: boolean; readonly isShort: boolean },
): void {
  if (context.json) return printJson(context, asked)
  if (!isOne && !isShort) {
    for (const line of publicNetworkLines(asked)) printLine(context, line)
    return
  }
  for (const group of asked.groups) {
    const words = classicStatus(group)
    if (isShort) printLine(context, (isOne ? words : [group.name, ...words]).join(' '))
    else for (const word of words) printLine(context, word)
  }
}
