import { afterAll, beforeAll, describe } from 'vitest'
import type { EtcdPlace } from '../../src/framework/model/database-place.ts'
import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openEtcdDatabase } from '../../src/framework/store/etcd/open-etcd-database.ts'
import { type EtcdCluster, missingEtcd, startEtcd } from '../etcd-process.ts'
import { describeClusterDatabase } from './cluster-database.contract.ts'
import type { DatabaseHarness } from './cluster-database-harness.ts'

let etcd: EtcdCluster
beforeAll(async () => {
  etcd = await startEtcd()
})
afterAll(() => etcd.end())

let clusters = 0

// One etcd for all tests of this file, and a cluster of its own in it for each.
describe.skipIf(missingEtcd !== undefined)('with a real etcd', () => describeClusterDatabase('etcd', makeHarness))

async function makeHarness(): Promise<DatabaseHarness> {
  clusters += 1
  const cluster = `c${clusters}`
  const place: EtcdPlace = { kind: 'etcd', endpoints: etcd.endpoints, isManaged: false }
  const clients: ClusterDatabase[] = []
  return {
    connect: async () => {
      // Tests share the machine with others: what is slow is not to look like what is gone.
      const client = await openEtcdDatabase({
        place,
        cluster,
        effects: createRealEffects(),
        create: true,
        callMs: () => 5000,
      })
      clients.push(client)
      return client
    },
    end: async () => {
      for (const client of clients) await client.close()
    },
  }
}
