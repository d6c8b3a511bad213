import type { IRangeResponse } from 'etcd3'
import type { Snapshot } from '../../ports/cluster-database.ts'
import type { Endpoints } from './endpoints.ts'
import { wrapEtcdError } from './etcd-errors.ts'
import { Keyspace } from './keyspace.ts'
import { type EtcdDatabaseOptions, openEndpoints, settleLayout } from './open-etcd-database.ts'
import { Reader } from './reader.ts'

/** What a check found. */
export interface EtcdInspection {
  readonly snapshot: Snapshot
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[]
}

/** Reads everything below the prefix of a cluster, and tells what Haven never wrote. Changes nothing. Throws as `openEtcdDatabase` does. */
export async function inspectEtcdDatabase(options: EtcdDatabaseOptions): Promise<EtcdInspection> {
  const keyspace = new Keyspace(options.cluster)
  const endpoints = openEndpoints(keyspace, options)
  const problems: string[] = []
  try {
    await settleLayout(endpoints, keyspace, { ...options, create: false })
    const reader = new Reader(keyspace, endpoints, (error) => problems.push(error.message))
    const snapshot = await reader.read()
    return { snapshot, problems: [...problems, ...(await strangers(endpoints, keyspace))] }
  } catch (error) {
    throw wrapEtcdError('the cluster database cannot be checked', error)
  } finally {
    endpoints.close()
  }
}

/** Keys of this cluster that are neither records nor anything else of Haven. */
async function strangers(endpoints: Endpoints, keyspace: Keyspace): Promise<readonly string[]> {
  const request = { ...keyspace.whole, keys_only: true }
  const { answer } = await endpoints.ask((channel) => channel.call<IRangeResponse>('KV', 'range', request))
  return answer.kvs
    .filter(({ key }) => !keyspace.isKnown(key))
    .map(({ key }) => `${key.toString()} in etcd is nothing that Haven writes`)
}
