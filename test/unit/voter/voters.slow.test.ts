import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { dirname, join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { recoverAlone } from '../../../src/framework/daemon/offline/managed-etcd.ts'
import { readVoterFile } from '../../../src/framework/voter/voter-file.ts'
import { voterPaths } from '../../../src/framework/voter/voter-paths.ts'
import { eventually } from '../../eventually.ts'
import { missing, type VoterMachine, VoterRig, WITHIN_MS } from './voter-rig.ts'

/** Joins in a row wait until etcd has seen its voters together for five seconds. */
const TIMEOUT_MS = 120_000

describe.skipIf(missing !== undefined)('one voter', { timeout: TIMEOUT_MS }, () => {
  let rig: VoterRig
  let alpha: VoterMachine
  beforeAll(async () => {
    rig = await VoterRig.create()
  })
  beforeEach(() => {
    alpha = rig.another()
  })
  afterAll(() => rig.end())

  test('ends with its supervisor when that is told to end, and is started again by being asked for', async () => {
    await alpha.begin()
    await alpha.keep('a', 'kept')
    await alpha.stop()
    expect(alpha.etcdPid()).toBeUndefined()
    expect(alpha.state()?.phase).toBe('stopped')
    await alpha.begin()
    expect(await alpha.read('a')).toBe('kept')
  })

  test('has one supervisor', async () => {
    await alpha.begin()
    const second = spawnSync(process.execPath, [join(rig.installation, 'bin/voterd')], {
      env: { ...process.env, HAVEN_ROOT: alpha.root },
      encoding: 'utf8',
    })
    expect(second).toMatchObject({ status: 6, stderr: `voterd: another voterd runs below ${alpha.root} already\n` })
  })

  test('says that its data are damaged, and what to do', async () => {
    await alpha.begin()
    await alpha.stop()
    writeFileSync(join(voterPaths(alpha.root).data, 'member/snap/db'), Buffer.alloc(100_000, 7))
    alpha.supervise()
    const state = await alpha.reaches('to complain', ({ complaint }) => complaint.includes('damaged'))
    expect(state.remedy).toContain('scadmin voters remove')
    expect(existsSync(`${voterPaths(alpha.root).data}.former`)).toBe(false)
  })

  test('writes what it is only when it is', async () => {
    await alpha.begin()
    expect(readVoterFile(alpha.root)).toMatchObject({ name: alpha.name, hasStarted: true, initialState: 'new' })
    expect(readFileSync(voterPaths(alpha.root).supervisorLog, 'utf8')).toContain(`${alpha.name} at http://`)
    await expect(alpha.ask((voters) => voters.list())).resolves.toMatchObject([
      { name: alpha.name, role: 'leader', isHealthy: true, lag: 0, complaint: '' },
    ])
    await expect(alpha.ask((voters) => voters.remove(alpha.name))).rejects.toMatchObject({ code: 'VOTERS_UNSAFE' })
    await expect(alpha.ask((voters) => voters.remove('nobody'))).resolves.toBeUndefined()
  })

  test('takes only clients of its own authority, and its next certificate without being started again', async () => {
    const { tls } = voterPaths(alpha.root)
    mkdirSync(dirname(tls.ca), { recursive: true })
    makeAuthority(dirname(tls.ca))
    certify(dirname(tls.ca), alpha.address, 7)
    await alpha.begin({ isTls: true })
    const [voter] = await alpha.ask((voters) => voters.list(), 'https')
    expect(voter).toMatchObject({ role: 'leader', isHealthy: true })
    expect(await serialOf(alpha)).toBe('07')
    certify(dirname(tls.ca), alpha.address, 8)
    expect(await serialOf(alpha)).toBe('08')
    expect(alpha.state()?.starts).toBe(1)
    expect(await isAnswered(`http://${alpha.address}:7412/version`)).toBe(false)
    expect(await isAnswered(`https://${alpha.address}:7412/version`)).toBe(false)
  })
})

describe.skipIf(missing !== undefined)('three voters', { timeout: TIMEOUT_MS }, () => {
  let rig: VoterRig
  let alpha: VoterMachine
  let beta: VoterMachine
  let gamma: VoterMachine
  beforeEach(async () => {
    rig = await VoterRig.create()
    const [one, two, three] = await rig.cluster('alpha', 'beta', 'gamma')
    if (one === undefined || two === undefined || three === undefined) throw new Error('there are three')
    ;[alpha, beta, gamma] = [one, two, three]
    return () => rig.end()
  })

  test('each begins as a learner and is promoted; one that is lost is replaced by a new machine of its name', async () => {
    expect(await rolesOf(alpha)).toEqual(['follower', 'follower', 'leader'])
    await alpha.keep('a', 'kept')
    await gamma.lose()
    await eventually('gamma to be missed', WITHIN_MS, async () => {
      const listed = await alpha.ask((voters) => voters.list())
      return listed.some(({ name, isHealthy }) => name === 'gamma' && !isHealthy) || undefined
    })
    const again = rig.machine('gamma2')
    const { endpoints, initialCluster } = await alpha.ask((voters) =>
      voters.admit({ name: 'gamma', addresses: again.addresses }),
    )
    expect(endpoints).toEqual([alpha.endpoint, beta.endpoint, again.endpoint])
    expect(initialCluster).not.toContain(gamma.address)
    await again.joinAs('gamma', alpha)
    expect(await rolesOf(beta)).toEqual(['follower', 'follower', 'leader'])
    expect(await again.read('a')).toBe('kept')
  })

  test('none is taken out while the rest would be no majority, nor replaced while it is alive', async () => {
    await beta.lose()
    await expect(alpha.ask((voters) => voters.remove('gamma'))).rejects.toMatchObject({
      code: 'VOTERS_UNSAFE',
      message: 'the voter gamma is not taken out: without gamma, 2 of 2 voters must be well, and beta is not',
    })
    const other = { name: 'gamma', addresses: rig.machine('gamma2').addresses }
    await expect(alpha.ask((voters) => voters.admit(other))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await alpha.ask((voters) => voters.remove('beta'))
    expect(await rolesOf(alpha)).toHaveLength(2)
    await alpha.lose()
    await expect(gamma.ask((voters) => voters.remove('alpha'))).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })

  test('the leader hands over when it is taken out, and knows that it was; it may join again', async () => {
    const leader = [alpha, beta, gamma].find(({ name }) => name === 'alpha') ?? alpha
    await beta.ask((voters) => voters.remove('alpha'))
    const state = await leader.reaches('to know that it was taken out', ({ phase }) => phase === 'removed')
    expect(state.complaint).toBe('alpha was taken out of the voters')
    expect(leader.etcdPid()).toBeUndefined()
    await leader.joinAs('alpha', beta)
    expect(await rolesOf(beta)).toEqual(['follower', 'follower', 'leader'])
    expect(existsSync(`${voterPaths(leader.root).data}.former`)).toBe(true)
  })

  test('one that is admitted and never starts is shown, blocks a further one, and is admitted again', async () => {
    const fourth = { name: 'delta', addresses: rig.machine('delta').addresses }
    const admission = await alpha.ask((voters) => voters.admit(fourth))
    expect(await alpha.ask((voters) => voters.admit(fourth))).toEqual(admission)
    const listed = await alpha.ask((voters) => voters.list())
    expect(listed).toContainEqual(
      expect.objectContaining({ name: rig.machine('delta').address, role: 'joining', isHealthy: false }),
    )
    const fifth = { name: 'epsilon', addresses: rig.machine('epsilon').addresses }
    await expect(alpha.ask((voters) => voters.admit(fifth))).rejects.toMatchObject({ code: 'VOTERS_UNSAFE' })
    await alpha.ask((voters) => voters.remove(rig.machine('delta').address))
    expect(await rolesOf(alpha)).toHaveLength(3)
  })

  test('when the majority is lost for good, one goes on alone with what it knows, and those that come back are not let in', async () => {
    await gamma.keep('a', 'kept')
    await eventually('alpha to know it', WITHIN_MS, async () => (await alpha.read('a')) === 'kept' || undefined)
    const host = { root: alpha.root, installation: rig.installation }
    await expect(recoverAlone(host, ['beta', 'gamma'])).rejects.toMatchObject({
      code: 'VOTERS_UNSAFE',
      message: 'not lost, for they answer: beta, gamma',
    })
    await beta.lose()
    await gamma.lose()
    await alpha.reaches('to have no leader', ({ complaint }) => complaint.includes('it knows no leader'))
    await expect(recoverAlone(host, ['beta'])).rejects.toMatchObject({ code: 'USAGE' })
    await recoverAlone(host, ['gamma', 'beta'])
    await eventually('alpha to serve alone', WITHIN_MS, async () => {
      const listed = await alpha.ask((voters) => voters.list())
      return (listed.length === 1 && listed[0]?.isHealthy) || undefined
    })
    expect(await alpha.read('a')).toBe('kept')
    await eventually(
      'alpha to start like any other from now on',
      WITHIN_MS,
      () => readVoterFile(alpha.root)?.isAlone === false || undefined,
    )
    beta.supervise()
    gamma.supervise()
    for (const back of [beta, gamma]) await back.reaches('to stay out', ({ phase }) => phase === 'removed')
    expect([beta.etcdPid(), gamma.etcdPid()]).toEqual([undefined, undefined])
    await beta.join(alpha)
    expect(await rolesOf(alpha)).toEqual(['follower', 'leader'])
    expect(await beta.read('a')).toBe('kept')
  })

  test('are started anew one after the other when the guard of the cluster changes', async () => {
    const timings = JSON.stringify({ timings: { guardMs: 600 } })
    await alpha.write('/haven/lab/records/cluster', timings)
    for (const machine of [alpha, beta, gamma]) {
      await eventually(`${machine.name} to be tuned`, 90_000, (saw) => {
        const { tuning } = readVoterFile(machine.root) ?? {}
        saw(tuning)
        return tuning?.electionMs === 200 || undefined
      })
      await machine.reaches('to run again', ({ phase, complaint, starts }) => {
        return phase === 'running' && complaint === '' && starts === 2
      })
    }
    expect(await rolesOf(alpha)).toEqual(['follower', 'follower', 'leader'])
  })
})

async function rolesOf(machine: VoterMachine): Promise<readonly string[]> {
  const listed = await machine.ask((voters) => voters.list())
  return listed.map(({ role }) => role).toSorted()
}

function makeAuthority(directory: string): void {
  openssl(
    directory,
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=authority',
  )
}

function certify(directory: string, address: string, serial: number): void {
  const extensions = `subjectAltName=IP:${address},IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n`
  writeFileSync(join(directory, 'extensions'), extensions)
  openssl(
    directory,
    'req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout host.key.new -out host.csr -subj /CN=alpha',
  )
  openssl(
    directory,
    `x509 -req -in host.csr -CA ca.crt -CAkey ca.key -set_serial ${serial} -days 2 -extfile extensions -out host.crt.new`,
  )
  execFileSync('mv', ['host.key.new', 'host.key'], { cwd: directory })
  execFileSync('mv', ['host.crt.new', 'host.crt'], { cwd: directory })
}

function openssl(directory: string, words: string): void {
  execFileSync('openssl', words.split(' '), { cwd: directory, stdio: 'ignore' })
}

/** Whether etcd answers one who shows no certificate. */
function isAnswered(url: string): Promise<boolean> {
  const get = url.startsWith('https:') ? httpsGet : httpGet
  return new Promise((resolve) => {
    get(url, { rejectUnauthorized: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    }).on('error', () => resolve(false))
  })
}

/** The serial number of the certificate that etcd shows now. */
async function serialOf({ root, address }: VoterMachine): Promise<string> {
  const { ca, certificate, key } = voterPaths(root).tls
  const files = { ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key) }
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: 7412, ...files }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
