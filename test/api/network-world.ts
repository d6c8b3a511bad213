import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { expect } from 'vitest'
import { buildNetworkApp, type NetworkApp } from '../../src/framework/api/app.ts'
import type { JoinRequest } from '../../src/framework/api/wire.ts'
import { createAdmissionDesk } from '../../src/framework/daemon/admission/desk.ts'
import { createIdentify } from '../../src/framework/daemon/admission/identify.ts'
import type { AdmittedRole } from '../../src/framework/model/admission.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { Effects } from '../../src/framework/ports/effects.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { putAdmission, putAuthority, toWrite } from '../../src/framework/records/encode.ts'
import { callOverTls, type TlsAnswer, type TlsCall, type TlsPlace } from '../../src/framework/security/call-over-tls.ts'
import { readCertificate } from '../../src/framework/security/certificate.ts'
import { certify, makeFirstIdentity } from '../../src/framework/security/certify.ts'
import type { Identity } from '../../src/framework/security/identity-files.ts'
import { makePrivateKey } from '../../src/framework/security/keys.ts'
import { makeRequest, readRequest } from '../../src/framework/security/make-certificates.ts'
import { readToken } from '../../src/framework/security/token.ts'
import { ApiWorld } from './api-world.ts'

/** Turns of the event loop that an answer may take: the sockets are real, the clock of the daemons is not. */
const TURNS_MAX = 10_000_000

/** What a caller shows of itself. */
export type Shown = { readonly certificate: string; readonly key: string }

/** The API of alpha on a real port with TLS; its wall clock is the real one, and can be moved. */
export class NetworkWorld {
  readonly api: ApiWorld
  readonly identity: Identity
  readonly alpha: Shown
  readonly place: TlsPlace
  readonly network: NetworkApp
  readonly clock: { aheadMs: number }

  private constructor(parts: Pick<NetworkWorld, 'api' | 'identity' | 'place' | 'network' | 'clock'>) {
    this.api = parts.api
    this.identity = parts.identity
    this.place = parts.place
    this.network = parts.network
    this.clock = parts.clock
    this.alpha = { certificate: parts.identity.hostCertificate, key: parts.identity.hostKey }
  }

  static async make(): Promise<NetworkWorld> {
    const api = await ApiWorld.make()
    const clock = { aheadMs: 0 }
    const wallMs = (): number => createRealEffects().nowWallMs() + clock.aheadMs
    const identity = await makeFirstIdentity({ cluster: 'test', name: 'alpha', addresses: [], nowWallMs: wallMs() })
    const { book, services } = api.alpha.loop
    await api.finish(keepFirst(api, identity))
    const effects: Effects = { ...api.clock.effects(), nowWallMs: wallMs }
    const cluster = parseName('cluster', 'test')
    const desk = createAdmissionDesk({
      book,
      effects,
      log: { write: () => undefined },
      me: api.alpha.name,
      cluster,
      version: '1.2.0',
      identity: () => identity,
      place: () => undefined,
      database: () => ({ kind: 'file', directory: '/srv/database' }),
      voters: () => undefined,
    })
    const network = buildNetworkApp(services, {
      ...api.options(),
      desk,
      identify: createIdentify({ book, cluster, caCertificate: identity.caCertificate, nowWallMs: wallMs }),
      tls: tlsOf(identity),
    })
    const world = new NetworkWorld({ api, identity, network, clock, place: await listen(api, network.app) })
    world.desk = desk
    return world
  }

  desk!: ReturnType<typeof createAdmissionDesk>
  #joins = 0

  /** Makes a token on alpha. */
  async token(role: AdmittedRole = 'host', ttlS = 900): Promise<string> {
    return (await this.api.finish(this.desk.makeToken({ role, ttlS }, 'anna'), TURNS_MAX)).token
  }

  /** What a machine sends to join, with a good clock and a good version unless `more` says otherwise. */
  async joinRequest(token: string, key: string, more: Partial<JoinRequest> = {}): Promise<JoinRequest> {
    const { id, secret } = readToken(token)
    this.#joins += 1
    const name = more.name ?? `gamma${this.#joins}`
    return {
      tokenId: id,
      secret: secret.toString('hex'),
      role: 'host',
      name,
      request: await makeRequest(name, key),
      addresses: ['10.0.0.3'],
      port: 7411,
      interfaces: [],
      version: '1.2.0',
      nowWallMs: createRealEffects().nowWallMs(),
      voterAddresses: null,
      ...more,
    }
  }

  /** Joins, and returns the answer. */
  async join(token: string, key = makePrivateKey(), more: Partial<JoinRequest> = {}): Promise<TlsAnswer> {
    return this.ask('POST', '/v1/join', { body: await this.joinRequest(token, key, more) })
  }

  /** Lets a machine in; returns what it shows of itself from then on. */
  async admitted(name: string, role: AdmittedRole = 'host'): Promise<Shown> {
    const key = makePrivateKey()
    const { status, value } = await this.join(await this.token(role), key, { name, role })
    if (status !== 200) throw new Error(JSON.stringify(value))
    return { key, certificate: (value as { certificate: string }).certificate }
  }

  /** Signs a certificate with the authority, whatever the records say of it. */
  async forge(
    name: string,
    more: { readonly key?: string; readonly validMs?: number; readonly authority?: Identity } = {},
  ): Promise<Shown> {
    const { key = makePrivateKey(), authority = this.identity } = more
    const { caCertificate, caKey = '' } = authority
    const publicKey = await readRequest(await makeRequest(name, key))
    const one = {
      cluster: 'test',
      name,
      role: 'host',
      addresses: [],
      nowWallMs: createRealEffects().nowWallMs(),
    } as const
    const validMs = more.validMs === undefined ? {} : { validMs: more.validMs }
    return { key, certificate: await certify({ caCertificate, caKey }, { ...one, ...validMs }, publicKey) }
  }

  /** Asks over TLS, as `own` or as nobody. */
  ask(method: TlsCall['method'], path: string, more: Partial<TlsCall> = {}): Promise<TlsAnswer> {
    const effects = createRealEffects()
    const call = { place: this.place, authority: this.identity.caCertificate, refuse: () => undefined, withinMs: 5_000 }
    return this.api.finish(callOverTls(effects, { ...call, method, path, ...more }), TURNS_MAX)
  }

  /** Opens a connection and says nothing on it. */
  async openTcp(): Promise<Socket> {
    const socket = connectTcp(this.place.port, this.place.address)
    // The server may end it at any time: that is what is looked at.
    socket.on('error', () => undefined)
    await this.api.finish(once(socket, 'connect'), TURNS_MAX)
    return socket
  }

  /** Opens a connection with TLS, as `own` or as nobody, and asks for nothing. */
  async openTls(own?: Shown): Promise<Socket> {
    const socket = connectTls({
      host: this.place.address,
      port: this.place.port,
      ca: this.identity.caCertificate,
      checkServerIdentity: () => undefined,
      ...(own !== undefined && { cert: own.certificate, key: own.key }),
    })
    socket.on('error', () => undefined)
    await this.api.finish(once(socket, 'secureConnect'), TURNS_MAX)
    return socket
  }

  async close(): Promise<void> {
    await this.api.finish(this.network.app.close(), TURNS_MAX)
    await this.api.close()
  }
}

/** Expects that strangers, hosts and machines that join are answered. */
export async function expectServed(world: NetworkWorld): Promise<void> {
  expect(await world.ask('GET', '/v1/ping')).toMatchObject({ status: 200 })
  expect(await world.ask('GET', '/v1/status', { own: world.alpha })).toMatchObject({ status: 200 })
  expect(await world.join(await world.token())).toMatchObject({ status: 200 })
}

/** What a server shows with an identity. */
export function tlsOf({ hostKey, hostCertificate, caCertificate }: Identity) {
  return { key: hostKey, certificate: `${hostCertificate}${caCertificate}`, authority: caCertificate }
}

async function keepFirst(api: ApiWorld, { caCertificate, hostCertificate }: Identity): Promise<void> {
  const { keyFingerprint, validUntilWallMs } = readCertificate(hostCertificate)
  const drafts = [
    putAuthority({ certificate: caCertificate }),
    putAdmission({
      name: api.alpha.name,
      role: 'host',
      keyFingerprint,
      addresses: [],
      port: 7411,
      admittedWallMs: 0,
      by: 'setup',
      validUntilWallMs,
      evicted: null,
    }),
  ]
  await api.core.connect('test').commit([], drafts.map(toWrite), { durability: 'durable' })
  await api.clock.passUntil('alpha to know its admission', 2_000, () => api.alpha.loop.book.seen().admissions.size > 0)
}

async function listen(api: ApiWorld, app: FastifyInstance): Promise<TlsPlace> {
  await api.finish(app.listen({ host: '127.0.0.1', port: 0 }), TURNS_MAX)
  return { address: '127.0.0.1', port: (app.server.address() as AddressInfo).port }
}
