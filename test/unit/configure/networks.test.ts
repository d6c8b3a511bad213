import { describe, expect, it } from 'vitest'
import type { ConfigurationRequest } from '../../../src/framework/api/wire.ts'
import { decideClusterFile } from '../../../src/framework/configure/cluster-file-decide.ts'
import { parseClusterFile } from '../../../src/framework/configure/cluster-file-parse.ts'
import { writeClusterFile } from '../../../src/framework/configure/cluster-file-write.ts'
import { configurationOf } from '../../../src/framework/configure/configuration.ts'
import { decideRequest } from '../../../src/framework/configure/decide-request.ts'
import { describeChanges } from '../../../src/framework/configure/describe-changes.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import type { ConfigurationChange } from '../../../src/framework/model/configuration-change.ts'
import { alpha, demo, refusal } from './fixture.ts'

/** The state after requests that are carried out one after the other. */
function withAll(state: ClusterState, ...requests: readonly ConfigurationRequest[]): ClusterState {
  let now = state
  for (const request of requests) now = withChanges(now, decideRequest(now, request))
  return now
}

function withChanges(state: ClusterState, changes: readonly ConfigurationChange[]): ClusterState {
  const networks = new Map(state.networks)
  const physicalHosts = new Map(state.physicalHosts)
  let { cluster } = state
  for (const change of changes) {
    if (change.kind === 'put-network') networks.set(change.network.name, change.network)
    else if (change.kind === 'delete-network') networks.delete(change.name)
    else if (change.kind === 'put-physical-host') physicalHosts.set(change.physicalHost.name, change.physicalHost)
    else if (change.kind === 'cluster') cluster = change.cluster
    else throw new Error(`got ${change.kind}`)
  }
  return { ...state, networks, physicalHosts, cluster }
}

const on = (name: string, ...interfacesOn: readonly string[]): ConfigurationRequest => ({
  kind: 'physical-host',
  name,
  interfacesOn,
})

const priv: ConfigurationRequest = { kind: 'network', name: 'priv1' }
const open: ConfigurationRequest = { kind: 'network', name: 'pub', role: 'client', probeTargets: ['10.0.0.254'] }
const joined = withAll(
  demo,
  priv,
  open,
  on('alpha', 'priv1:eth1:10.1.0.1', 'pub:eth0:10.0.0.1'),
  on('beta', 'priv1:eth1:10.1.0.2', 'pub:eth1:10.0.0.2'),
)

describe('scconf --network and --interface', () => {
  it('makes a private network of hosts that are connected to it', () => {
    expect([...joined.networks.values()]).toEqual([
      { name: 'priv1', role: 'internal', probeTargets: [] },
      { name: 'pub', role: 'client', probeTargets: ['10.0.0.254'] },
    ])
    expect(joined.physicalHosts.get(alpha)?.interfaces).toEqual([
      { network: 'priv1', adapter: 'eth1', address: '10.1.0.1' },
      { network: 'pub', adapter: 'eth0', address: '10.0.0.1' },
    ])
  })

  it('changes what is given and leaves the rest, and asks for nothing when it is so already', () => {
    expect(decideRequest(joined, on('alpha', 'priv1:eth1:10.1.0.1'))).toEqual([])
    expect(decideRequest(joined, { kind: 'network', name: 'pub' })).toEqual([])
    const alone = withAll(demo, priv, on('alpha', 'priv1:eth1:10.1.0.1'), on('alpha', 'priv1:eth2:FD00:0::1'))
    const changed = withAll(alone, on('beta', 'priv1:eth1:fd00::2'))
    const both = [...changed.physicalHosts.values()].map(({ interfaces }) => interfaces.map(({ address }) => address))
    expect(both).toEqual([['fd00::1'], ['fd00::2']])
  })

  it.each<[string, ConfigurationRequest, string, string]>([
    ['a network that is not configured', on('alpha', 'priv9:eth1:10.9.0.1'), 'NOT_FOUND', 'there is no network priv9'],
    ['something that is no interface', on('alpha', 'priv1'), 'CONFIG_INVALID', "'priv1' is no interface"],
    ['no address', on('alpha', 'priv1:eth1:gamma'), 'CONFIG_INVALID', "'gamma', address of alpha on network priv1"],
    ['a multicast address', on('alpha', 'priv1:eth1:224.0.0.1'), 'CONFIG_INVALID', 'a multicast'],
    ['an adapter that cannot be', on('alpha', 'priv1:an/adapter:10.1.0.1'), 'CONFIG_INVALID', 'name of an adapter'],
    [
      'an address of another host',
      on('alpha', 'priv1:eth1:10.1.0.2'),
      'CONFIG_INVALID',
      '10.1.0.2 is an address of physical host alpha already',
    ],
    [
      'an own address twice',
      on('alpha', 'priv1:eth1:10.0.0.1'),
      'CONFIG_INVALID',
      'twice an address of physical host alpha',
    ],
    [
      'a logical address',
      on('alpha', 'priv1:eth1:10.0.0.12'),
      'CONFIG_INVALID',
      'an address of logical host ha2 already',
    ],
    [
      'IPv4 and IPv6 on one network',
      on('alpha', 'priv1:eth1:fd00::1'),
      'CONFIG_INVALID',
      'heartbeats need one of them',
    ],
    [
      'an interface that is not there',
      { kind: 'physical-host', name: 'alpha', withoutInterfaces: ['priv9'] },
      'NOT_FOUND',
      'no interface on network priv9',
    ],
    [
      'a probe that is no address',
      { kind: 'network', name: 'pub', probeTargets: ['gateway'] },
      'CONFIG_INVALID',
      "'gateway', probe target of network pub",
    ],
    [
      'a network that is not there',
      { kind: 'remove-network', name: 'priv9' },
      'NOT_FOUND',
      'there is no network priv9',
    ],
  ])('refuses %s', (_what, request, code, message) => {
    expect(refusal(() => decideRequest(joined, request))).toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })

  it('tells all problems at once', () => {
    const wrong = on('alpha', 'priv1:a b:10.1.0.1', 'priv7:eth3:nothing')
    const details = refusal(() => decideRequest(joined, wrong)).details.join('\n')
    for (const part of ["'a b'", 'priv7', "'nothing'"]) expect(details).toContain(part)
  })
})

describe('a network that something rests on', () => {
  it.each<[string, ConfigurationRequest]>([
    ['removed', { kind: 'remove-network', name: 'priv1' }],
    ['for clients only', { kind: 'network', name: 'priv1', role: 'client' }],
    ['without its second host', { kind: 'physical-host', name: 'beta', withoutInterfaces: ['priv1'] }],
  ])('is not %s when it is the last one that carries heartbeats', (_what, request) => {
    const { code, message } = refusal(() => decideRequest(joined, request))
    expect(code).toBe('IN_USE')
    expect(message).toContain('priv1 is the last one that carries heartbeats')
  })

  it('may go when another one carries heartbeats', () => {
    const second = withAll(
      joined,
      { kind: 'network', name: 'priv2' },
      on('alpha', 'priv2:eth2:10.2.0.1'),
      on('beta', 'priv2:eth2:10.2.0.2'),
    )
    const left = withAll(second, { kind: 'remove-network', name: 'priv1' })
    expect([...left.networks.keys()]).toEqual(['pub', 'priv2'])
    expect([...left.physicalHosts.values()].map(({ interfaces }) => interfaces.map(({ network }) => network))).toEqual([
      ['priv2', 'pub'],
      ['priv2', 'pub'],
    ])
    const mixed = withAll(joined, { kind: 'network', name: 'pub', role: 'both' })
    expect(decideRequest(mixed, { kind: 'remove-network', name: 'priv1' }).length).toBe(3)
  })

  it.each<[string, ConfigurationRequest]>([
    ['removed', { kind: 'remove-network', name: 'pub' }],
    ['an internal one', { kind: 'network', name: 'pub', role: 'internal' }],
    ['only looked at', { kind: 'network', name: 'pub', role: 'none' }],
  ])('is not %s while logical addresses depend on it', (_what, request) => {
    const { code, message, details } = refusal(() => decideRequest(joined, request))
    expect(code).toBe('IN_USE')
    expect([message, ...details].join()).toContain('address 10.0.0.12 of logical host ha2 depends on network pub')
  })
})

describe('the timings of heartbeats', () => {
  it('are changed one by one', () => {
    const { cluster } = withAll(demo, { kind: 'heartbeats', intervalMs: 25 }, { kind: 'heartbeats', suspectMs: 120 })
    expect(cluster.heartbeats).toEqual({ intervalMs: 25, suspectMs: 120 })
  })

  it('must fit together, and into the guard', () => {
    expect(refusal(() => decideRequest(demo, { kind: 'heartbeats', suspectMs: 100 })).message).toContain('three times')
    expect(refusal(() => decideRequest(demo, { kind: 'heartbeats', suspectMs: 1_500 })).message).toContain('guardMs')
  })
})

describe('a cluster file with networks', () => {
  const apply = (text: string, state = demo, prune = false) =>
    decideClusterFile(parseClusterFile(text, 'c.yaml'), state, prune)

  it('is what was exported, and changes nothing', () => {
    const text = writeClusterFile(joined)
    expect(text).toContain(
      'networks:\n  priv1: {role: internal}\n  pub:\n    role: client\n    probeTargets: [10.0.0.254]\n',
    )
    expect(text).toContain('priv1: {adapter: eth1, address: 10.1.0.1}')
    expect(apply(text, joined, true).changes).toEqual([])
  })

  it('defines them, and says what changes', () => {
    const text =
      'cluster: {name: demo}\nnetworks:\n  priv1:\nphysicalHosts:\n  alpha: {interfaces: {priv1: {adapter: e1, address: 10.1.0.1}}}\n'
    const { changes } = apply(text)
    const lines = describeChanges(configurationOf(demo), changes).flatMap(({ kind, what, lines: own }) => [
      `${kind} ${what}`,
      ...own,
    ])
    expect(lines).toContain('add network priv1')
    expect(lines).toContain('role: internal')
    expect(lines).toContain('interfaces: [] -> [priv1: e1 10.1.0.1]')
  })

  it('is refused with the line of what is wrong', () => {
    const text =
      'cluster:\n  name: demo\n  heartbeats: {intervalMs: 100}\nphysicalHosts:\n  alpha:\n    interfaces:\n      priv1: {adapter: e1, address: x}\n'
    const { details } = refusal(() => apply(text))
    expect(details[0]).toContain('c.yaml:3:3: suspectMs is 250')
    expect(details.slice(1).every((line) => line.startsWith('c.yaml:7:7: '))).toBe(true)
    expect(details.length).toBe(3)
  })

  it('keeps what it does not name unless it is pruned', () => {
    const text = 'cluster: {name: demo}\nnetworks:\n  pub: {role: client, probeTargets: [10.0.0.254]}\n'
    expect(apply(text, joined).kept.map(({ what }) => what)).toEqual(['network priv1'])
    expect(refusal(() => apply(text, joined, true)).details.join('\n')).toContain('there is no network priv1')
  })
})
