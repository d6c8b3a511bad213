import { HaError } from '../../framework/errors/ha-error.ts'
import type { Context } from '../context.ts'

/** The word CLUSTER of the classic forms. */
export const CLUSTER_WORD = { name: 'cluster', value: 'CLUSTER', describe: 'the name of the cluster' } as const

/** Makes sure that the clustd of this host belongs to the named cluster: the classic forms name it so that nobody changes another one. Throws `NOT_FOUND`. */
export async function checkCluster(context: Context, cluster: string): Promise<void> {
  const identity = await context.api.identity()
  if (identity.cluster === cluster) return
  throw new HaError('NOT_FOUND', `this host belongs to the cluster ${identity.cluster}, not to ${cluster}`, {
    hint: `Name the cluster ${identity.cluster}, or ask on a host of ${cluster}.`,
  })
}
