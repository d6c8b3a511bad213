import { printAnswer } from '../../context.ts'
import { configurationLines } from '../../print/configuration-lines.ts'
import { CLUSTER_WORD, checkCluster } from '../check-cluster.ts'
import { configure, given } from './configure.ts'
import { scconfForm } from './scconf-options.ts'

const timingOptions = ['timings', 'stampMs', 'guardMs', 'abortMs', 'marginMs'] as const
const budgetOptions = [
  'takeoversMax',
  'takeoverWindowMs',
  'evictionsMax',
  'evictionWindowMs',
  'parallelMovesMax',
] as const

/** Forms for what holds for the whole cluster. One form per option that selects: whichever is given first names what is changed. */
export const clusterForms = [
  scconfForm({
    summary: 'print the configuration',
    words: [CLUSTER_WORD],
    selectedBy: ['print'],
    optional: ['json'],
    run: async ({ words }, context) => {
      await checkCluster(context, words.cluster)
      printAnswer(context, await context.api.configuration(), configurationLines)
      return 0
    },
  }),
  scconfForm({
    summary: 'set the logical host timeout',
    words: [CLUSTER_WORD],
    selectedBy: ['logicalHostTimeout'],
    optional: ['stepTimeout', 'json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'timeouts',
        ...given({ logicalHostTimeoutS: options.logicalHostTimeout, stepTimeoutS: options.stepTimeout }),
      }),
  }),
  scconfForm({
    summary: 'set the timeout of a reconfiguration',
    words: [CLUSTER_WORD],
    selectedBy: ['stepTimeout'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, { kind: 'timeouts', ...given({ stepTimeoutS: options.stepTimeout }) }),
  }),
  scconfForm({
    summary: 'set how fast a lost host is found out: a profile, single figures, or both',
    words: [CLUSTER_WORD],
    selectedByOneOf: timingOptions,
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'timings',
        ...given({
          profile: options.timings as 'default' | 'fast' | 'relaxed' | undefined,
          stampMs: options.stampMs,
          guardMs: options.guardMs,
          abortMs: options.abortMs,
          marginMs: options.marginMs,
        }),
      }),
  }),
  scconfForm({
    summary: 'set how often hosts tell each other that they live, and when one is suspected',
    words: [CLUSTER_WORD],
    selectedByOneOf: ['heartbeatMs', 'suspectMs'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'heartbeats',
        ...given({ intervalMs: options.heartbeatMs, suspectMs: options.suspectMs }),
      }),
  }),
  scconfForm({
    summary: 'set the limits of what Haven does by itself',
    words: [CLUSTER_WORD],
    selectedByOneOf: budgetOptions,
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'budgets',
        ...given({
          takeoversMax: options.takeoversMax,
          takeoverWindowMs: options.takeoverWindowMs,
          evictionsMax: options.evictionsMax,
          evictionWindowMs: options.evictionWindowMs,
          parallelMovesMax: options.parallelMovesMax,
        }),
      }),
  }),
  scconfForm({
    summary: 'set the facility that methods log to',
    words: [CLUSTER_WORD],
    selectedBy: ['syslogFacility'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, { kind: 'syslog-facility', facility: options.syslogFacility ?? '' }),
  }),
]
