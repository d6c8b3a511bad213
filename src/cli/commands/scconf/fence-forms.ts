import { CLUSTER_WORD } from '../check-cluster.ts'
import { configure, given } from './configure.ts'
import { scconfForm } from './scconf-options.ts'

const limitOptions = ['fenceShare', 'fenceWindowMs', 'fenceDelayMs', 'fenceStatusMs'] as const

/** Forms for fence devices, the levels of hosts, and the limits of fencing and rejoining. */
export const fenceForms = [
  scconfForm({
    summary: 'define a fence device, or change it; what is not named stays',
    words: [CLUSTER_WORD],
    selectedBy: ['fenceDevice'],
    optional: ['agent', 'program', 'option', 'hosts', 'plug', 'action', 'timeout', 'json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'fence-device',
        name: options.fenceDevice ?? '',
        ...given({
          agent: options.agent as 'command' | 'fence-agent' | undefined,
          program: options.program,
          options: options.option,
          hosts: options.hosts,
          plugs: options.plug,
          action: options.action as 'off' | 'reboot' | undefined,
          timeoutMs: options.timeout === undefined ? undefined : options.timeout * 1_000,
        }),
      }),
  }),
  scconfForm({
    summary: 'remove a fence device that no level names',
    words: [CLUSTER_WORD],
    selectedBy: ['fenceDevice', 'remove'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, { kind: 'remove-fence-device', name: options.fenceDevice ?? '' }),
  }),
  scconfForm({
    summary: 'say how a host is fenced',
    words: [CLUSTER_WORD],
    selectedBy: ['fenceLevels'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, { kind: 'fence-levels', text: options.fenceLevels ?? '' }),
  }),
  scconfForm({
    summary: 'set the limits of fencing',
    words: [CLUSTER_WORD],
    selectedByOneOf: limitOptions,
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'fencing-limits',
        ...given({
          shareMax: options.fenceShare === undefined ? undefined : options.fenceShare / 100,
          windowMs: options.fenceWindowMs,
          delayMs: options.fenceDelayMs,
          statusEveryMs: options.fenceStatusMs,
        }),
      }),
  }),
  scconfForm({
    summary: 'set how often a host that was lost may join by itself',
    words: [CLUSTER_WORD],
    selectedByOneOf: ['rejoinsMax', 'rejoinWindowMs'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'rejoins',
        ...given({ rejoinsMax: options.rejoinsMax, windowMs: options.rejoinWindowMs }),
      }),
  }),
]
