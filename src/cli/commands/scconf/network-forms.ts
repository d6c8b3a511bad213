import { CLUSTER_WORD } from '../check-cluster.ts'
import { configure, given } from './configure.ts'
import { scconfForm } from './scconf-options.ts'

type Role = 'internal' | 'client' | 'both' | 'none'

/** Forms for networks. */
export const networkForms = [
  scconfForm({
    summary: 'add a network, or change it',
    words: [CLUSTER_WORD],
    selectedBy: ['network'],
    optional: ['role', 'probe', 'json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, {
        kind: 'network',
        name: options.network ?? '',
        ...given({ role: options.role as Role | undefined, probeTargets: options.probe }),
      }),
  }),
  scconfForm({
    summary: 'remove a network with the interfaces on it',
    words: [CLUSTER_WORD],
    selectedBy: ['network', 'remove'],
    optional: ['json'],
    run: ({ options, words }, context) =>
      configure(context, words.cluster, { kind: 'remove-network', name: options.network ?? '' }),
  }),
]
