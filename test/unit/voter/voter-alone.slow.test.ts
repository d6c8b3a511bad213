import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { dirname, join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readVoterFile } from '../../../src/framework/voter/voter-file.ts'
import { voterPaths } from '../../../src/framework/voter/voter-paths.ts'
import { missing, type VoterMachine, VoterRig } from './voter-rig.ts'

describe.skipIf(missing !== undefined)('one voter', { timeout: 60_000 }, () => {
  let rig: VoterRig
  let alpha: VoterMachine
  beforeAll(async () => {
    rig = await VoterRig.create()
  })
  beforeEach(() => {
    alpha = rig.another()
  })
  afterAll(() => rig.end())

  test('is back after it was killed, with what it knew', async () => {
    await alpha.begin()
    await alpha.keep('a', 'kept')
    const before = alpha.etcdPid()
    alpha.killEtcd()
    await alpha.reaches('to have started etcd again', ({ phase, starts }) => phase === 'running' && starts === 2)
    expect(alpha.etcdPid()).not.toBe(before)
    expect(await alpha.read('a')).toBe('kept')
  })

  test('goes on without its supervisor, and the next one takes it over', async () => {
    await alpha.begin()
    const etcd = alpha.etcdPid()
    await alpha.killSupervisor()
    expect(await alpha.read('a')).toBeUndefined()
    alpha.supervise()
    await alpha.reaches('to be supervised again', ({ phase, starts }) => phase === 'running' && starts === 0)
    expect(alpha.etcdPid()).toBe(etcd)
    alpha.killEtcd()
    await alpha.reaches('to have started etcd again', ({ phase, starts }) => phase === 'running' && starts === 1)
  })

  test('is never made anew when its data are gone', async () => {
    await alpha.begin()
    await alpha.keep('a', 'kept')
    await alpha.stop()
    const { data } = voterPaths(alpha.root)
    renameSync(data, `${data}.away`)
    alpha.supervise()
    const state = await alpha.reaches('to complain', ({ phase, complaint }) => phase === 'failing' && complaint !== '')
    expect(state.complaint).toBe(`the data of the voter ${alpha.name} are gone from ${data}`)
    expect(state.remedy).toContain('It was the only voter. Mount its disk again')
    rmSync(data, { recursive: true, force: true })
    renameSync(`${data}.away`, data)
    await alpha.reaches('to serve again', ({ phase, complaint }) => phase === 'running' && complaint === '')
    expect(await alpha.read('a')).toBe('kept')
  })

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
