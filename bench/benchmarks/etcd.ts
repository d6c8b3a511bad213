import { Etcd3 } from 'etcd3'
import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openEtcdDatabase } from '../../src/framework/store/etcd/open-etcd-database.ts'
import { startEtcd } from '../../test/etcd-process.ts'
import type { Benchmark } from '../benchmark.ts'
import { type Figure, spreadOf } from '../figure.ts'
import { repeat, timeOf } from '../timing.ts'

/** As large as the record of a logical host. */
const VALUE = { schema: 1, text: 'x'.repeat(300) }
/** As many as a small cluster has. */
const RECORDS = 50

export const etcd: Benchmark = {
  name: 'etcd',
  summary: 'commits and readings of the etcd engine, beside a bare put',
  run: async ({ isQuick }) => {
    const figures = await repeat(2, (round) => measure(round === 0 ? 1 : 3, isQuick ? 20 : 500))
    return figures.flat()
  },
}

async function measure(members: number, rounds: number): Promise<readonly Figure[]> {
  const cluster = await startEtcd({ members, isDurable: true })
  const { endpoint } = await cluster.leader()
  const effects = createRealEffects()
  const place = { kind: 'etcd', endpoints: [endpoint], isManaged: false } as const
  const database = await openEtcdDatabase({ place, cluster: 'bench', effects, create: true, callMs: () => 5000 })
  const bare = new Etcd3({ hosts: endpoint })
  try {
    const times = await repeat(rounds, async (round) => ({
      bare: await timeOf(() => bare.put('/bench/x').value(JSON.stringify(VALUE)).exec()),
      commit: await timeOf(() => put(database, `mastery/ha${round % RECORDS}`)),
      read: await timeOf(() => database.read()),
    }))
    const reference = { name: 'put of the bare client', measured: spreadOf(times.map((time) => time.bare)) }
    const figure = (name: string, measured: readonly number[]): Figure => ({
      name: `${name}, ${members === 1 ? 'one member' : `${members} members`}`,
      unit: 'ms',
      measured: spreadOf(measured),
      reference,
      details: [`99 of 100 within ${slowest(measured)} ms; the bare put ${slowest(times.map((time) => time.bare))} ms`],
    })
    return [
      figure(
        'a commit',
        times.map((time) => time.commit),
      ),
      figure(
        `a reading of ${RECORDS} records`,
        times.map((time) => time.read),
      ),
    ]
  } finally {
    bare.close()
    await database.close()
    await cluster.end()
  }
}

async function put(database: ClusterDatabase, key: string): Promise<void> {
  await database.commit([], [{ kind: 'put', key, value: VALUE }], { durability: 'durable' })
}

function slowest(times: readonly number[]): string {
  const sorted = times.toSorted((one, other) => one - other)
  return (sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN).toFixed(2)
}
