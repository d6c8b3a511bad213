import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EtcdPlace } from '../../src/framework/model/database-place.ts'
import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openEtcdDatabase } from '../../src/framework/store/etcd/open-etcd-database.ts'
import { type EtcdCluster, missingEtcd, startEtcd } from '../etcd-process.ts'
import { eventually } from '../eventually.ts'

const network = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
let directory: string
let etcd: EtcdCluster
const file = (name: string): string => join(directory, name)

function openssl(line: string): void {
  execFileSync('openssl', line.split(' '), { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Makes an authority of its own, or a certificate of one. */
function makeCertificate(name: string, authority?: string): void {
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  const names = `-addext subjectAltName=IP:${network}.1,DNS:localhost`
  if (authority === undefined)
    openssl(`req -x509 ${key} -subj /CN=${name} -days 2 -keyout ${name}.key -out ${name}.crt`)
  else {
    openssl(`req ${key} -subj /CN=${name} ${names} -keyout ${name}.key -out ${name}.csr`)
    const signed = `-CA ${authority}.crt -CAkey ${authority}.key -CAcreateserial -days 2 -copy_extensions copy`
    openssl(`x509 -req -in ${name}.csr ${signed} -out ${name}.crt`)
  }
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'haven-etcd-tls-'))
  makeCertificate('ca')
  makeCertificate('stranger')
  makeCertificate('server', 'ca')
  makeCertificate('host', 'ca')
  etcd = await startEtcd({
    network,
    tls: { ca: file('ca.crt'), certificate: file('server.crt'), key: file('server.key') },
  })
})
afterAll(async () => {
  await etcd.end()
  rmSync(directory, { recursive: true })
})

const tls = () => ({ ca: file('ca.crt'), certificate: file('host.crt'), key: file('host.key') })

async function use<Result>(
  place: Partial<EtcdPlace>,
  work: (client: ClusterDatabase) => Promise<Result>,
  { callMs = 5000, openWithinMs = 10_000 } = {},
): Promise<Result> {
  const client = await openEtcdDatabase({
    place: { kind: 'etcd', endpoints: etcd.endpoints, isManaged: false, ...place },
    cluster: 'demo',
    effects: createRealEffects(),
    create: true,
    callMs: () => callMs,
    openWithinMs,
  })
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

const commit = (client: ClusterDatabase) =>
  client.commit([], [{ kind: 'put', key: 'x', value: 1 }], { durability: 'durable' })

describe.skipIf(missingEtcd !== undefined)('etcd with TLS', () => {
  it('is used with a certificate of its authority: commits and watches', async () => {
    await use({ tls: tls() }, async (client) => {
      const told: unknown[] = []
      client.watch((await client.read()).revision, (event) => told.push(event))
      const outcome = await commit(client)
      expect(outcome.kind).toBe('committed')
      await eventually('the change', 5000, () => told[0])
    })
  })

  it('is not spoken to when it is certified by somebody else, and does not let in who shows nothing', async () => {
    await expect(
      use({ tls: { ...tls(), ca: file('stranger.crt') } }, commit, { openWithinMs: 1000 }),
    ).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      details: [expect.stringMatching(/certificate/)],
    })
    await expect(use({ tls: { ca: file('ca.crt') } }, commit, { openWithinMs: 1000 })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    })
    await expect(use({ tls: { ...tls(), ca: file('none') } }, commit, { openWithinMs: 1000 })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      details: [expect.stringContaining('ENOENT')],
    })
  })
})

describe.skipIf(missingEtcd !== undefined)('etcd with users', () => {
  it('is used with the password of a user who may, and refuses everybody else in words', async () => {
    const users = await startEtcd()
    const [endpoint = ''] = users.endpoints
    const etcdctl = (...words: readonly string[]): void => {
      const env = { PATH: process.env['PATH'], ETCDCTL_API: '3' }
      execFileSync('etcdctl', ['--endpoints', endpoint, ...words], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    }
    try {
      etcdctl('user', 'add', 'root:geheim')
      etcdctl('user', 'grant-role', 'root', 'root')
      etcdctl('user', 'add', 'haven:pass word')
      etcdctl('role', 'add', 'haven')
      etcdctl('role', 'grant-permission', 'haven', 'readwrite', '--prefix', '/haven/')
      etcdctl('user', 'grant-role', 'haven', 'haven')
      etcdctl('user', 'add', 'guest:guest')
      etcdctl('auth', 'enable')
      writeFileSync(file('good'), 'pass word\n')
      writeFileSync(file('guest'), 'guest')
      const as = (user: string, passwordFile: string) => ({
        endpoints: users.endpoints,
        login: { user, passwordFile: file(passwordFile) },
      })
      expect(await use(as('haven', 'good'), commit)).toMatchObject({ kind: 'committed' })
      await expect(use(as('haven', 'guest'), commit)).rejects.toMatchObject({ code: 'DATABASE_DENIED' })
      await expect(use(as('guest', 'guest'), commit)).rejects.toMatchObject({ code: 'DATABASE_DENIED' })
      await expect(use({ endpoints: users.endpoints }, commit)).rejects.toMatchObject({ code: 'DATABASE_DENIED' })
      // Tokens are lost with the member that gave them out.
      await use(as('haven', 'good'), async (client) => {
        await commit(client)
        await users.members[0]?.kill()
        await users.members[0]?.start()
        await eventually('a commit', 10_000, () => commit(client).catch(() => undefined))
      })
    } finally {
      await users.end()
    }
  })
})
