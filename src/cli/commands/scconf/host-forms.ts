import { CLUSTER_WORD } from '../check-cluster.ts'
import { configure, given } from './configure.ts'
import { scconfForm } from './scconf-options.ts'

/** Forms for physical hosts and disk groups. */
export const hostForms = [
  scconfForm({
    summary: 'add a physical host, or change its names and interfaces',
    words: [CLUSTER_WORD],
    selectedBy: ['physicalHost'],
    optional: ['publicNames', 'privateLinks', 'interfaceOn', 'noInterface', 'json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'physical-host',
        name: options.physicalHost ?? '',
        ...given({
          publicNames: options.publicNames,
          privateLinks: options.privateLinks,
          interfacesOn: options.interfaceOn,
          withoutInterfaces: options.noInterface,
        }),
      }),
  }),
  scconfForm({
    summary: 'remove a physical host that is not a member',
    words: [CLUSTER_WORD],
    selectedBy: ['physicalHost', 'remove'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, { kind: 'remove-physical-host', name: options.physicalHost ?? '' }),
  }),
  scconfForm({
    summary: 'define a disk group, or define it anew',
    words: [CLUSTER_WORD],
    selectedBy: ['diskGroup'],
    required: ['define'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'disk-group',
        name: options.diskGroup ?? '',
        definitions: options.define ?? [],
      }),
  }),
  scconfForm({
    summary: 'remove a disk group that no logical host has',
    words: [CLUSTER_WORD],
    selectedBy: ['diskGroup', 'remove'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, { kind: 'remove-disk-group', name: options.diskGroup ?? '' }),
  }),
]
