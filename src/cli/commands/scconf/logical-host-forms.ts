import { carryOut } from '../../follow/carry-out.ts'
import { CLUSTER_WORD, checkCluster } from '../check-cluster.ts'
import { configure, given } from './configure.ts'
import { scconfForm } from './scconf-options.ts'

type OnStuck = 'stay' | 'abort'
type Switchback = 'automatic' | 'manual'

const hostsOfService = [
  CLUSTER_WORD,
  { name: 'service', value: 'SERVICE', describe: 'the data service', completes: 'service' },
  { name: 'logicalHosts', value: 'LOGICALHOST', describe: 'the logical hosts', many: true, completes: 'logical-host' },
] as const

/** Defines, changes and removes logical hosts, and the data services on them. */
export const logicalHostForms = [
  scconfForm({
    summary: 'define a logical host',
    words: [CLUSTER_WORD],
    selectedBy: ['logicalHost'],
    required: ['physicalHosts', 'diskGroups', 'interfaces'],
    optional: ['manual', 'onStuck', 'json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'add-logical-host',
        name: options.logicalHost ?? '',
        physicalHosts: options.physicalHosts ?? [],
        diskGroups: options.diskGroups ?? [],
        interfaces: options.interfaces ?? [],
        manual: options.manual,
        ...given({ onStuck: options.onStuck as OnStuck | undefined }),
      }),
  }),
  scconfForm({
    summary: 'change a logical host; what is not named stays',
    words: [CLUSTER_WORD],
    selectedBy: ['logicalHost', 'change'],
    optional: ['physicalHosts', 'diskGroups', 'interfaces', 'switchback', 'onStuck', 'json'],
    atLeastOneOf: ['physicalHosts', 'diskGroups', 'interfaces', 'switchback', 'onStuck'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'change-logical-host',
        name: options.logicalHost ?? '',
        ...given({
          physicalHosts: options.physicalHosts,
          diskGroups: options.diskGroups,
          interfaces: options.interfaces,
          switchback: options.switchback as Switchback | undefined,
          onStuck: options.onStuck as OnStuck | undefined,
        }),
      }),
  }),
  scconfForm({
    summary: 'remove a logical host that nobody masters',
    words: [CLUSTER_WORD],
    selectedBy: ['logicalHost', 'remove'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, { kind: 'remove-logical-host', name: options.logicalHost ?? '' }),
  }),
  scconfForm({
    summary: 'configure a data service on further logical hosts',
    words: hostsOfService,
    selectedBy: ['service'],
    optional: ['plan', 'json'],
    run: async ({ options, words }, context) => {
      await checkCluster(context, words.cluster)
      const request = { kind: 'service-hosts', service: words.service, add: words.logicalHosts, remove: [] } as const
      return carryOut(context, request, options)
    },
  }),
  scconfForm({
    summary: 'have a data service no longer on logical hosts',
    words: hostsOfService,
    selectedBy: ['service', 'remove'],
    optional: ['plan', 'json'],
    run: async ({ options, words }, context) => {
      await checkCluster(context, words.cluster)
      const request = { kind: 'service-hosts', service: words.service, add: [], remove: words.logicalHosts } as const
      return carryOut(context, request, options)
    },
  }),
]
