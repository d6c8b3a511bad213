import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ClusterDatabase, WatchEvent } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { inspectEtcdDatabase } from '../../src/framework/store/etcd/inspect-etcd.ts'
import { type EtcdDatabaseOptions, openEtcdDatabase } from '../../src/framework/store/etcd/open-etcd-database.ts'
import { surveyEtcd, surveyWarnings } from '../../src/framework/store/etcd/survey.ts'
import { type EtcdCluster, missingEtcd, startEtcd } from '../etcd-process.ts'
import { eventually } from '../eventually.ts'

const QUOTA_BYTES = 16 * 1024 * 1024

let small: EtcdCluster
let other: EtcdCluster
beforeAll(async () => {
  ;[small, other] = await Promise.all([
    startEtcd({ flags: ['--quota-backend-bytes', String(QUOTA_BYTES), '--max-txn-ops', '4096'] }),
    startEtcd(),
  ])
})
afterAll(() => Promise.all([small.end(), other.end()]))

const clients: ClusterDatabase[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})

function optionsFor(etcd: EtcdCluster, cluster: string, more: Partial<EtcdDatabaseOptions> = {}): EtcdDatabaseOptions {
  const place = { kind: 'etcd', endpoints: etcd.endpoints, isManaged: false } as const
  return { place, cluster, effects: createRealEffects(), callMs: () => 5000, ...more }
}

async function connect(
  etcd: EtcdCluster,
  cluster: string,
  more: Partial<EtcdDatabaseOptions> = {},
): Promise<ClusterDatabase> {
  const client = await openEtcdDatabase({ ...optionsFor(etcd, cluster, more), create: true })
  clients.push(client)
  return client
}

function etcdctl(etcd: EtcdCluster, ...words: readonly string[]): string {
  const [endpoint = ''] = etcd.endpoints
  return execFileSync('etcdctl', ['--endpoints', endpoint, ...words], {
    env: { PATH: process.env['PATH'], ETCDCTL_API: '3' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function isCompacted(revision: number): boolean {
  try {
    etcdctl(other, 'get', '/haven/history/layout', '--rev', String(revision))
    return false
  } catch (error) {
    if (String((error as { stderr?: string }).stderr).includes('compacted')) return true
    throw error
  }
}

const durable = { durability: 'durable' } as const
const put = (key: string, value: unknown) => ({ kind: 'put', key, value: value as string }) as const

describe.skipIf(missingEtcd !== undefined)('an etcd that is full', () => {
  it('refuses commits with DATABASE_FULL, and goes on once the operator has made room', async () => {
    const a = await connect(small, 'full')
    const text = 'x'.repeat(1_000_000)
    const fill = async (): Promise<never> => {
      for (;;) await a.commit([], [put('big', text)], durable)
    }
    await expect(fill()).rejects.toMatchObject({ code: 'DATABASE_FULL' })
    await expect(a.commit([], [put('x', 1)], durable)).rejects.toMatchObject({ code: 'DATABASE_FULL' })
    const { revision, records } = await a.read()
    expect(records.get('big')?.value).toBe(text)
    const survey = await surveyEtcd({ ...optionsFor(small, 'full'), callMs: 5000 })
    expect(surveyWarnings(survey).join('\n')).toContain('the alarm Nospace')
    etcdctl(small, 'compact', String(revision))
    etcdctl(small, 'defrag')
    etcdctl(small, 'alarm', 'disarm')
    expect(await a.commit([], [put('x', 1)], durable)).toMatchObject({ kind: 'committed' })
  })
})

describe.skipIf(missingEtcd !== undefined)('limits of an etcd that was started as it comes', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => put(`many/${index}`, index))

  it('are told in words, with nothing half done', async () => {
    const a = await connect(other, 'limits')
    const guards = many(200).map(({ key }) => ({ kind: 'absent', key }) as const)
    await expect(a.commit(guards, many(1), durable)).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
      hint: expect.stringContaining('--max-txn-ops'),
    })
    const big = [put('a', 'x'.repeat(1_000_000)), put('b', 'x'.repeat(1_000_000))]
    await expect(a.commit([], big, durable)).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
      hint: expect.stringContaining('--max-request-bytes'),
    })
    expect((await a.read()).records.size).toBe(0)
  })

  it('bound the conditions of a commit, not its changes', async () => {
    const a = await connect(other, 'changes')
    const guards = many(100).map(({ key }) => ({ kind: 'absent', key }) as const)
    const outcome = await a.commit(guards, many(700), durable)
    expect(outcome).toMatchObject({ kind: 'committed' })
    const { records, revision } = await a.read()
    expect(outcome).toMatchObject({ revision })
    expect(new Set([...records.values()].map((record) => record.revision))).toEqual(new Set([revision]))
    expect(records.size).toBe(700)
    expect(await a.commit(guards, many(700), durable)).toEqual({ kind: 'lost-race', key: 'many/0' })
    expect(await a.commit([], many(2000), durable)).toMatchObject({ kind: 'committed' })
  })

  it('are known beforehand', async () => {
    const [few, enough] = await Promise.all(
      [other, small].map((etcd) => surveyEtcd({ ...optionsFor(etcd, 'x'), callMs: 5000 })),
    )
    expect([few?.takesBigCommits, enough?.takesBigCommits]).toEqual([false, true])
    expect(few).toMatchObject({ voters: 1, endpoints: [{ kind: 'answers' }] })
    expect(few === undefined ? [] : surveyWarnings(few)).toHaveLength(2)
    const a = await connect(small, 'plenty')
    expect(await a.commit([], many(3000), durable)).toMatchObject({ kind: 'committed' })
    expect((await a.read()).records.size).toBe(3000)
  })
})

describe.skipIf(missingEtcd !== undefined)('what Haven did not write', () => {
  it('is refused by name as a record, and found by a check', async () => {
    const a = await connect(other, 'junk')
    await a.commit([], [put('good', 1)], durable)
    const events: WatchEvent[] = []
    a.watch((await a.read()).revision, (event) => events.push(event))
    etcdctl(other, 'put', '/haven/junk/records/bad', 'not JSON')
    etcdctl(other, 'put', '/haven/junk/stranger', '1')
    await expect(a.read()).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining('/haven/junk/records/bad'),
    })
    await eventually('a gap', 5000, () => events.find(({ kind }) => kind === 'gap'))
    const { snapshot, problems } = await inspectEtcdDatabase(optionsFor(other, 'junk'))
    expect([...snapshot.records.keys()]).toEqual(['good'])
    expect(problems.join('\n')).toMatch(/records\/bad[\s\S]*junk\/stranger/)
    etcdctl(other, 'del', '/haven/junk/records/bad')
    expect((await a.read()).records.size).toBe(1)
  })

  it('is refused when it is a newer layout, or none', async () => {
    await expect(openEtcdDatabase(optionsFor(other, 'nothing'))).rejects.toMatchObject({ code: 'DATABASE_ABSENT' })
    etcdctl(other, 'put', '/haven/newer/layout', '{"schema":2,"more":1}')
    await expect(connect(other, 'newer')).rejects.toMatchObject({ code: 'DATABASE_NEWER' })
    etcdctl(other, 'put', '/haven/odd/layout', 'odd')
    await expect(connect(other, 'odd')).rejects.toMatchObject({ code: 'RECORD_INVALID' })
  })

  it('includes the answers of another etcd: the first that answered counts', async () => {
    const endpoints = [...other.endpoints, ...small.endpoints]
    const a = await connect(other, 'two', { place: { kind: 'etcd', endpoints, isManaged: false }, callMs: () => 600 })
    await a.commit([], [put('x', 1)], durable)
    await other.members[0]?.kill()
    await expect(a.commit([], [put('x', 2)], durable)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await expect(openEtcdDatabase(optionsFor(small, 'two'))).rejects.toMatchObject({ code: 'DATABASE_ABSENT' })
    await other.members[0]?.start()
    expect((await a.read()).records.get('x')?.value).toBe(1)
  })
})

describe.skipIf(missingEtcd !== undefined)('history', () => {
  it('is compacted by those who live long, watches that were late are told of a gap, and lanes of the dead go', async () => {
    const dead = await connect(other, 'history')
    await dead.commit([], [put('x', 0)], durable)
    const start = await dead.read()
    await dead.close()
    const lanes = (): string => etcdctl(other, 'get', '--prefix', '--keys-only', '/haven/history/writers/')
    const before = lanes()
    expect(before).toContain('/1')
    const compacting = await connect(other, 'history', { compactEveryMs: 50 })
    for (let value = 1; value <= 20; value += 1) await compacting.commit([], [put('x', value)], durable)
    await eventually('the lane of the dead to go', 10_000, () => (lanes().includes(before.trim()) ? undefined : true))
    await eventually('history to go', 10_000, () => (isCompacted(start.revision + 10) ? true : undefined))
    await compacting.close()
    const a = await connect(other, 'history')
    const events: WatchEvent[] = []
    a.watch(start.revision, (event) => events.push(event))
    await eventually('a gap', 10_000, () => events.find(({ kind }) => kind === 'gap'))
    const { revision } = await a.read()
    for (let value = 21; value <= 25; value += 1) {
      // Nobody who commits seldom notices that his own lane was taken for that of a dead one.
      etcdctl(other, 'del', '--prefix', '/haven/history/writers/')
      expect(await a.commit([], [put('x', value)], durable)).toMatchObject({ kind: 'committed' })
    }
    const told = (): unknown[] =>
      events.flatMap((event) =>
        event.kind === 'changed' && event.revision > revision
          ? event.changes.map((change) => change.kind === 'put' && change.record.value)
          : [],
      )
    await eventually('all that came later', 10_000, (saw) => {
      saw(told())
      return told().length >= 5 ? true : undefined
    })
    expect(told()).toEqual([21, 22, 23, 24, 25])
  })
})
