import { printJson, printLine } from '../../context.ts'
import { CLUSTER_WORD } from '../check-cluster.ts'
import { scadminForm } from './scadmin-options.ts'
import { startHost } from './start-host.ts'
import { stopHost } from './stop-host.ts'

/** What goes with `--database etcd://...`. */
const ETCD_OPTIONS = ['databaseCa', 'databaseCert', 'databaseKey', 'databaseUser', 'databasePasswordFile'] as const

const optionalCluster = { ...CLUSTER_WORD, value: 'CLUSTER', optional: true } as const

/** Makes this host part of a cluster, starts it and stops it. */
export const lifeForms = [
  scadminForm({
    summary: 'make this host part of a cluster; may be repeated',
    verb: ['setup'],
    required: ['cluster', 'host'],
    optional: ['database', ...ETCD_OPTIONS, 'address', 'port', 'json'],
    run: async ({ options }, context) => {
      const { setUpHost } = await context.offline()
      const made = await setUpHost({
        root: context.root,
        cluster: options.cluster ?? '',
        host: options.host ?? '',
        installation: context.installation,
        ...(options.database !== undefined && { database: options.database }),
        etcd: etcdOptions(options),
        ...(options.address !== undefined && { addresses: options.address }),
        ...(options.port !== undefined && { port: options.port }),
      })
      if (context.json) printJson(context, made)
      else {
        for (const line of made.done) printLine(context, line)
        for (const line of made.warnings) printLine(context, `Note: ${line}`)
      }
      const next = made.isStarted ? 'scadmin startnode' : `scadmin startcluster ${made.physicalHost} ${made.cluster}`
      if (!context.json)
        printLine(context, `${made.physicalHost} is set up for the cluster ${made.cluster}. Start it with: ${next}`)
      return 0
    },
  }),
  scadminForm({
    summary: 'start the cluster with this host as its first member; refused while members are alive',
    verb: ['startcluster'],
    words: [
      { name: 'host', value: 'HOST', describe: 'the name of this host', completes: 'physical-host' },
      { name: 'cluster', value: 'CLUSTERNAME', describe: 'the name of the cluster' },
    ],
    optional: ['background', 'json'],
    run: ({ options, words }, context) =>
      startHost(context, { mode: 'found', ...words, isAwaited: !options.background }),
  }),
  scadminForm({
    summary: 'let this host join the running cluster',
    verb: ['startnode'],
    words: [optionalCluster],
    optional: ['background', 'json'],
    run: ({ options, words }, context) =>
      startHost(context, { mode: 'join', host: undefined, cluster: words.cluster, isAwaited: !options.background }),
  }),
  scadminForm({
    summary: 'let this host leave in an orderly way: what it masters moves to other members',
    verb: ['stopnode'],
    words: [optionalCluster],
    optional: ['background', 'json'],
    run: ({ options, words }, context) => stopHost(context, { cluster: words.cluster, isAwaited: !options.background }),
  }),
]

function etcdOptions(options: Readonly<Partial<Record<(typeof ETCD_OPTIONS)[number], string | undefined>>>) {
  const given = {
    ca: options.databaseCa,
    certificate: options.databaseCert,
    key: options.databaseKey,
    user: options.databaseUser,
    passwordFile: options.databasePasswordFile,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
