import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildApp } from '../../src/framework/api/app.ts'
import type { CheckedProgramJson } from '../../src/framework/api/wire.ts'
import { createHostCalls } from '../../src/framework/daemon/host-calls.ts'
import { HaError } from '../../src/framework/errors/ha-error.ts'
import type { Admission } from '../../src/framework/model/admission.ts'
import type { HostCall, HostCalls } from '../../src/framework/ports/host-calls.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { physical } from '../unit/daemon/small-world.ts'
import { ApiWorld } from './api-world.ts'
import { NetworkWorld } from './network-world.ts'

describe('a call to another host', () => {
  let world: NetworkWorld
  let calls: HostCalls
  /** Where the records say that hosts are. */
  const addresses = new Map<string, readonly string[]>()
  beforeAll(async () => {
    world = await NetworkWorld.make()
    const { certificate, key } = await world.admitted('gamma')
    const own = { ...world.identity, hostCertificate: certificate, hostKey: key }
    const { seen } = world.api.alpha.loop.book
    const book = { seen: () => ({ ...seen.call(world.api.alpha.loop.book), admissions: placed() }) }
    calls = createHostCalls({ book, cluster: 'test', identity: () => own, effects: createRealEffects() })
  })
  afterAll(async () => {
    calls.close()
    await world.close()
  })

  /** The admissions of the world, at the places that the test wants. */
  function placed(): ReadonlyMap<string, Admission> {
    const [alpha] = world.api.alpha.loop.book.seen().admissions.values()
    if (alpha === undefined) throw new Error('alpha has no admission')
    return new Map(
      [...addresses].map(([name, at]) => [
        name,
        { ...alpha, name: physical(name), addresses: at, port: world.place.port },
      ]),
    )
  }

  const identity: HostCall = { method: 'GET', path: '/v1/identity', withinMs: 5_000 }
  const call = (host: string): Promise<unknown> => world.api.finish(calls.call(physical(host), identity), 10_000_000)

  it('is answered by that host, over a connection that is kept', async () => {
    addresses.set('alpha', ['127.0.0.1'])
    let connections = 0
    world.network.app.server.on('secureConnection', () => {
      connections += 1
    })
    expect(await call('alpha')).toMatchObject({ physicalHost: 'alpha' })
    expect(await call('alpha')).toMatchObject({ physicalHost: 'alpha' })
    expect(connections).toBe(1)
  })

  it('goes to its next address when nobody is at the first', async () => {
    addresses.set('alpha', ['127.99.0.1', '127.0.0.1'])
    expect(await call('alpha')).toMatchObject({ physicalHost: 'alpha' })
  })

  it('is not made when somebody else answers there', async () => {
    addresses.set('beta', ['127.0.0.1'])
    await expect(call('beta')).rejects.toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      message: expect.stringContaining('alpha of the cluster test answers there instead of beta'),
    })
  })

  it('fails in time when nobody is there, and brings what the host refuses', async () => {
    addresses.set('delta', ['127.99.0.1'])
    await expect(call('delta')).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    await expect(call('nobody')).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    addresses.set('alpha', ['127.0.0.1'])
    const leave = calls.call(physical('alpha'), { method: 'POST', path: '/v1/leave', body: {}, withinMs: 5_000 })
    await expect(world.api.finish(leave, 10_000_000)).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' })
    expect([calls.canAsk(physical('alpha')), calls.canAsk(physical('nobody'))]).toEqual([true, false])
  })
})

describe('hareg -r', () => {
  let world: ApiWorld
  /** What beta says of a program; the hash of alpha is `same`. */
  let beta: (path: string) => CheckedProgramJson
  beforeEach(async () => {
    world = await ApiWorld.make()
    await world.app.close()
    const options = world.options()
    const checkPrograms = async (programs: readonly string[]) =>
      programs.map((path) => ({ path, isExecutable: true, sha256: 'same' }))
    const calls: HostCalls = {
      canAsk: () => true,
      call: async (_host, { body }) => ({
        programs: (body as { programs: string[] }).programs.map((path) => beta(path)),
      }),
      close: () => undefined,
    }
    world.app = buildApp(world.alpha.loop.services, { ...options, calls, facts: { ...options.facts, checkPrograms } })
  })
  afterEach(() => world.close())

  it('registers when the other possible masters have the same programs', async () => {
    beta = (path) => ({ path, isExecutable: true, sha256: 'same' })
    expect(await world.register()).toMatchObject({ status: 200, body: { warnings: [] } })
  })

  it('refuses programs that are missing or others there, naming host and file', async () => {
    beta = (path) => ({ path, isExecutable: !path.endsWith('stop'), sha256: path.endsWith('probe') ? 'other' : 'same' })
    expect(await world.register()).toMatchObject({
      status: 400,
      body: {
        code: 'CONFIG_INVALID',
        message: 'the programs of web are not the same on all of its possible masters',
        details: [
          'beta: /opt/web/probe is not the same as on alpha',
          'beta: /opt/web/stop is missing, not a file, or not executable',
        ],
        hint: expect.stringContaining('scp -p /opt/web/probe beta:/opt/web/probe'),
      },
    })
    expect((await world.get('/v1/services')).body.services).toEqual([])
  })

  it('warns of a host that cannot be asked', async () => {
    beta = () => {
      throw new HaError('HOST_UNREACHABLE', 'beta is away')
    }
    expect(await world.register()).toMatchObject({
      status: 200,
      body: { warnings: [expect.stringContaining('beta could not be asked whether it has the same programs of web')] },
    })
  })
})
