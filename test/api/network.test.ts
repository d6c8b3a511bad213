import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OPEN_TO_NETWORK } from '../../src/framework/api/network-policy.ts'
import type { EvictedJson } from '../../src/framework/api/wire.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { fetchAuthority } from '../../src/framework/security/call-over-tls.ts'
import { type CertificateFacts, fingerprintOf, readCertificate } from '../../src/framework/security/certificate.ts'
import { makeFirstIdentity } from '../../src/framework/security/certify.ts'
import { writeHostPlaces, writePlace } from '../../src/framework/security/host-places.ts'
import { readIdentity, writeIdentity } from '../../src/framework/security/identity-files.ts'
import { fingerprintOfPrivateKey, makePrivateKey } from '../../src/framework/security/keys.ts'
import { makeRequest } from '../../src/framework/security/make-certificates.ts'
import { renewFromHosts } from '../../src/framework/security/renew.ts'
import { expectServed, NetworkWorld } from './network-world.ts'

let world: NetworkWorld

/** One world for all tests of a part, or one for each where they would be in each other's way. */
function usesWorld(each: 'part' | 'test'): void {
  const [before, after] = each === 'part' ? [beforeAll, afterAll] : [beforeEach, afterEach]
  before(async () => {
    world = await NetworkWorld.make()
  })
  after(() => world.close())
}

const refusal = (code: string, message: string): object => ({
  status: code === 'USAGE' ? 400 : 409,
  value: { code, message: expect.stringContaining(message) },
})

describe('over the network', () => {
  usesWorld('part')

  it('every route of the table is there', () => {
    for (const route of Object.keys(OPEN_TO_NETWORK)) {
      const [method, url = ''] = route.split(' ')
      expect(world.network.app.hasRoute({ method: method as 'GET', url }), route).toBe(true)
    }
  })

  it('a host may look, and changes nothing', async () => {
    const own = world.alpha
    expect(await world.ask('GET', '/v1/status', { own })).toMatchObject({ status: 200, value: { cluster: 'test' } })
    const programs = ['/opt/web/start']
    expect(await world.ask('POST', '/v1/host/programs', { own, body: { programs } })).toMatchObject({ status: 200 })
    const refused: readonly (readonly ['GET' | 'POST', string])[] = [
      ['POST', '/v1/reconfigurations'],
      ['POST', '/v1/configuration/change'],
      ['POST', '/v1/services'],
      ['POST', '/v1/leave'],
      ['POST', '/v1/tokens'],
      ['POST', '/v1/evict'],
      ['POST', '/v1/database/restore'],
      ['GET', '/v1/database/backup'],
      ['GET', '/v1/configuration/export'],
    ]
    for (const [method, path] of refused)
      expect(await world.ask(method, path, { own, ...(method === 'POST' && { body: {} }) }), path).toMatchObject(
        refusal('CERTIFICATE_REFUSED', 'is not for other hosts'),
      )
    expect(await world.ask('GET', '/v1/nowhere', { own })).toMatchObject({ status: 404 })
  })

  it('a witness may look at little', async () => {
    const own = await world.admitted('w1', 'witness')
    expect(await world.ask('GET', '/v1/identity', { own })).toMatchObject({ status: 200 })
    expect(await world.ask('GET', '/v1/status', { own })).toMatchObject(
      refusal('CERTIFICATE_REFUSED', 'is not for witnesses'),
    )
  })

  it('whoever shows no certificate may knock and join', async () => {
    expect(await world.ask('GET', '/v1/ping')).toMatchObject({ status: 200 })
    for (const path of ['/v1/identity', '/v1/status', '/v1/nowhere'])
      expect(await world.ask('GET', path)).toMatchObject(refusal('CERTIFICATE_REFUSED', 'you show no certificate'))
    expect(await world.ask('POST', '/v1/renew', { body: {} })).toMatchObject(
      refusal('CERTIFICATE_REFUSED', 'you show no certificate'),
    )
  })

  it('a certificate of another authority is worth nothing, whatever it says', async () => {
    const authority = await makeFirstIdentity({ cluster: 'test', name: 'alpha', addresses: [], nowWallMs: now() })
    const own = await world.forge('alpha', { authority })
    expect(await world.ask('GET', '/v1/status', { own })).toMatchObject(
      refusal('CERTIFICATE_REFUSED', 'not one of the cluster test'),
    )
  })

  it('a certificate that the authority signed for a key that nobody let in is worth nothing', async () => {
    for (const name of ['alpha', 'nobody'])
      expect(await world.ask('GET', '/v1/status', { own: await world.forge(name) })).toMatchObject(
        refusal('CERTIFICATE_REFUSED', `does not know the key of ${name}`),
      )
  })

  it('an eviction counts at once, on connections that are open too', async () => {
    const own = await world.admitted('gamma')
    const socket = await world.openTls(own)
    expect(await askOn(socket, '/v1/identity')).toContain('200 OK')
    await world.api.finish(world.desk.evict({ name: 'gamma' }, 'anna'), 1_000_000)
    expect(await askOn(socket, '/v1/identity')).toContain('gamma was taken out of the cluster by anna')
    socket.destroy()
    expect(await world.ask('GET', '/v1/identity', { own })).toMatchObject(
      refusal('CERTIFICATE_REFUSED', 'taken out of the cluster by anna'),
    )
  })
})

describe('a machine that joins', () => {
  usesWorld('part')

  it('gets a certificate for its own key, the keys of the cluster, and the place of the database', async () => {
    const key = makePrivateKey()
    const { status, value } = await world.join(await world.token(), key, { name: 'iota' })
    expect(status).toBe(200)
    const joined = value as { certificate: string; clusterKey: string; caKey: string }
    expect(joined).toMatchObject({
      cluster: 'test',
      name: 'iota',
      admittedBy: 'alpha',
      database: { kind: 'file', directory: '/srv/database' },
      voter: null,
      warnings: [],
    })
    expect(readCertificate(joined.certificate)).toMatchObject({
      cluster: 'test',
      name: 'iota',
      role: 'host',
      keyFingerprint: fingerprintOfPrivateKey(key),
    })
    expect(new X509Certificate(joined.certificate).checkIP('10.0.0.3')).toBe('10.0.0.3')
    expect(joined.caKey).toBe(world.identity.caKey)
    expect(Buffer.from(joined.clusterKey, 'base64')).toEqual(world.identity.clusterKey)
    expect(await world.ask('GET', '/v1/status', { own: { key, certificate: joined.certificate } })).toMatchObject({
      status: 200,
    })
    expect(world.api.alpha.loop.services.state().physicalHosts.has('iota' as never)).toBe(true)
  })

  it('as a witness gets no key of the cluster, and is no physical host', async () => {
    const { value } = await world.join(await world.token('witness'), makePrivateKey(), { role: 'witness', name: 'w1' })
    expect(value).toMatchObject({ name: 'w1', caKey: null, clusterKey: null })
    expect(world.api.alpha.loop.services.state().physicalHosts.has('w1' as never)).toBe(false)
  })

  it('may come again with the same key, as after an answer that was lost; nobody else may', async () => {
    const [token, key] = [await world.token(), makePrivateKey()]
    const name = 'kappa'
    const [first, again] = [await world.join(token, key, { name }), await world.join(token, key, { name })]
    expect([first.status, again.status]).toEqual([200, 200])
    expect(await world.join(token)).toMatchObject(refusal('TOKEN_REFUSED', 'was used already, by kappa'))
    expect(await world.join(token, makePrivateKey(), { name: 'delta' })).toMatchObject(
      refusal('TOKEN_REFUSED', 'was used already, by kappa'),
    )
  })

  it.each([
    [{ nowWallMs: 0 }, 'JOIN_REFUSED', 'behind that of alpha'],
    [{ nowWallMs: 4e12 }, 'JOIN_REFUSED', 'ahead of that of alpha'],
    [{ version: '2.0.0' }, 'JOIN_REFUSED', 'has version 2.0.0 of Haven and alpha has 1.2.0'],
    [{ version: '1.4.0' }, 'JOIN_REFUSED', 'too far apart'],
    [{ name: 'beta' }, 'ALREADY_EXISTS', 'beta is a member of the cluster already'],
    [{ name: 'alpha' }, 'ALREADY_EXISTS', 'alpha is a member of the cluster already'],
    [{ addresses: ['a b'] }, 'CONFIG_INVALID', "'a b' cannot be the address of a host"],
    [{ interfaces: [{ network: 'n1', adapter: 'eth1', address: '10.0.0.3' }] }, 'NOT_FOUND', 'no network n1'],
    [{ request: 'rubbish' }, 'CERTIFICATE_REFUSED', 'cannot be read'],
  ])('is refused when it does not fit: %j', async (more, code, message) => {
    const token = await world.token()
    const { value } = await world.join(token, makePrivateKey(), more)
    expect(value).toMatchObject({ code, message: expect.stringContaining(message) })
    // Nothing was used up by it.
    expect(await world.join(token)).toMatchObject({ status: 200 })
  })

  it('does not get a name that another machine has, until that was taken out', async () => {
    await world.admitted('lambda')
    const [token, key] = [await world.token(), makePrivateKey()]
    const name = 'lambda'
    expect(await world.join(token, key, { name })).toMatchObject(refusal('ALREADY_EXISTS', 'with another key'))
    await world.api.finish(world.desk.evict({ name }, 'anna'), 1_000_000)
    expect(await world.join(token, key, { name })).toMatchObject({ status: 200 })
  })

  it('knows the authority by its fingerprint, and tells nobody else anything', async () => {
    const fingerprint = fingerprintOf(world.identity.caCertificate)
    const effects = createRealEffects()
    const found = await world.api.finish(fetchAuthority(effects, world.place, fingerprint, 5_000), 1_000_000)
    expect(found).toEqual({ certificate: world.identity.caCertificate, localAddress: '127.0.0.1' })
    const other = fetchAuthority(effects, world.place, 'ab'.repeat(32), 5_000)
    await expect(world.api.finish(other, 1_000_000)).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' })
  })
})

describe('a token', () => {
  usesWorld('test')

  it('is refused when it is wrong, unknown, expired or for something else', async () => {
    const token = await world.token()
    expect(await world.join(token, makePrivateKey(), { secret: 'ab'.repeat(24) })).toMatchObject(
      refusal('TOKEN_REFUSED', 'the token is wrong'),
    )
    expect(await world.join(token, makePrivateKey(), { tokenId: 'ab'.repeat(8) })).toMatchObject(
      refusal('TOKEN_REFUSED', 'knows no such token'),
    )
    expect(await world.join(token, makePrivateKey(), { role: 'witness', name: 'w1' })).toMatchObject(
      refusal('TOKEN_REFUSED', 'is for a physical host, not for a witness'),
    )
    world.clock.aheadMs = 901_000
    expect(await world.join(token, makePrivateKey())).toMatchObject(refusal('TOKEN_REFUSED', 'has expired'))
  })

  it('is of no use after guesses, and whoever goes on guessing is not heard', async () => {
    const token = await world.token()
    const secret = 'ab'.repeat(24)
    for (let tries = 0; tries < 5; tries += 1) await world.join(token, makePrivateKey(), { secret })
    expect(await world.join(token)).toMatchObject(refusal('TOKEN_REFUSED', 'somebody tried 5 times to guess'))
    for (let tries = 0; tries < 20; tries += 1) await world.join(token, makePrivateKey(), { secret })
    expect(await world.join(await world.token())).toMatchObject(
      refusal('LIMIT_REACHED', '20 attempts to join were refused within a minute'),
    )
  })
})

describe('the next certificate', () => {
  usesWorld('test')

  it('is for the key that the machine was let in with, and for no other one', async () => {
    const own = await world.admitted('w1', 'witness')
    const body = { request: await makeRequest('w1', own.key), addresses: ['10.0.0.9'] }
    const { status, value } = await world.ask('POST', '/v1/renew', { own, body })
    expect(status).toBe(200)
    const { certificate } = value as { certificate: string }
    expect(readCertificate(certificate)).toMatchObject({ name: 'w1', role: 'witness' })
    expect(await world.ask('GET', '/v1/identity', { own: { ...own, certificate } })).toMatchObject({ status: 200 })
    const other = { ...body, request: await makeRequest('w1', makePrivateKey()) }
    expect(await world.ask('POST', '/v1/renew', { own, body: other })).toMatchObject(
      refusal('CERTIFICATE_REFUSED', 'a key that it was not let in with'),
    )
  })

  it('is fetched by a witness itself, from the first host that answers, also when its own has run out', async () => {
    const root = mkdtempSync(join(tmpdir(), 'haven-witness-'))
    try {
      const { certificate, key } = await world.admitted('w1', 'witness')
      const { caCertificate } = world.identity
      const own = { caCertificate, hostCertificate: certificate, hostKey: key, caKey: undefined, clusterKey: undefined }
      writeIdentity(root, own)
      writeHostPlaces(root, ['127.99.0.1:1', writePlace(world.place)])
      const told: string[] = []
      const effects = { ...createRealEffects(), nowWallMs: () => now() + world.clock.aheadMs }
      const renew = (addresses?: readonly string[]): Promise<boolean> => {
        const parts = { root, effects, tell: (sentence: string) => told.push(sentence) }
        return world.api.finish(renewFromHosts(parts, addresses), 10_000_000)
      }
      const renewed = (): CertificateFacts => readCertificate(readIdentity(root)?.hostCertificate ?? '')
      expect(await renew()).toBe(false)
      expect(await renew(['10.0.0.3', '10.0.1.3'])).toBe(true)
      expect(told.splice(0)).toEqual([expect.stringContaining('this machine has other addresses')])
      expect(renewed().addresses).toEqual(expect.arrayContaining(['10.0.0.3', '10.0.1.3']))
      world.clock.aheadMs = 100 * 86_400_000
      expect(await renew()).toBe(true)
      const next = renewed()
      expect(next.addresses).toEqual(expect.arrayContaining(['10.0.0.3', '10.0.1.3']))
      expect(next.validUntilWallMs).toBeGreaterThan(readCertificate(certificate).validUntilWallMs)
      expect(told).toEqual([expect.stringContaining('renewed the certificate')])
      await world.api.finish(world.desk.evict({ name: 'w1' }, 'anna'), 1_000_000)
      world.clock.aheadMs = 200 * 86_400_000
      await expect(renew()).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' })
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('is given to a machine that was off for long, which may ask for nothing else', async () => {
    const own = await world.admitted('w1', 'witness')
    world.clock.aheadMs = 200 * 86_400_000
    expect(await world.ask('GET', '/v1/identity', { own })).toMatchObject(
      refusal('CERTIFICATE_REFUSED', 'the certificate of w1 has expired'),
    )
    const body = { request: await makeRequest('w1', own.key), addresses: [] }
    expect(await world.ask('POST', '/v1/renew', { own, body })).toMatchObject({ status: 200 })
  })
})

describe('an eviction', () => {
  usesWorld('part')
  const evict = (name: string, force = false): Promise<EvictedJson> =>
    world.api.finish(world.desk.evict({ name, force }, 'anna'), 1_000_000)

  it('is refused for a member, for the host that is asked, and for nobody', async () => {
    await expect(evict('beta')).rejects.toMatchObject({ code: 'IN_USE', message: 'beta is a member of the cluster' })
    await expect(evict('alpha', true)).rejects.toMatchObject({ code: 'IN_USE', message: 'alpha is this host itself' })
    await expect(evict('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(evict('a b')).rejects.toMatchObject({ code: 'NAME_INVALID' })
  })

  it('of a member that is forced says that it goes on as one', async () => {
    const { done, warnings } = await evict('beta', true)
    expect(done).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('beta is still a member and goes on as such')])
    expect(world.api.alpha.loop.services.state().physicalHosts.has('beta' as never)).toBe(true)
  })

  it('takes the record of the host along, and may be repeated', async () => {
    await world.admitted('gamma')
    expect(await evict('gamma')).toMatchObject({
      done: [
        'No certificate of gamma is accepted any more.',
        'Removed the physical host gamma from the configuration.',
      ],
      warnings: [expect.stringContaining('The keys of the cluster were not changed')],
    })
    expect(await evict('gamma')).toMatchObject({ done: [] })
  })

  it('of a witness takes no keys along, because it had none', async () => {
    await world.admitted('w1', 'witness')
    expect(await evict('w1')).toMatchObject({ warnings: [] })
  })
})

describe('whoever only holds connections open', () => {
  usesWorld('part')

  it('and says nothing at all does not keep others from being answered', async () => {
    const held: Socket[] = []
    for (let count = 0; count < 200; count += 1) held.push(await world.openTcp())
    await expectServed(world)
    for (const socket of held) socket.destroy()
  })
})

function now(): number {
  return createRealEffects().nowWallMs()
}

/** Asks on a connection that stays; returns the whole answer. */
async function askOn(socket: Socket, path: string): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nhost: alpha\r\n\r\n`)
  const [chunk] = (await world.api.finish(once(socket, 'data'), 1_000_000)) as [Buffer]
  return chunk.toString()
}
