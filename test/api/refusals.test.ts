import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ApiWorld } from './api-world.ts'

let world: ApiWorld
beforeEach(async () => {
  world = await ApiWorld.make()
})
afterEach(() => world.close())

describe('a request that is not understood', () => {
  it('is refused with every problem at once', async () => {
    const { status, body } = await world.post('/v1/services', { nam: 'web', methods: { START: 7 }, packages: 'one' })
    expect([status, body]).toEqual([
      400,
      {
        code: 'USAGE',
        message: 'the registration is not what clustd understands',
        hint: 'Commands and clustd of the same version understand each other.',
        details: [
          'name: Invalid input: expected string, received undefined',
          'methods.START: Invalid input: expected string, received number',
          'packages: Invalid input: expected array, received string',
          "there is no field 'nam'",
        ],
        retryable: false,
      },
    ])
  })

  it.each([
    ['/v1/plans', { kind: 'takeover' }],
    ['/v1/plans', { kind: 'switchover', logicalHosts: [], to: 'beta' }],
    ['/v1/plans', { kind: 'switchover', logicalHosts: ['ha1'], to: 'beta', by: 'somebody else' }],
    ['/v1/reconfigurations', { request: { kind: 'reconfigure' }, busyWaitMs: -1 }],
    ['/v1/reconfigurations', { request: { kind: 'reconfigure' }, busyWaitMs: 1e9 }],
    ['/v1/reconfigurations', { kind: 'reconfigure' }],
    ['/v1/configuration/change', { kind: 'timeouts', logicalHostTimeoutS: '90' }],
    ['/v1/configuration/change', { kind: 'timeout' }],
    ['/v1/configuration/apply', { text: 'cluster:' }],
    ['/v1/leave', { now: true }],
  ])('%s %j', async (url, payload) => {
    expect(await world.post(url, payload)).toMatchObject({ status: 400, body: { code: 'USAGE' } })
    expect(world.alpha.loop.services.identity().role).toBe('member')
  })

  it.each(['/v1/status?messages=-1', '/v1/status?messages=x', '/v1/reconfigurations?last=5000', '/v1/haget'])(
    '%s',
    async (url) => {
      expect(await world.get(url)).toMatchObject({ status: 400, body: { code: 'USAGE' } })
    },
  )

  it('is refused when it is no JSON', async () => {
    const headers = { 'content-type': 'application/json' }
    const broken = await world.finish(world.app.inject({ method: 'POST', url: '/v1/plans', headers, payload: '{' }))
    expect([broken.statusCode, broken.json().code]).toEqual([400, 'USAGE'])
    const text = await world.finish(
      world.app.inject({ method: 'POST', url: '/v1/plans', headers: { 'content-type': 'text/plain' }, payload: 'x' }),
    )
    expect([text.statusCode, text.json().code]).toEqual([400, 'USAGE'])
  })
})

describe('the name of the operator', () => {
  it.each([
    ['anna', 'anna'],
    ['', 'unknown'],
    ['%C3%A5sa', 'åsa'],
    ['%E0%A4%A', 'E0A4A'],
    ['a%1B%5B31m%0Ab', 'a31mb'],
    ['x'.repeat(500), 'x'.repeat(64)],
  ])('%j is kept as %j', async (header, by) => {
    const payload = { kind: 'maintenance', logicalHosts: ['ha1'] }
    const headers = { 'haven-operator': header }
    const answer = await world.finish(world.app.inject({ method: 'POST', url: '/v1/plans', headers, payload }))
    expect(answer.json().cause.by).toBe(by)
  })
})

describe('a bug', () => {
  it('is answered as INTERNAL and logged with its stack', async () => {
    world.alpha.loop.services.stampAges = () => {
      throw new TypeError('cannot read the sky')
    }
    expect(await world.get('/v1/status')).toMatchObject({
      status: 500,
      body: { code: 'INTERNAL', message: 'cannot read the sky' },
    })
    expect(world.log).toMatchObject([{ level: 'error', message: 'GET /v1/status failed: cannot read the sky' }])
  })
})
