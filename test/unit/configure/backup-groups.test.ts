import { describe, expect, it } from 'vitest'
import type { ConfigurationRequest } from '../../../src/framework/api/wire.ts'
import { decideClusterFile } from '../../../src/framework/configure/cluster-file-decide.ts'
import { parseClusterFile } from '../../../src/framework/configure/cluster-file-parse.ts'
import { writeClusterFile } from '../../../src/framework/configure/cluster-file-write.ts'
import { configurationOf } from '../../../src/framework/configure/configuration.ts'
import { decideRequest } from '../../../src/framework/configure/decide-request.ts'
import { describeChanges } from '../../../src/framework/configure/describe-changes.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { demo, refusal } from './fixture.ts'

/** The state after what is asked for; of hosts and networks only. */
function made(state: ClusterState, ...requests: readonly ConfigurationRequest[]): ClusterState {
  let now = state
  for (const request of requests) {
    for (const change of decideRequest(now, request)) {
      if (change.kind === 'put-network')
        now = { ...now, networks: new Map(now.networks).set(change.network.name, change.network) }
      if (change.kind === 'put-physical-host')
        now = {
          ...now,
          physicalHosts: new Map(now.physicalHosts).set(change.physicalHost.name, change.physicalHost),
        }
    }
  }
  return now
}

const group = (rest: object = {}): ConfigurationRequest => ({
  kind: 'backup-group',
  host: 'alpha',
  name: 'nafo0',
  adapters: ['eth0', 'eth7'],
  ...rest,
})

const connected = made(
  demo,
  { kind: 'network', name: 'pub', role: 'client' },
  { kind: 'network', name: 'priv1', role: 'internal' },
  { kind: 'physical-host', name: 'alpha', interfacesOn: ['pub:eth0:10.0.0.1', 'priv1:eth5:10.1.0.1'] },
)
const grouped = made(connected, group())
const messages = (state: ClusterState, request: ConfigurationRequest) => {
  const { message, details } = refusal(() => decideRequest(state, request))
  return [message, ...details].join('\n')
}

describe('pnmset', () => {
  it('makes a group on the network of its adapters', () => {
    expect([...grouped.physicalHosts.values()].flatMap(({ backupGroups }) => backupGroups)).toEqual([
      { name: 'nafo0', network: 'pub', adapters: ['eth0', 'eth7'] },
    ])
  })

  it('shows what it changes as people would say it', () => {
    const [change] = describeChanges(configurationOf(connected), decideRequest(connected, group()))
    expect(change?.lines).toEqual(['backupGroups: [] -> [nafo0: pub (eth0, eth7)]'])
  })

  it('gives a group other adapters, and changes nothing when it is so already', () => {
    const wider = made(grouped, group({ adapters: ['eth7', 'eth0', 'eth8'] }))
    expect([...wider.physicalHosts.values()].flatMap(({ backupGroups }) => backupGroups)).toEqual([
      { name: 'nafo0', network: 'pub', adapters: ['eth7', 'eth0', 'eth8'] },
    ])
    expect(decideRequest(wider, group({ adapters: ['eth7', 'eth0', 'eth8'] }))).toEqual([])
  })

  it('removes a group, and says which there are when there is no such one', () => {
    const gone = made(grouped, { kind: 'remove-backup-group', host: 'alpha', name: 'nafo0' })
    expect([...gone.physicalHosts.values()].flatMap(({ backupGroups }) => backupGroups)).toEqual([])
    const error = refusal(() => decideRequest(grouped, { kind: 'remove-backup-group', host: 'alpha', name: 'nafo1' }))
    expect(error).toMatchObject({ code: 'NOT_FOUND', hint: 'There are: nafo0.' })
  })

  it.each<[string, object, RegExp]>([
    ['an unknown host', { host: 'nobody' }, /no physical host nobody/],
    ['an unknown network', { network: 'moon' }, /no network moon for backup group nafo0 of alpha/],
    [
      'a network without logical addresses',
      { network: 'priv1', adapters: ['eth5'] },
      /priv1 carries no logical addresses/,
    ],
    ['no adapter', { network: 'pub', adapters: [] }, /nafo0 of alpha has no adapter/],
    ['an adapter twice', { adapters: ['eth0', 'eth0'] }, /names eth0 twice/],
    ['what is no adapter', { adapters: ['eth0', 'a/b'] }, /'a\/b' cannot be the name of an adapter/],
    ['a name that is none', { name: '0' }, /'0' cannot be the name of a backup group/],
    ['the name of an adapter', { name: 'eth7' }, /eth7 is the name of an adapter of alpha/],
    [
      'a group without the interface of its network',
      { adapters: ['eth7'], network: 'pub' },
      /is on eth0, which is not in its backup group/,
    ],
  ])('refuses %s', (_what, rest, message) => {
    expect(messages(connected, group(rest))).toMatch(message)
  })

  it('refuses an adapter in two groups, and two groups on one network', () => {
    const text = messages(grouped, group({ name: 'nafo1', adapters: ['eth7', 'eth8'], network: 'pub' }))
    expect(text).toMatch(/adapter eth7 of alpha is in backup groups nafo0 and nafo1/)
    expect(text).toMatch(/nafo0 and nafo1 of alpha are both on network pub/)
  })

  it('asks for the network where it is not clear', () => {
    const second = made(connected, { kind: 'network', name: 'pub2', role: 'client' })
    expect(messages(second, group({ adapters: ['eth8'] }))).toMatch(/not clear which network/)
    expect(made(second, group({ adapters: ['eth8'], network: 'pub2' })).physicalHosts.size).toBeGreaterThan(0)
  })
})

describe('backup groups in a cluster file', () => {
  const apply = (text: string, state: ClusterState) => decideClusterFile(parseClusterFile(text, 'c.yaml'), state, false)

  it('are written, and read back as what they are', () => {
    const text = writeClusterFile(grouped)
    expect(text).toMatch(/backupGroups:\s+nafo0:\s+network: pub\s+adapters: \[eth0, eth7\]/)
    expect(apply(text, grouped).changes).toEqual([])
  })

  it('have tests whose figures may be set for a network, within reason', () => {
    const text = (figures: string) =>
      `cluster: {name: demo}\nnetworks:\n  pub: {role: client, adapterTests: {${figures}}}\n`
    const [change] = apply(text('inactiveMs: 5000'), connected).changes
    expect(change).toMatchObject({
      kind: 'put-network',
      network: { adapterTests: { inactiveMs: 5_000, pingTimeoutMs: 300, repeatTests: 3 } },
    })
    const { details } = refusal(() => apply(text('inactiveMs: 1, repeatTests: 0.5'), connected))
    expect(details.join('\n')).toMatch(/inactiveMs of network pub is 1; it must be a whole number from 100 to 600000/)
    expect(details.join('\n')).toMatch(/repeatTests of network pub is 0.5/)
    const { message, details: others } = refusal(() => apply(text('pingTimeoutMs: 2000'), connected))
    expect([message, ...others].join()).toMatch(/compareMs of network pub is shorter than its pingTimeoutMs/)
  })
})
