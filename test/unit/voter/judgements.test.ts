import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROFILES } from '../../../src/framework/membership/check-timings.ts'
import type { VoterStatus } from '../../../src/framework/ports/voters.ts'
import { boundLog, readLastLines } from '../../../src/framework/voter/bounded-log.ts'
import { complaintOf } from '../../../src/framework/voter/complaints.ts'
import { etcdFlags, isReachedAt, tuningOfFlags } from '../../../src/framework/voter/etcd-flags.ts'
import { findEtcd } from '../../../src/framework/voter/find-etcd.ts'
import { orderEndpoints } from '../../../src/framework/voter/order-endpoints.ts'
import { removalProblem, voterWarnings } from '../../../src/framework/voter/quorum.ts'
import { guardProblem, tuningForGuard } from '../../../src/framework/voter/tuning.ts'
import {
  localEndpoint,
  readVoterFile,
  type VoterFile,
  writeVoterFile,
} from '../../../src/framework/voter/voter-file.ts'
import { voterPaths } from '../../../src/framework/voter/voter-paths.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'haven-voter-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('tuning', () => {
  test('fits every profile, which etcd then leaves alone', () => {
    const tuned = Object.entries(PROFILES).map(([name, { guardMs }]) => [name, tuningForGuard(guardMs)] as const)
    expect(Object.fromEntries(tuned)).toEqual({
      default: { heartbeatMs: 50, electionMs: 500 },
      fast: { heartbeatMs: 20, electionMs: 200 },
      relaxed: { heartbeatMs: 100, electionMs: 1000 },
    })
    for (const { guardMs } of Object.values(PROFILES)) expect(guardProblem(guardMs, tuningForGuard(guardMs))).toBe('')
  })

  test('has its ends, and says what a shorter guard risks', () => {
    expect(tuningForGuard(300)).toEqual({ heartbeatMs: 20, electionMs: 200 })
    expect(tuningForGuard(60_000)).toEqual({ heartbeatMs: 100, electionMs: 1000 })
    expect(guardProblem(300, tuningForGuard(300))).toContain('Set guardMs to 520 at least')
    expect(guardProblem(1500, { heartbeatMs: 100, electionMs: 1000 })).toContain('guardMs is 1500')
  })
})

describe('number and health of voters', () => {
  const voter = (name: string, change: Partial<VoterStatus> = {}): VoterStatus => ({
    ...{ name, endpoint: `http://${name}:7412`, endpoints: [`http://${name}:7412`], silent: [] },
    ...{ peerUrls: [`http://${name}:7413`], role: 'follower', isHealthy: true },
    ...{ complaint: '', lag: 0, sizeBytes: 1, version: '3.4.23' },
    ...change,
  })
  const away = { isHealthy: false, complaint: 'it does not answer' }

  test('one and two tolerate no loss, four no more than three, three and five are well', () => {
    expect(voterWarnings([voter('a')])).toEqual([expect.stringContaining('One voter tolerates no loss')])
    expect(voterWarnings([voter('a'), voter('b')])).toEqual([
      'Two voters tolerate no loss: add a witness (scadmin witness).',
    ])
    expect(voterWarnings(['a', 'b', 'c', 'd'].map((name) => voter(name)))).toHaveLength(1)
    expect(voterWarnings(['a', 'b', 'c'].map((name) => voter(name)))).toEqual([])
    expect(voterWarnings(['a', 'b', 'c', 'd', 'e'].map((name) => voter(name)))).toEqual([])
  })

  test('one that is reached at two addresses is one; where it does not answer is said', () => {
    const endpoints = ['http://a1:7412', 'http://a2:7412']
    const twice = (name: string): VoterStatus => voter(name, { endpoints })
    expect(voterWarnings(['a', 'b'].map(twice))).toEqual([expect.stringContaining('Two voters tolerate no loss')])
    expect(voterWarnings(['a', 'b', 'c'].map(twice))).toEqual([])
    const half = voter('c', { endpoint: 'http://c2:7412', silent: ['http://c1:7412'] })
    expect(voterWarnings([twice('a'), twice('b'), half])).toEqual([
      'The voter c does not answer at http://c1:7412; it does at http://c2:7412.',
    ])
  })

  test('clients try another voter in another network next', () => {
    const one = ['a1', 'a2']
    expect(orderEndpoints([one, ['b1', 'b2'], ['c1', 'c2']])).toEqual(['a1', 'b2', 'c1', 'a2', 'b1', 'c2'])
    expect(orderEndpoints([one, ['b1'], []])).toEqual(['a1', 'b1', 'a2'])
    expect(orderEndpoints([])).toEqual([])
  })

  test('a learner does not count', () => {
    expect(voterWarnings([voter('a'), voter('b', { role: 'learner' })])).toHaveLength(1)
    expect(voterWarnings([voter('a'), voter('b'), voter('c'), voter('d', { role: 'learner' })])).toEqual([])
  })

  test('says when no further one may be lost, and when too many are', () => {
    expect(voterWarnings([voter('a'), voter('b'), voter('c', away)])).toEqual([
      'The voter c is not well: it does not answer.',
      'No further voter may be lost now, or the cluster database stops.',
    ])
    expect(voterWarnings([voter('a'), voter('b', away), voter('c', away)]).at(-1)).toContain('Too many voters are lost')
  })

  test.each([
    ['the only one', [voter('a')], 'a', 'a is the only voter: without it there is no database'],
    ['one of two', [voter('a'), voter('b')], 'a', ''],
    [
      'the healthy one of two',
      [voter('a'), voter('b', away)],
      'a',
      'without a, 1 of 1 voters must be well, and b is not',
    ],
    ['the sick one of three', [voter('a'), voter('b'), voter('c', away)], 'c', ''],
    [
      'a healthy one of three of which one is sick',
      [voter('a'), voter('b'), voter('c', away)],
      'a',
      'without a, 2 of 2 voters must be well, and c is not',
    ],
    ['a learner', [voter('a'), voter('b', { role: 'learner' })], 'b', ''],
    ['nobody', [voter('a')], 'x', ''],
  ])('taking out %s', (_what, voters, name, problem) => {
    expect(removalProblem(voters, name)).toBe(problem)
  })
})

describe('what etcd says when it ends', () => {
  const line = (level: string, msg: string, error?: string): string => JSON.stringify({ level, msg, error })

  test.each([
    ['fatal', 'failed to save', 'write /x/wal: no space left on device', 'the disk with its data is full'],
    ['fatal', 'discovery failed', 'listen tcp 10.0.0.1:7412: bind: address already in use', 'has its port'],
    ['fatal', 'x', 'bind: cannot assign requested address', 'does not have its address'],
    ['panic', 'failed to open database', 'invalid database', 'its data are damaged'],
    ['fatal', 'request cluster ID mismatch', undefined, 'of another cluster'],
    ['fatal', 'open /x/member/wal: permission denied', undefined, 'cannot be written'],
    ['fatal', 'member a1 has already been bootstrapped', undefined, 'its data are gone'],
  ])('%s: %s %s', (level, msg, error, what) => {
    const complaint = complaintOf([line('info', 'certificate'), line(level, msg, error)])
    expect(complaint.what).toContain(what)
    expect(complaint.remedy).not.toBe('')
  })

  test('what is not known is shown as it is; nothing said is said', () => {
    expect(complaintOf([line('fatal', 'quite new')]).what).toBe('etcd says: quite new')
    expect(complaintOf([line('info', 'all is well: no space left on device')]).what).toBe('etcd does not say why')
    expect(complaintOf([]).what).toBe('etcd does not say why')
  })
})

describe('the program', () => {
  const program = (name: string, says: string): string => {
    const bin = join(directory, name)
    mkdirSync(bin)
    writeFileSync(join(bin, 'etcd'), `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 })
    return bin
  }

  test('is found, is missing, is too old, does not run: said in words', async () => {
    await expect(findEtcd([program('right', 'etcd Version: 3.4.0')])).resolves.toMatchObject({ version: '3.4.0' })
    await expect(findEtcd([program('later', 'etcd Version: 4.0.1')])).resolves.toMatchObject({ version: '4.0.1' })
    await expect(findEtcd([join(directory, 'empty')])).rejects.toMatchObject({
      code: 'ETCD_UNUSABLE',
      hint: expect.stringContaining('apt install etcd-server') as string,
    })
    await expect(findEtcd([program('old', 'etcd Version: 3.3.25')])).rejects.toThrow('is version 3.3.25, and 3.4 is')
    await expect(findEtcd([program('mute', 'hello')])).rejects.toThrow('says no version')
  })
})

describe('files', () => {
  test('a log is cut while its writer keeps it open, and its former content kept', () => {
    const path = join(directory, 'etcd.log')
    writeFileSync(path, 'first\n'.repeat(100))
    boundLog(path, 1000)
    expect(readFileSync(path, 'utf8')).toBe('first\n'.repeat(100))
    boundLog(path, 100)
    expect(readFileSync(path, 'utf8')).toBe('')
    expect(readFileSync(`${path}.1`, 'utf8')).toContain('first')
    writeFileSync(path, 'second\n'.repeat(100))
    boundLog(path, 100)
    expect(readFileSync(`${path}.2`, 'utf8')).toContain('first')
    expect(readLastLines(`${path}.1`).at(-1)).toBe('second')
    expect(readLastLines(join(directory, 'none'))).toEqual([])
  })

  test('the command line says the tuning, TLS, and no loopback twice', () => {
    const flags = etcdFlags('/root', VOTER)
    expect(tuningOfFlags(flags)).toEqual(VOTER.tuning)
    expect(tuningOfFlags(['--name=a'])).toBeUndefined()
    expect(flags).toContain('--listen-client-urls=https://10.0.0.1:7412,https://127.0.0.1:7412')
    expect(flags).toContain('--client-cert-auth=true')
    const plain = etcdFlags('/root', { ...VOTER, isTls: false, addresses: ['127.0.0.9'] })
    expect(plain).toContain('--listen-client-urls=http://127.0.0.9:7412')
    expect(plain.some((flag) => flag.includes('cert'))).toBe(false)
    expect(plain).toContain('--listen-peer-urls=http://127.0.0.9:7413')
    const six = etcdFlags('/root', { ...VOTER, addresses: ['fd00::1'] })
    expect(six).toContain('--listen-client-urls=https://[fd00::1]:7412,https://[::1]:7412')
  })

  test('one of several addresses that is not there keeps etcd from nothing: certificates say who may speak to it', () => {
    const two = { ...VOTER, addresses: ['10.0.0.1', 'fd00::1'] }
    const flags = etcdFlags('/root', two)
    expect(flags).toContain('--listen-client-urls=https://0.0.0.0:7412')
    expect(flags).toContain('--listen-peer-urls=https://0.0.0.0:7413')
    expect(flags).toContain('--advertise-client-urls=https://10.0.0.1:7412,https://[fd00::1]:7412')
    expect(flags).toContain('--initial-advertise-peer-urls=https://10.0.0.1:7413,https://[fd00::1]:7413')
    expect(localEndpoint(two)).toBe('https://127.0.0.1:7412')
    const plain = etcdFlags('/root', { ...two, isTls: false })
    expect(plain).toContain('--listen-peer-urls=http://10.0.0.1:7413,http://[fd00::1]:7413')
    const neighbours = etcdFlags('/root', { ...VOTER, addresses: ['127.0.0.8', '127.0.0.9'] })
    expect(neighbours).toContain('--listen-client-urls=https://127.0.0.8:7412,https://127.0.0.9:7412')
  })

  test('it is known by the command line whether an etcd is reached where its file says', () => {
    const flags = etcdFlags('/root', VOTER)
    expect(isReachedAt(flags, VOTER)).toBe(true)
    expect(isReachedAt(flags, { ...VOTER, tuning: { heartbeatMs: 1, electionMs: 10 } })).toBe(true)
    expect(isReachedAt(flags, { ...VOTER, addresses: ['10.0.0.1', '10.0.1.1'] })).toBe(false)
  })

  test('the file of a voter is read with the one address that it had before there could be several', () => {
    const { file } = voterPaths(join(directory, 'former'))
    const { addresses: _, ...rest } = VOTER
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify({ schema: 1, ...rest, address: '10.0.0.1' }))
    expect(readVoterFile(join(directory, 'former'))).toEqual(VOTER)
    writeVoterFile(join(directory, 'former'), { ...VOTER, addresses: ['10.0.0.1', '10.0.1.1'] })
    expect(readVoterFile(join(directory, 'former'))?.addresses).toEqual(['10.0.0.1', '10.0.1.1'])
    for (const addresses of [[], ['x'], Array.from({ length: 5 }, (_none, at) => `10.0.${at}.1`)]) {
      writeFileSync(file, JSON.stringify({ schema: 1, ...rest, addresses }))
      expect(() => readVoterFile(join(directory, 'former'))).toThrow('is not as it should be')
    }
  })
})

const VOTER: VoterFile = {
  id: 'x',
  cluster: 'lab',
  name: 'alpha',
  addresses: ['10.0.0.1'],
  clientPort: 7412,
  peerPort: 7413,
  token: 'lab-x',
  initialCluster: 'alpha=https://10.0.0.1:7413',
  initialState: 'new',
  isTls: true,
  tuning: { heartbeatMs: 50, electionMs: 500 },
  others: [],
  isAlone: false,
  hasStarted: false,
}
