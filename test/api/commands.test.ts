import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LOOK_EVERY_MS } from '../../src/framework/daemon/program-watch.ts'
import { ApiWorld } from './api-world.ts'

let world: ApiWorld
beforeEach(async () => {
  world = await ApiWorld.make()
})
afterEach(() => world.close())

const START_MISSING = '/opt/web/start is missing, not a file, or not executable on beta.'
const on = { kind: 'services-on', services: ['web'] }
const toBeta = { kind: 'switchover', logicalHosts: ['ha1'], to: 'beta' }

describe('hareg', () => {
  it('registers, shows, switches on and off, unregisters', async () => {
    expect(await world.register({ timeoutsS: { START: 30 } })).toMatchObject({
      status: 200,
      body: { changes: [{ kind: 'add', what: 'data service web' }], reconfigurations: [], warnings: [] },
    })
    expect((await world.get('/v1/services/web')).body).toEqual({
      name: 'web',
      state: 'off',
      methods: [
        { method: 'START', program: '/opt/web/start', timeoutS: 30 },
        { method: 'STOP', program: '/opt/web/stop', timeoutS: 60 },
        { method: 'FM_START', program: '/opt/web/probe', timeoutS: 60 },
      ],
      baseDirectory: '',
      dependsOn: [],
      logicalHosts: ['ha1'],
      version: '',
      apiVersion: '',
      packages: [],
    })
    expect((await world.submit(on)).at(-1)).toMatchObject({ kind: 'end', outcome: 'reached', why: [] })
    expect((await world.delete('/v1/services/web')).body).toMatchObject({ code: 'SERVICE_ON' })
    expect((await world.submit({ kind: 'services-off', services: [] })).at(-1)).toMatchObject({ outcome: 'reached' })
    expect((await world.delete('/v1/services/web')).status).toBe(200)
    expect((await world.get('/v1/services')).body).toEqual({ services: [] })
  })

  it('refuses programs that cannot be executed here, after what is wrong otherwise', async () => {
    world.missing.add('alpha /opt/web/stop')
    expect(await world.register()).toMatchObject({
      status: 400,
      body: {
        code: 'CONFIG_INVALID',
        message: '1 of the programs of web cannot be executed on alpha',
        details: ['/opt/web/stop is missing, not a file, or not executable'],
      },
    })
    expect((await world.register({ dependsOn: ['nfs'] })).body.code).toBe('NOT_FOUND')
    expect((await world.get('/v1/services/web')).status).toBe(404)
  })

  it('has nothing to do when asked for what is so', async () => {
    expect(await world.submit({ kind: 'services-on', services: [] })).toEqual([])
    await world.register()
    await world.submit(on)
    expect(await world.submit(on)).toEqual([])
  })
})

describe('haswitch', () => {
  it('shows a plan, then applies just that one, once', async () => {
    await world.register()
    await world.submit(on)
    await world.submit(toBeta)
    const { body: plan } = await world.post('/v1/plans', { ...toBeta, to: 'alpha' })
    expect(plan).toMatchObject({
      cause: { kind: 'switchover', sentence: 'switchover of ha1 to alpha, asked by anna', by: 'anna' },
      because: [{ logicalHost: 'ha1', sentence: 'moves from beta to alpha, as asked' }],
      warnings: [],
      nothingToDo: false,
    })
    expect(plan.halves.map((half: { sentence: string }) => half.sentence)).toContain('beta gives ha1 up')
    // What has run on alpha before is expected there again; what has not, as on beta.
    expect(plan.expected).toMatchObject({ samples: 1 })
    expect(plan.expected.medianMs).toBeGreaterThan(5)
    const { body: applied } = await world.post(`/v1/plans/${plan.id}/apply`)
    expect((await world.follow(applied.reconfiguration)).at(-1)).toMatchObject({ outcome: 'reached' })
    const { body: stale } = await world.post('/v1/plans', toBeta)
    await world.submit({ kind: 'maintenance', logicalHosts: ['ha1'] })
    expect((await world.post(`/v1/plans/${stale.id}/apply`)).body.code).toBe('PLAN_STALE')
    expect((await world.post('/v1/plans/99.99/apply')).status).toBe(404)
  })

  it('warns of programs that are missing', async () => {
    await world.register()
    await world.submit(on)
    world.missing.add('beta /opt/web/start')
    await world.clock.pass(LOOK_EVERY_MS)
    expect((await world.post('/v1/plans', toBeta)).body.warnings).toEqual([START_MISSING])
  })

  it('warns of a standby that would fail: when the service is switched on, and in the status', async () => {
    world.missing.add('beta /opt/web/start')
    await world.register()
    await world.clock.pass(500)
    expect((await world.post('/v1/plans', on)).body.warnings).toEqual([START_MISSING])
    expect((await world.get('/v1/status')).body.missingPrograms).toEqual([])
    const { body } = await world.post('/v1/reconfigurations', { request: on })
    expect(body).toEqual({ reconfiguration: expect.any(Number), warnings: [START_MISSING] })
    await world.rest()
    expect((await world.get('/v1/status')).body.missingPrograms).toEqual([
      { host: 'beta', service: 'web', logicalHosts: ['ha1'], programs: ['/opt/web/start'] },
    ])
    world.missing.clear()
    await world.clock.pass(LOOK_EVERY_MS)
    expect((await world.get('/v1/status')).body.missingPrograms).toEqual([])
    expect((await world.post('/v1/reconfigurations', { request: on })).body).toEqual({
      reconfiguration: null,
      warnings: [],
    })
  })

  it('looks itself at the programs of the host that is asked', async () => {
    await world.register()
    world.missing.add('alpha /opt/web/start')
    expect((await world.post('/v1/plans', on)).body.warnings).toEqual([START_MISSING.replace('beta', 'alpha')])
  })

  it('refuses what the planner refuses', async () => {
    const { body, status } = await world.post('/v1/reconfigurations', { request: { ...toBeta, to: 'gamma' } })
    expect([status, body.code, body.hint]).toEqual([404, 'NOT_FOUND', 'Configured are: alpha, beta.'])
    expect((await world.post('/v1/plans', { ...toBeta, logicalHosts: ['a,b'] })).body.code).toBe('NAME_INVALID')
  })

  it('puts into maintenance and back, and calls methods again', async () => {
    expect((await world.submit({ kind: 'maintenance', logicalHosts: ['ha1'] })).at(-1)).toMatchObject({
      outcome: 'reached',
      logicalHosts: [{ logicalHost: 'ha1', sentence: 'in maintenance' }],
    })
    expect((await world.submit(toBeta)).at(-1)).toMatchObject({ outcome: 'reached' })
    expect(await world.submit({ kind: 'reconfigure' })).toEqual([])
  })

  it('waits for a logical host in motion as long as it is told', async () => {
    world.stepMs = 2_000
    await world.post('/v1/reconfigurations', { request: toBeta })
    const back = { ...toBeta, to: 'alpha' }
    expect((await world.post('/v1/reconfigurations', { request: back, busyWaitMs: 0 })).body).toMatchObject({
      code: 'LOGICAL_HOST_BUSY',
      retryable: true,
    })
    expect((await world.post('/v1/reconfigurations', { request: back })).body.reconfiguration).toBeGreaterThan(0)
    await world.rest()
    expect(world.where('alpha', 'ha1')).toBe('mastered by alpha')
  })
})

describe('scadmin', () => {
  it('lists history, oldest first, the latest ones', async () => {
    await world.submit(toBeta)
    await world.submit({ ...toBeta, to: 'alpha' })
    const { body } = await world.get('/v1/reconfigurations?last=2')
    expect(body.reconfigurations).toMatchObject([
      { cause: { sentence: 'switchover of ha1 to beta, asked by anna' }, state: 'done', logicalHosts: ['ha1'] },
      { cause: { sentence: 'switchover of ha1 to alpha, asked by anna' }, plannedBy: 'alpha', follows: null },
    ])
    expect(body.reconfigurations[0].durationMs).toBeGreaterThan(0)
    expect((await world.get('/v1/reconfigurations?last=0')).body.reconfigurations).toEqual([])
  })

  it('accounts for every millisecond of a timeline', async () => {
    await world.register()
    await world.submit(on)
    await world.submit(toBeta)
    const { body } = await world.get('/v1/reconfigurations/last')
    const [lane] = body.lanes
    let atMs = 0
    for (const span of lane.spans) {
      expect(span.fromMs).toBe(atMs)
      atMs += span.durationMs
    }
    expect(atMs).toBe(lane.durationMs)
    const steps = lane.spans.filter((span: { kind: string }) => span.kind === 'step')
    expect(
      steps.map((span: { host: string; step: { sentence: string } }) => `${span.host}: ${span.step.sentence}`),
    ).toEqual([
      'alpha: address 127.1.0.1 down',
      'alpha: STOP web',
      'alpha: end processes',
      'alpha: export dg1 from /ha1',
      'alpha: prove that nothing is left',
      'beta: import dg1 at /ha1',
      'beta: START web',
      'beta: address 127.1.0.1 up',
    ])
    expect(body.watches.length).toBeGreaterThan(0)
  })

  it('explains', async () => {
    await world.submit(toBeta)
    expect((await world.get('/v1/logical-hosts/ha1/explain')).body).toMatchObject({
      sentence: 'ha1 is mastered by beta.',
      why: ['ha1 moves from alpha to beta, as asked.'],
      hosts: [
        { host: 'alpha', isMaster: false, isFit: true },
        { host: 'beta', isMaster: true, reasons: ['beta holds it.'] },
      ],
      lastChange: { cause: 'switchover of ha1 to beta, asked by anna' },
    })
    expect((await world.get('/v1/logical-hosts/ha9/explain')).status).toBe(404)
  })

  it('says what is not there', async () => {
    expect((await world.get('/v1/reconfigurations/4711')).body).toMatchObject({ code: 'NOT_FOUND' })
    expect((await world.get('/v1/reconfigurations/4711/follow')).status).toBe(404)
    expect((await world.get('/v1/reconfigurations/first')).body.code).toBe('USAGE')
    expect((await world.get('/v1/nothing')).body).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('clears, and leaves', async () => {
    expect((await world.post('/v1/reconfigurations', { request: { kind: 'clear', logicalHost: 'ha9' } })).status).toBe(
      404,
    )
    expect(await world.post('/v1/leave')).toEqual({ status: 200, body: { stillTakenOn: [] } })
    expect(world.where('beta', 'ha1')).toMatch(/by beta$/)
  })

  it('checks, backs up and restores the database', async () => {
    const check = (await world.get('/v1/database/check')).body
    expect(check.problems).toEqual([])
    expect(check.sizeBytes).toBeLessThan(check.sizeBytesMax)
    const backup = (await world.get('/v1/database/backup')).body
    await world.register()
    expect((await world.post('/v1/database/restore', backup)).body.code).toBe('IN_USE')
    await world.submit({ kind: 'maintenance', logicalHosts: ['ha1'] })
    const { status, body } = await world.post('/v1/database/restore', backup)
    expect([status, body.records]).toEqual([200, check.records])
    expect((await world.get('/v1/services')).body).toEqual({ services: [] })
    for (const text of ['', '{}', backup.text.slice(0, -20), backup.text.replace('"test"', '"other"')]) {
      expect((await world.post('/v1/database/restore', { text })).body.code).toBe('BACKUP_INVALID')
    }
  })
})

describe('haget and hastat', () => {
  const values = async (query: string) => (await world.get(`/v1/haget?field=${query}`)).body.values

  it('answers every field', async () => {
    await world.register()
    expect(await values('master&host=ha1')).toEqual(['alpha'])
    expect(await values('mastered')).toEqual(['ha1'])
    expect(await values('not_mastered')).toEqual([])
    expect(await values('pathprefix&host=ha1')).toEqual(['/ha1'])
    expect(await values('physical_hosts&host=ha1')).toEqual(['alpha', 'beta'])
    expect(await values('is_maint&host=ha1')).toEqual(['0'])
    expect(await values('service_is_on&service=web')).toEqual(['0'])
    expect(await values('all_logical_hosts')).toEqual(['ha1'])
    expect(await values('all_physical_hosts')).toEqual(['alpha', 'beta'])
    expect(await values('names_on_subnets')).toEqual([])
    expect(await values('private_links&host=beta')).toEqual([])
    expect(await values('vfstab_file&host=ha1')).toEqual([])
    expect(await values('syslog_facility')).toHaveLength(1)
    expect(await values('cluster_name')).toEqual(['test'])
    expect(await values('local_physical_host')).toEqual(['alpha'])
    expect(await values('members')).toEqual(['alpha', 'beta'])
    expect(await values('all_services')).toEqual(['web'])
    expect(await values('services&host=ha1')).toEqual(['web'])
    expect(await values('logical_addresses&host=ha1')).toEqual(['127.1.0.1'])
  })

  it('says which field it does not know, what it needs, and what is not there', async () => {
    expect((await world.get('/v1/haget?field=toString')).body).toMatchObject({ code: 'USAGE' })
    expect((await world.get('/v1/haget?field=master')).body.message).toBe(
      'the field master is about a logical host (-h NAME), and none is given',
    )
    expect((await world.get('/v1/haget?field=master&host=beta')).body.code).toBe('NOT_FOUND')
  })

  it('shows the whole status', async () => {
    await world.register()
    await world.submit(on)
    const { body } = await world.get('/v1/status?messages=5')
    expect(body).toMatchObject({
      cluster: 'test',
      answeredBy: 'alpha',
      isStable: true,
      physicalHosts: [
        { name: 'alpha', membership: 'member', masters: ['ha1'], isBackupFor: [], isStable: true },
        { name: 'beta', membership: 'member', masters: [], isBackupFor: ['ha1'] },
      ],
      logicalHosts: [
        {
          name: 'ha1',
          mastery: 'mastered',
          sentence: 'mastered by alpha',
          master: 'alpha',
          inMaintenance: false,
          addresses: ['127.1.0.1/32'],
          services: [{ name: 'web', condition: 'running' }],
        },
      ],
      services: [{ name: 'web', state: 'on', logicalHosts: [{ logicalHost: 'ha1', condition: 'running' }] }],
      messages: [{ text: 'hello' }],
      privateNetworks: [],
      publicNetworks: [],
    })
    expect(body.physicalHosts[1].stampAgeMs).toBeLessThan(1_000)
    expect((await world.get('/v1/identity')).body).toMatchObject({ cluster: 'test', role: 'member' })
  })
})

describe('scconf', () => {
  const change = (request: object) => world.post('/v1/configuration/change', request)

  it('changes the configuration and says what it changed', async () => {
    expect((await change({ kind: 'timeouts', logicalHostTimeoutS: 90 })).body).toMatchObject({
      changes: [{ kind: 'change', what: 'cluster test', lines: ['logicalHostTimeoutS: 180 -> 90'] }],
      warnings: [
        'The logical host timeout of 90 s is short: everything that a host has to stop or start must fit into it.',
      ],
    })
    expect((await change({ kind: 'timeouts', logicalHostTimeoutS: 90 })).body).toEqual({
      revision: null,
      changes: [],
      reconfigurations: [],
      warnings: [],
    })
    expect((await world.get('/v1/configuration')).body.cluster.logicalHostTimeoutS).toBe(90)
  })

  it('looks host names up, and masters a new logical host at once', async () => {
    await change({ kind: 'disk-group', name: 'dg2', definitions: ['directory:/srv/dg2'] })
    const add = { kind: 'add-logical-host', name: 'ha2', physicalHosts: ['beta'], diskGroups: ['dg2'] }
    expect((await change({ ...add, interfaces: [['unheard-of']] })).body.code).toBe('CONFIG_INVALID')
    expect((await change({ ...add, interfaces: [['lo', 'logaddr1/8']] })).status).toBe(200)
    await world.rest()
    expect((await world.get('/v1/configuration')).body.logicalHosts[1]).toMatchObject({
      name: 'ha2',
      addresses: [{ kind: 'local', address: '127.5.5.5', prefixLength: 8 }],
      pathPrefix: '/ha2',
    })
    expect(world.where('alpha', 'ha2')).toBe('mastered by beta')
    expect((await change({ kind: 'remove-logical-host', name: 'ha2' })).body.code).toBe('IN_USE')
  })

  it('exports, shows differences, applies', async () => {
    const { text } = (await world.get('/v1/configuration/export')).body
    const ask = (how: 'diff' | 'apply', file: string) =>
      world.post(`/v1/configuration/${how}`, { text: file, fileName: 'c.yaml' })
    expect((await ask('diff', text)).body).toEqual({ changes: [], requests: [], warnings: [] })
    expect((await ask('apply', text)).body).toMatchObject({ revision: null, changes: [], reconfigurations: [] })
    const service = '  web:\n    state: on\n    logicalHosts: [ha1]\n    methods: {START: /opt/web/start}\n'
    const more = text.replace('dataServices: {}\n', `dataServices:\n${service}`)
    expect((await ask('diff', more)).body).toMatchObject({
      changes: [{ kind: 'add', what: 'data service web' }],
      requests: ['web switched on'],
    })
    const applied = (await ask('apply', more)).body
    expect(applied).toMatchObject({ changes: [{ what: 'data service web' }], reconfigurations: [expect.any(Number)] })
    expect((await world.follow(applied.reconfigurations[0])).at(-1)).toMatchObject({ outcome: 'reached' })
    expect((await ask('apply', more)).body).toMatchObject({ revision: null, reconfigurations: [] })
    expect((await ask('apply', more.replace('127.1.0.1', '127.1.0.300'))).body).toMatchObject({
      code: 'CONFIG_INVALID',
      details: expect.arrayContaining([expect.stringMatching(/^c.yaml:\d+:9: '127.1.0.300' of/)]),
    })
  })

  it('extends and narrows the logical hosts of a service', async () => {
    await world.register({ logicalHosts: [] })
    await world.submit({ kind: 'service-hosts', service: 'web', add: ['ha1'], remove: [] })
    expect((await world.get('/v1/services/web')).body.logicalHosts).toEqual(['ha1'])
    await world.submit({ kind: 'service-hosts', service: 'web', add: [], remove: ['ha1'] })
    expect((await world.get('/v1/services/web')).body.logicalHosts).toEqual([])
  })
})
