import { spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey, randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cutPower } from '../../scripts/demo/clear-stage.mjs'
import type { StatusJson } from '../../src/framework/api/wire.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { readCertificate } from '../../src/framework/security/certificate.ts'
import { certify } from '../../src/framework/security/certify.ts'
import { readIdentity, writeHostCertificate } from '../../src/framework/security/identity-files.ts'
import { eventually } from '../eventually.ts'
import { missing } from './lab/missing.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
/** Of this run: others may test on the same loopback. */
const NETWORK = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
const PORT = randomInt(20_000, 30_000)
const DAY_MS = 86_400_000
/** Far longer than any command takes, on a busy machine. */
const COMMAND_MS_MAX = 60_000

interface Ran {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

describe.skipIf(missing !== undefined)(`hosts that join over TLS, on loopback${why}`, () => {
  let lab: string
  const names = ['alpha', 'beta', 'gamma', 'omega']

  beforeAll(async () => {
    lab = mkdtempSync(join(tmpdir(), 'haven-e2e-join-'))
    const setUp = ['setup', '--cluster', 'lab', '--host', 'alpha', '--database', `file:${lab}/db`]
    await scadmin('alpha', ...setUp, '--address', `${NETWORK}.1`, '--port', String(PORT))
    await scadmin('alpha', 'startcluster', 'alpha', 'lab')
    await heard('alpha')
  })
  afterAll(async () => {
    for (const name of names) await cutPower({ cgroups: [] }, { name, root: rootOf(name), key: `lab:${name}` })
    rmSync(lab, { recursive: true, force: true })
  })

  const rootOf = (name: string): string => join(lab, name)
  const logOf = (name: string): string => readFileSync(join(rootOf(name), 'var/log/haven/clustd.log'), 'utf8')

  /** Runs scadmin at a host, whatever its exit code. */
  function tryScadmin(host: string, ...words: readonly string[]): Promise<Ran> {
    const program = join(inject('workshop'), 'haven/bin/scadmin')
    const child = spawn(program, words, {
      env: { ...process.env, HAVEN_ROOT: rootOf(host) },
      timeout: COMMAND_MS_MAX,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    return new Promise((resolve) => {
      // The daemons that it starts keep nothing of it open.
      child.once('close', (code) => resolve({ exitCode: code ?? -1, out, err }))
    })
  }

  async function scadmin(host: string, ...words: readonly string[]): Promise<string> {
    const { exitCode, out, err } = await tryScadmin(host, ...words)
    expect(exitCode, `${host}: scadmin ${words.join(' ')}\n${out}${err}`).toBe(0)
    return out
  }

  const token = async (host = 'alpha'): Promise<string> => (await scadmin(host, 'token')).trim()

  /** Joins as the named host, at `NETWORK.number`, by way of `place`. */
  function tryJoin(name: string, number: number, text: string, place = `${NETWORK}.1:${PORT}`): Promise<Ran> {
    const own = ['--host', name, '--address', `${NETWORK}.${number}`, '--port', String(PORT)]
    return tryScadmin(name, 'join', place, '--token', text, ...own)
  }

  async function status(host: string): Promise<StatusJson> {
    const program = join(inject('workshop'), 'haven/bin/hastat')
    const child = spawn(program, ['--json'], { env: { ...process.env, HAVEN_ROOT: rootOf(host) } })
    let out = ''
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) out += chunk.toString()
    return JSON.parse(out) as StatusJson
  }

  /** Waits until the host answers others. */
  function heard(host: string, times = 1): Promise<true> {
    return eventually(`${host} to answer other hosts`, 20_000, (saw) => {
      const lines = logOf(host).match(/other hosts are answered/g) ?? []
      saw(lines.length)
      return lines.length >= times ? true : undefined
    })
  }

  it('joins with a token, starts, and is a member; the token is of no use to anybody else', async () => {
    const text = await token()
    const joined = await tryJoin('beta', 2, text)
    expect(joined, joined.err).toMatchObject({ exitCode: 0 })
    expect(joined.out).toContain('beta belongs to the cluster lab: alpha has let it in.')
    await scadmin('beta', 'startnode', 'lab')
    expect((await status('beta')).physicalHosts.map(({ name, membership }) => [name, membership])).toEqual([
      ['alpha', 'member'],
      ['beta', 'member'],
    ])
    const again = await tryJoin('gamma', 3, text)
    expect(again).toMatchObject({
      exitCode: 6,
      err: expect.stringContaining('was used already, by beta (TOKEN_REFUSED)'),
    })
  })

  it('shows its token to nobody but the cluster that made it', async () => {
    const setUp = ['setup', '--cluster', 'lab', '--host', 'omega', '--database', `file:${lab}/other`]
    await scadmin('omega', ...setUp, '--address', `${NETWORK}.9`, '--port', String(PORT))
    await scadmin('omega', 'startcluster', 'omega', 'lab')
    await heard('omega')
    const refused = await tryJoin('gamma', 3, await token(), `${NETWORK}.9:${PORT}`)
    expect(refused).toMatchObject({
      exitCode: 6,
      err: expect.stringContaining('does not belong to the cluster that the token is for'),
    })
    expect(logOf('omega')).not.toContain('gamma')
    await scadmin('omega', 'stopnode')
  })

  it('goes on after the connection was cut before the answer came', async () => {
    const text = await token()
    const line = await cutAnswers()
    try {
      const cut = await tryJoin('gamma', 3, text, `127.0.0.1:${(line.address() as AddressInfo).port}`)
      expect(cut).toMatchObject({ exitCode: 9, err: expect.stringContaining('(HOST_UNREACHABLE)') })
      expect(logOf('alpha')).toContain('let gamma into the cluster')
      expect((await tryScadmin('gamma', 'startnode')).err).toContain('(NOT_SET_UP)')
    } finally {
      line.close()
    }
    const again = await tryJoin('gamma', 3, text)
    expect(again, again.err).toMatchObject({ exitCode: 0 })
    await scadmin('gamma', 'startnode')
    expect((await status('gamma')).answeredBy).toBe('gamma')
  })

  it('renews a certificate whose time was over while it was off', async () => {
    await scadmin('gamma', 'stopnode')
    const identity = readIdentity(rootOf('gamma'))
    if (identity?.caKey === undefined) throw new Error('gamma has no keys')
    const longAgoMs = createRealEffects().nowWallMs() - 400 * DAY_MS
    const one = {
      cluster: 'lab',
      name: 'gamma',
      role: 'host',
      addresses: [`${NETWORK}.3`],
      nowWallMs: longAgoMs,
    } as const
    const publicKey = createPublicKey(createPrivateKey(identity.hostKey))
    const { caCertificate, caKey } = identity
    writeHostCertificate(rootOf('gamma'), await certify({ caCertificate, caKey }, one, publicKey))
    await scadmin('gamma', 'startnode')
    await heard('gamma', 2)
    expect(logOf('gamma')).toContain('renewed the certificate of this host')
    const renewed = readCertificate(readIdentity(rootOf('gamma'))?.hostCertificate ?? '')
    await eventually('all to know the new certificate of gamma', 20_000, async (saw) => {
      const known = (await status('alpha')).certificates.find(({ name }) => name === 'gamma')
      saw(known)
      return known?.validUntilWallMs === renewed.validUntilWallMs ? true : undefined
    })
  })

  it('is out for good once it was evicted, until it joins anew with another key', async () => {
    expect((await tryScadmin('alpha', 'evict', 'gamma')).err).toContain('gamma is a member of the cluster (IN_USE)')
    await scadmin('gamma', 'stopnode')
    expect(await scadmin('alpha', 'evict', 'gamma')).toContain('No certificate of gamma is accepted any more.')
    expect((await status('alpha')).physicalHosts.map(({ name }) => name)).toEqual(['alpha', 'beta'])
    const refused = await tryScadmin('gamma', 'startnode')
    expect(refused).toMatchObject({
      exitCode: 6,
      err: expect.stringContaining('gamma was taken out of the cluster for good'),
    })
    const before = readIdentity(rootOf('gamma'))
    const joined = await tryJoin('gamma', 3, await token('beta'))
    expect(joined, joined.err).toMatchObject({ exitCode: 0 })
    expect(readIdentity(rootOf('gamma'))?.hostKey).not.toBe(before?.hostKey)
    await scadmin('gamma', 'startnode')
  })

  const letIn = (): Promise<true> =>
    eventually('alpha to let gamma in', 20_000, () => (logOf('alpha').includes('let gamma into') ? true : undefined))

  /** A line to alpha that carries no answer: once a request has gone through, whatever comes back is dropped until alpha has let the host in. */
  async function cutAnswers(): Promise<Server> {
    const server = createServer((near) => {
      const far = connect(PORT, `${NETWORK}.1`)
      let sentBytes = 0
      near.on('data', (chunk: Buffer) => {
        sentBytes += chunk.length
        far.write(chunk)
      })
      far.on('data', (chunk: Buffer) => {
        // A request for a certificate alone is longer than all that a handshake sends.
        if (sentBytes < REQUEST_BYTES_MIN) near.write(chunk)
        else void letIn().then(() => near.destroy())
      })
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => other.destroy())
        one.on('close', () => other.destroy())
      }
    })
    server.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    return server
  }
})

/** Bytes that a client has sent only when its request is among them. */
const REQUEST_BYTES_MIN = 1_000
