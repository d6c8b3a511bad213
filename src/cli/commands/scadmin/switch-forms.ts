import { carryOut } from '../../follow/carry-out.ts'
import { CLUSTER_WORD, checkCluster } from '../check-cluster.ts'
import { LOGICAL_HOSTS_WORD } from '../logical-hosts-word.ts'
import { scadminForm } from './scadmin-options.ts'

/** The same as haswitch, with the name of the cluster. */
export const switchForms = [
  scadminForm({
    summary: 'move logical hosts to a physical host, as haswitch does',
    verb: ['switch'],
    words: [
      CLUSTER_WORD,
      { name: 'to', value: 'HOST', describe: 'the physical host that shall master them', completes: 'physical-host' },
      LOGICAL_HOSTS_WORD,
    ],
    optional: ['plan', 'json'],
    run: async ({ options, words }, context) => {
      await checkCluster(context, words.cluster)
      return carryOut(context, { kind: 'switchover', logicalHosts: words.logicalHosts, to: words.to }, options)
    },
  }),
  scadminForm({
    summary: 'put logical hosts into maintenance',
    verb: ['switch'],
    selectedBy: ['maintenance'],
    words: [CLUSTER_WORD, LOGICAL_HOSTS_WORD],
    optional: ['plan', 'json'],
    run: async ({ options, words }, context) => {
      await checkCluster(context, words.cluster)
      return carryOut(context, { kind: 'maintenance', logicalHosts: words.logicalHosts }, options)
    },
  }),
  scadminForm({
    summary: 'call the methods of all data services again',
    verb: ['switch'],
    selectedBy: ['reconfigure'],
    words: [CLUSTER_WORD],
    optional: ['plan', 'json'],
    run: async ({ options, words }, context) => {
      await checkCluster(context, words.cluster)
      return carryOut(context, { kind: 'reconfigure' }, options)
    },
  }),
]
