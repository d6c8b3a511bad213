import type { TokenJson } from '../../../framework/api/wire.ts'
import { HaError } from '../../../framework/errors/ha-error.ts'
import { type Context, printJson, printLine } from '../../context.ts'
import { writeTime } from '../../print/duration.ts'
import { scadminForm } from './scadmin-options.ts'

/** Lets machines into the cluster, and takes them out for good. */
export const admissionForms = [
  scadminForm({
    summary: 'make a token with which one machine may join the cluster, once',
    verb: ['token'],
    optional: ['for', 'ttl', 'json'],
    run: async ({ options }, context) => {
      const role = options.for === 'witness' ? 'witness' : 'host'
      const ttl = options.ttl === undefined ? {} : { ttlS: parseTtl(options.ttl) }
      const made = await context.api.makeToken({ role, ...ttl })
      if (context.json) printJson(context, made)
      else printToken(context, made)
      return 0
    },
  }),
  scadminForm({
    summary: 'let this machine into a cluster; may be repeated when it was cut off',
    verb: ['join'],
    words: [
      { name: 'address', value: 'ADDRESS[:PORT]', describe: 'a host of the cluster, as `scadmin token` printed it' },
    ],
    required: ['token'],
    optional: ['host', 'address', 'port', 'interface', 'json'],
    run: async ({ options, words }, context) => {
      const { joinHost } = await context.offline()
      const joined = await joinHost({
        root: context.root,
        installation: context.installation,
        place: words.address,
        token: options.token ?? '',
        interfaces: options.interface ?? [],
        ...(options.host !== undefined && { host: options.host }),
        ...(options.address !== undefined && { addresses: options.address }),
        ...(options.port !== undefined && { port: options.port }),
      })
      if (context.json) printJson(context, joined)
      else {
        const { physicalHost, cluster, admittedBy } = joined
        printLine(context, `${physicalHost} belongs to the cluster ${cluster}: ${admittedBy} has let it in.`)
        for (const warning of joined.warnings) printLine(context, `Note: ${warning}`)
        printLine(context, `Start it with: scadmin startnode ${cluster}`)
      }
      return 0
    },
  }),
  scadminForm({
    summary: 'take a host or a witness out of the cluster for good: no certificate of it is accepted any more',
    verb: ['evict'],
    words: [
      {
        name: 'host',
        value: 'HOST',
        describe: 'a host that is not a member, or a witness',
        completes: 'physical-host',
      },
    ],
    optional: ['force', 'json'],
    run: async ({ options, words }, context) => {
      const evicted = await context.api.evict({ name: words.host, ...(options.force && { force: true }) })
      if (context.json) printJson(context, evicted)
      else {
        printLine(context, `${evicted.name} was taken out of the cluster.`)
        for (const line of evicted.done) printLine(context, line)
        for (const warning of evicted.warnings) printLine(context, `Note: ${warning}`)
      }
      return 0
    },
  }),
]

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 }

function parseTtl(text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,6})([smh])$/.exec(text) ?? []
  if (digits !== undefined) return Number(digits) * (UNITS_S[unit] ?? 1)
  throw new HaError('USAGE', `'${text}' is no time`, { hint: 'Write it as 90s, 15m or 2h; at least 1m, at most 24h.' })
}

function printToken(context: Context, { token, role, expiresWallMs, addresses }: TokenJson): void {
  printLine(context, token)
  const what = role === 'host' ? 'scadmin join' : 'scadmin witness --join'
  const until = `It can be used once, until ${writeTime(expiresWallMs)}.`
  // The token alone goes to stdout, so that it can be handed on; the rest is for whoever reads.
  context.stderr.write(`${until} On the machine that joins:\n  ${what} ${addresses[0] ?? ''} --token ${token}\n`)
}
