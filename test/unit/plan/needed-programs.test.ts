import { describe, expect, it } from 'vitest'
import type { DataService, LogicalHost, MethodName } from '../../../src/framework/model/cluster-config.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { neededPrograms } from '../../../src/framework/plan/needed-programs.ts'
import { smallState } from '../execute/small-state.ts'

const [alpha, beta] = ['alpha', 'beta'].map((name) => parseName('physicalHost', name)) as [never, never]
const small = smallState()

function service(name: string, state: 'on' | 'off', at: readonly string[], programs: readonly string[]): DataService {
  const names: readonly MethodName[] = ['START', 'STOP', 'ABORT']
  const methods = Object.fromEntries(programs.map((program, index) => [names[index], { program, timeoutS: 60 }]))
  const logicalHosts = at.map((one) => parseName('logicalHost', one))
  return {
    ...(small.dataServices.values().next().value as DataService),
    name: parseName('dataService', name),
    state,
    methods,
    logicalHosts,
  }
}

function needed(services: readonly DataService[], root = '/'): readonly string[] {
  const only = (name: string, change: Partial<LogicalHost>): readonly [LogicalHost['name'], LogicalHost] => {
    const logicalHost = small.logicalHosts.get(parseName('logicalHost', name)) as LogicalHost
    return [logicalHost.name, { ...logicalHost, ...change }]
  }
  const diskGroups = ['dg1', 'dg2'].map((name) => parseName('diskGroup', name))
  const logicalHosts = new Map([only('ha1', { diskGroups }), only('ha2', { physicalHosts: [beta] })])
  const state = { ...small, logicalHosts, dataServices: new Map(services.map((one) => [one.name, one])) }
  return neededPrograms(state, alpha, root).map(
    (one) => `${one.service.name} ${one.logicalHosts}: ${one.programs.join(' ')}`,
  )
}

describe('what a host must be able to execute', () => {
  it('is each program once, of services that are on before others', () => {
    const services = [
      service('a', 'off', ['ha1'], ['/opt/a']),
      service('c', 'on', ['ha1'], ['/opt/c/stop', '/opt/c/start', '/opt/c/stop']),
      service('b', 'on', ['ha1'], ['/opt/b']),
    ]
    expect(needed(services)).toEqual(['b ha1: /opt/b', 'c ha1: /opt/c/start /opt/c/stop', 'a ha1: /opt/a'])
  })

  it('is nothing of services that it is no possible master for', () => {
    const services = [service('a', 'on', ['ha2'], ['/opt/a']), service('b', 'on', [], ['/opt/b'])]
    expect(needed(services)).toEqual([])
    expect(needed([service('c', 'on', ['ha1', 'ha2'], ['/opt/c'])])).toEqual(['c ha1: /opt/c'])
  })

  it('is nothing that comes with a disk group, wherever that is mounted', () => {
    const services = [service('a', 'on', ['ha1'], ['/ha1/bin/start', '/ha10/stop', '/dg2/abort'])]
    expect(needed(services)).toEqual(['a ha1: /ha10/stop'])
    const rooted = [service('a', 'on', ['ha1'], ['/srv/h/ha1/start', '/srv/h/dg2/stop', '/ha1/abort'])]
    expect(needed(rooted, '/srv/h')).toEqual(['a ha1: /ha1/abort'])
  })
})
