import { describe, expect, it } from 'vitest'
import { registerService } from '../../../src/framework/configure/register-service.ts'
import { unregisterService } from '../../../src/framework/configure/unregister-service.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { demo, ha1, ha2, refusal, web, withMastery, withService } from './fixture.ts'

const db = parseName('dataService', 'db')
const request = { name: 'db', methods: { START_NET: 'start', STOP_NET: '/bin/stop' }, baseDirectory: '/opt/db/' }

describe('hareg -r', () => {
  it('registers a service as off, on all logical hosts, with joined paths and 60 s', () => {
    expect(registerService(demo, request)).toEqual([
      {
        kind: 'put-data-service',
        dataService: {
          name: db,
          state: 'off',
          methods: {
            START_NET: { program: '/opt/db/start', timeoutS: 60 },
            STOP_NET: { program: '/bin/stop', timeoutS: 60 },
          },
          baseDirectory: '/opt/db/',
          dependsOn: [],
          logicalHosts: [ha1, ha2],
          version: '',
          apiVersion: '',
          packages: [],
        },
      },
    ])
  })

  it('takes only the logical hosts that are named, even none', () => {
    const hostsOf = (logicalHosts: readonly string[]) =>
      registerService(demo, { ...request, logicalHosts }).map((change) =>
        change.kind === 'put-data-service' ? change.dataService.logicalHosts : change,
      )
    expect(hostsOf(['ha2'])).toEqual([[ha2]])
    expect(hostsOf([])).toEqual([[]])
  })

  it.each([
    ['a name that is taken', { name: 'web' }, 'ALREADY_EXISTS'],
    ['a name that is none', { name: 'a,b' }, 'NAME_INVALID'],
    ['an unknown method', { methods: { BEGIN: '/bin/true' } }, 'CONFIG_INVALID'],
    ['no method', { methods: {} }, 'CONFIG_INVALID'],
    ['a path that stays relative', { methods: { START: 'start' }, baseDirectory: '' }, 'CONFIG_INVALID'],
    ['a path that climbs', { methods: { START: '../start' } }, 'CONFIG_INVALID'],
    ['an unknown dependency', { dependsOn: ['nfs'] }, 'NOT_FOUND'],
    ['itself as dependency', { dependsOn: ['db'] }, 'DEPENDENCY_CYCLE'],
    ['the same dependency twice', { dependsOn: ['web', 'web'] }, 'CONFIG_INVALID'],
    ['an unknown logical host', { logicalHosts: ['ha9'] }, 'NOT_FOUND'],
    ['a timeout of half the logical host timeout', { timeoutsS: { START_NET: 90 } }, 'CONFIG_INVALID'],
    ['a timeout of nothing', { timeoutsS: { START_NET: 0 } }, 'CONFIG_INVALID'],
    ['a timeout of a method without a program', { timeoutsS: { STOP: 10 } }, 'CONFIG_INVALID'],
    ['a package with a comma', { packages: ['a,b'] }, 'CONFIG_INVALID'],
  ])('refuses %s', (_, wrong, code) => {
    expect(refusal(() => registerService(demo, { ...request, ...wrong })).code).toBe(code)
  })

  it('takes a timeout just below half of the logical host timeout', () => {
    expect(registerService(demo, { ...request, timeoutsS: { START_NET: 89 } })).toHaveLength(1)
  })

  it('says all that is wrong at once', () => {
    const error = refusal(() =>
      registerService(demo, { ...request, dependsOn: ['nfs'], logicalHosts: ['ha9'], timeoutsS: { START_NET: 500 } }),
    )
    expect(error.message).toBe('data service db cannot be registered')
    expect(error.details).toEqual([
      'the timeout of START_NET of db (500 s) is not below half of the logical host timeout (180 s)',
      'data service db depends on nfs, which is not registered',
      'data service db names logical host ha9, which is not configured',
    ])
  })

  it('names the limit that is reached', () => {
    const many = Array.from({ length: 500 }, (_, index) => ({ name: parseName('dataService', `s${index}`) }))
    const full = many.reduce((state, service) => withService({ ...service, state: 'off' }, state), demo)
    const error = refusal(() => registerService(full, request))
    expect([error.code, error.message]).toEqual([
      'LIMIT_REACHED',
      '502 data services are more than the 500 that Haven allows',
    ])
  })
})

describe('hareg -u', () => {
  it('unregisters what is off', () => {
    expect(unregisterService(withService({ state: 'off' }), 'web')).toEqual([
      { kind: 'delete-data-service', name: web },
    ])
  })

  it('refuses what is on, what is unknown and what others depend on', () => {
    const dependant = withService({ name: db, state: 'off', dependsOn: [web] }, withService({ state: 'off' }))
    expect(refusal(() => unregisterService(demo, 'web')).code).toBe('SERVICE_ON')
    expect(refusal(() => unregisterService(demo, 'nfs')).code).toBe('NOT_FOUND')
    expect(refusal(() => unregisterService(dependant, 'web')).toJSON()).toMatchObject({
      code: 'IN_USE',
      hint: 'Unregister first: hareg -u db',
    })
  })

  it('refuses what was switched off but is still stopping', () => {
    const stopping = withMastery(
      { kind: 'adjusting', by: parseName('physicalHost', 'alpha') },
      withService({ state: 'off' }),
    )
    expect(refusal(() => unregisterService(stopping, 'web'))).toMatchObject({
      code: 'LOGICAL_HOST_BUSY',
      retryable: true,
    })
  })
})

describe('dependencies in a circle', () => {
  it('are found whichever service closes the circle', () => {
    const chain = withService({ name: db, state: 'off', dependsOn: [web] }, withService({ state: 'off' }))
    const closed = withService({ state: 'off', dependsOn: [db] }, chain)
    const error = refusal(() => registerService(closed, { name: 'third', methods: { START: '/bin/true' } }))
    expect([error.code, error.message]).toEqual([
      'DEPENDENCY_CYCLE',
      'data services depend on each other in a circle: web -> db -> web',
    ])
  })
})
