import type { IRequestOp } from 'etcd3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEtcdPlace } from '../../../src/framework/daemon/offline/own-etcd.ts'
import { describePlace } from '../../../src/framework/model/database-place.ts'
import { wrapEtcdError } from '../../../src/framework/store/etcd/etcd-errors.ts'
import { readFailure } from '../../../src/framework/store/etcd/failure.ts'
import { Keyspace } from '../../../src/framework/store/etcd/keyspace.ts'
import { TRANSACTION_OPERATIONS_DEFAULT } from '../../../src/framework/store/etcd/limits.ts'
import { isTooOld } from '../../../src/framework/store/etcd/open-etcd-database.ts'
import { type EtcdSurvey, surveyWarnings } from '../../../src/framework/store/etcd/survey.ts'
import { packed } from '../../../src/framework/store/etcd/transaction.ts'

describe('failures of etcd', () => {
  it.each([
    [14, 'etcdserver: no leader', 'DATABASE_UNAVAILABLE'],
    [14, 'No connection established', 'DATABASE_UNAVAILABLE'],
    [8, 'etcdserver: too many requests', 'DATABASE_UNAVAILABLE'],
    [8, 'etcdserver: mvcc: database space exceeded', 'DATABASE_FULL'],
    [8, 'grpc: received message larger than max (5 vs. 4)', 'LIMIT_REACHED'],
    [3, 'etcdserver: too many operations in txn request', 'LIMIT_REACHED'],
    [3, 'etcdserver: request is too large', 'LIMIT_REACHED'],
    [3, 'etcdserver: authentication failed, invalid user ID or password', 'DATABASE_DENIED'],
    [7, 'etcdserver: permission denied', 'DATABASE_DENIED'],
    [9, 'etcdserver: authentication is not enabled', 'DATABASE_DENIED'],
    [15, 'etcdserver: corrupt cluster', 'DATABASE_CORRUPT'],
    [12, 'unknown service etcdserverpb.KV', 'DATABASE_TOO_OLD'],
    [99, 'something new', 'DATABASE_UNAVAILABLE'],
  ])('%i %s is %s', (code, details, expected) => {
    const error = wrapEtcdError('it failed', readFailure({ code, details }))
    expect(error).toMatchObject({ code: expected, details: [details] })
  })
})

describe('versions of etcd', () => {
  it.each(['2.3.8', '3.3.27', '3.0.0'])('%s is too old', (version) => expect(isTooOld(version)).toBe(true))
  it.each(['3.4.0', '3.4.23', '3.5.16', '3.6.0-rc.1', '4.0.0'])('%s will do', (version) =>
    expect(isTooOld(version)).toBe(false),
  )
})

describe('keys of a cluster', () => {
  it('are below its prefix, and those of another cluster are not in its ranges', () => {
    const keyspace = new Keyspace('demo')
    expect(keyspace.ofRecord('mastery/ha1').toString()).toBe('/haven/demo/records/mastery/ha1')
    expect(keyspace.recordOf(Buffer.from('/haven/demo/records/mastery/ha1'))).toBe('mastery/ha1')
    expect(keyspace.recordOf(keyspace.ofLane('w', 1))).toBeUndefined()
    const isIn = (key: string): boolean =>
      keyspace.whole.key.compare(Buffer.from(key)) <= 0 && keyspace.whole.range_end.compare(Buffer.from(key)) > 0
    expect(['/haven/demo/x', '/haven/demo/', '/haven/demo0', '/haven/demo-2/x', '/haven/dem/x'].map(isIn)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })
})

describe('transactions', () => {
  const operations = (count: number): IRequestOp[] =>
    Array.from({ length: count }, (_, index) => ({ request_put: { key: Buffer.from(String(index)) } }))

  /** As etcd counts: what is inside gets what the transaction around it left over. */
  function isGranted(ops: readonly IRequestOp[], comparisons: number, most = TRANSACTION_OPERATIONS_DEFAULT): boolean {
    const own = Math.max(ops.length, comparisons)
    return own <= most && ops.every(({ request_txn: inner }) => !inner || isGranted(inner.success ?? [], 0, most - own))
  }

  const flat = (ops: readonly IRequestOp[]): IRequestOp[] =>
    ops.flatMap((op) => (op.request_txn === undefined ? [op] : flat(op.request_txn.success ?? [])))

  it('hold all that is to be done, in an order and packing that etcd grants', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 64 }), (count, comparisons) => {
        const all = operations(count)
        const ops = packed(all, comparisons)
        expect(flat(ops).filter((op, index) => op === all[index])).toHaveLength(count)
        expect(isGranted(ops, comparisons)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })
})

describe('warnings about an etcd', () => {
  const answering = (url: string, memberId = url) =>
    ({ kind: 'answers', url, memberId, version: '3.5.1', sizeBytes: 1 }) as const
  const well: EtcdSurvey = {
    endpoints: ['a', 'b', 'c'].map((url) => answering(url)),
    voters: 3,
    takesBigCommits: true,
    alarms: [],
  }

  it('are none when all is well, or not known', () => {
    expect(surveyWarnings(well)).toEqual([])
    expect(surveyWarnings({ ...well, voters: undefined, takesBigCommits: undefined })).toEqual([])
  })

  it('name what should be otherwise', () => {
    expect(surveyWarnings({ ...well, voters: 2 }).join()).toContain('2 voters')
    expect(surveyWarnings({ ...well, voters: 1 }).join()).toContain('one voter only')
    expect(surveyWarnings({ ...well, voters: 5 }).join()).toContain('3 of them are named')
    const twice = [...well.endpoints, ...['a', 'b', 'c'].map((member) => answering(`${member}2`, member))]
    expect(surveyWarnings({ ...well, endpoints: twice })).toEqual([])
    expect(surveyWarnings({ ...well, endpoints: twice, voters: 5 }).join()).toContain('3 of them are named')
    expect(surveyWarnings({ ...well, takesBigCommits: false }).join()).toContain('--max-txn-ops')
    expect(surveyWarnings({ ...well, alarms: ['Nospace'] }).join()).toContain('Nospace')
    const silent = { kind: 'silent', url: 'd', why: 'refused' } as const
    expect(surveyWarnings({ ...well, endpoints: [silent] }).join()).toContain('d does not answer: refused')
  })
})

describe('places of an etcd', () => {
  it('are read as they are written', () => {
    const place = parseEtcdPlace('etcd://a:1,b,[::1]:3', {})
    expect(place?.endpoints).toEqual(['http://a:1', 'http://b:2379', 'http://[::1]:3'])
    expect(place && describePlace(place)).toBe('etcd://a:1,b:2379,[::1]:3')
    expect(parseEtcdPlace('file:/x', {})).toBeUndefined()
    expect(parseEtcdPlace('etcd://[::1]', {})?.endpoints).toEqual(['http://[::1]:2379'])
  })

  it.each(['etcd://a,,b', 'etcd://a/b', 'etcd://a:x', `etcd://${Array(33).fill('a').join(',')}`])(
    '%s is none',
    (text) => {
      expect(() => parseEtcdPlace(text, {})).toThrow(expect.objectContaining({ code: 'USAGE' }))
    },
  )
})
