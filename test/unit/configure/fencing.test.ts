import { describe, expect, it } from 'vitest'
import type { ConfigurationRequest } from '../../../src/framework/api/wire.ts'
import { decideClusterFile } from '../../../src/framework/configure/cluster-file-decide.ts'
import { parseClusterFile } from '../../../src/framework/configure/cluster-file-parse.ts'
import { writeClusterFile } from '../../../src/framework/configure/cluster-file-write.ts'
import { decideRequest } from '../../../src/framework/configure/decide-request.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import type { ConfigurationChange } from '../../../src/framework/model/configuration-change.ts'
import { beta, demo, refusal } from './fixture.ts'

const device = {
  kind: 'fence-device',
  name: 'bmc',
  program: 'fence_ipmilan',
  agent: 'fence-agent',
  hosts: ['beta'],
  options: ['ip=10.0.9.2', 'password@file=/etc/haven/bmc', 'note=a=b'],
  plugs: { beta: '7' },
} as const satisfies ConfigurationRequest

/** The state after these changes, as far as it is configured. */
function apply(state: ClusterState, changes: readonly ConfigurationChange[]): ClusterState {
  let { cluster } = state
  const fenceDevices = new Map(state.fenceDevices)
  const physicalHosts = new Map(state.physicalHosts)
  for (const change of changes) {
    if (change.kind === 'cluster') cluster = change.cluster
    else if (change.kind === 'put-fence-device') fenceDevices.set(change.fenceDevice.name, change.fenceDevice)
    else if (change.kind === 'put-physical-host') physicalHosts.set(change.physicalHost.name, change.physicalHost)
    else throw new Error(`not expected: ${change.kind}`)
  }
  return { ...state, cluster, fenceDevices, physicalHosts }
}

const ask = (state: ClusterState, ...requests: readonly ConfigurationRequest[]): ClusterState =>
  requests.reduce((now, request) => apply(now, decideRequest(now, request)), state)

const fenced = ask(demo, device, { kind: 'fence-levels', text: 'beta=bmc' })

describe('scconf --fence-device', () => {
  it('defines a device, with defaults for what is not named', () => {
    expect([...fenced.fenceDevices.values()]).toEqual([
      {
        name: 'bmc',
        agent: 'fence-agent',
        program: 'fence_ipmilan',
        options: { ip: '10.0.9.2', 'password@file': '/etc/haven/bmc', note: 'a=b' },
        plugs: { beta: '7' },
        hosts: ['beta'],
        action: 'off',
        timeoutMs: 20_000,
      },
    ])
  })

  it('changes what is named, and leaves the rest', () => {
    const [changed] = ask(fenced, { kind: 'fence-device', name: 'bmc', action: 'reboot' }).fenceDevices.values()
    expect(changed).toMatchObject({ action: 'reboot', program: 'fence_ipmilan', plugs: { beta: '7' } })
  })

  it.each([
    [{ ...device, options: ['password=secret'] }, 'is a secret, which the cluster database does not keep'],
    [{ ...device, options: ['snmp_priv_passwd=x'] }, 'is a secret'],
    [{ ...device, options: ['key@file=relative'] }, 'is no absolute path'],
    [{ ...device, options: ['nothing'] }, "'nothing' is no option"],
    [{ ...device, options: ['a=line\nbreak'] }, 'more than a line'],
    [{ ...device, program: 'bin/fence' }, 'cannot be the program'],
    [{ ...device, hosts: ['gamma'], plugs: {} }, 'fences gamma, which is no physical host'],
    [{ ...device, hosts: [], plugs: {} }, 'fences no host'],
    [{ ...device, plugs: { alpha: '1' } }, 'has a plug for alpha, which it does not fence'],
    [{ ...device, timeoutMs: 5 }, 'timeoutMs of fence device bmc is 5'],
    [{ kind: 'fence-device', name: 'new', hosts: ['beta'] }, 'is new, and its program is not given'],
  ] as [ConfigurationRequest, string][])('refuses %j', (request, what) => {
    expect(refusal(() => decideRequest(demo, request)).message).toContain(what)
  })

  it('lets a script that tells a password pass, and where one is', () => {
    const options = ['passwd_script=/usr/local/bin/ask', 'identity_file=/etc/haven/key']
    expect(decideRequest(demo, { ...device, options })).toHaveLength(1)
  })

  it('removes a device only when no level names it', () => {
    const remove = { kind: 'remove-fence-device', name: 'bmc' } as const
    expect(refusal(() => decideRequest(fenced, remove)).code).toBe('IN_USE')
    const free = ask(fenced, { kind: 'fence-levels', text: 'beta=' })
    expect(decideRequest(free, remove)).toEqual([{ kind: 'delete-fence-device', name: 'bmc' }])
    expect(refusal(() => decideRequest(demo, remove)).code).toBe('NOT_FOUND')
  })
})

describe('scconf --fence-levels', () => {
  it('reads devices of a level and further levels', () => {
    const pdus = ask(fenced, { ...device, name: 'pdu1' }, { ...device, name: 'pdu2' })
    const levels = ask(pdus, { kind: 'fence-levels', text: 'beta=bmc; pdu1, pdu2' }).physicalHosts.get(
      beta,
    )?.fenceLevels
    expect(levels).toEqual([['bmc'], ['pdu1', 'pdu2']])
  })

  it.each([
    ['beta', 'does not say whose fence levels they are'],
    ['gamma=bmc', 'there is no physical host gamma'],
    ['beta=nothing', 'there is no fence device nothing'],
    ['alpha=bmc', 'fence device bmc does not fence alpha'],
    ['beta=bmc,bmc', 'names bmc twice'],
  ])('refuses %s', (text, what) => {
    expect(refusal(() => decideRequest(fenced, { kind: 'fence-levels', text })).message).toContain(what)
  })
})

describe('limits', () => {
  it.each([
    [{ kind: 'fencing-limits', shareMax: 1.5 }, 'fencing.shareMax is 1.5'],
    [{ kind: 'fencing-limits', delayMs: -1 }, 'fencing.delayMs is -1'],
    [{ kind: 'fencing-limits', statusEveryMs: 5 }, 'fencing.statusEveryMs is 5'],
    [{ kind: 'rejoins', rejoinsMax: -1 }, 'rejoins.rejoinsMax is -1'],
    [{ kind: 'rejoins', windowMs: 0 }, 'rejoins.windowMs is 0'],
  ] as [ConfigurationRequest, string][])('refuses %j', (request, what) => {
    expect(refusal(() => decideRequest(demo, request)).message).toContain(what)
  })

  it('are set one by one', () => {
    const set = ask(demo, { kind: 'fencing-limits', statusEveryMs: 0 }, { kind: 'rejoins', rejoinsMax: 2 })
    expect(set.cluster.fencing).toEqual({ ...demo.cluster.fencing, statusEveryMs: 0 })
    expect(set.cluster.rejoins).toEqual({ ...demo.cluster.rejoins, rejoinsMax: 2 })
  })
})

describe('a cluster file', () => {
  it('holds all of it; what is exported changes nothing when it is applied', () => {
    const text = writeClusterFile(fenced)
    expect(text).toContain('fenceDevices:')
    expect(decideClusterFile(parseClusterFile(text, 'cluster.yaml'), fenced, true).changes).toEqual([])
  })

  it('takes a device and the level of a host in one go', () => {
    const text = `cluster: { name: demo }
fenceDevices:
  bmc: { program: /sbin/bmc, hosts: [beta], options: { port: 7 } }
physicalHosts:
  beta: { publicNames: [beta.example], fenceLevels: [bmc] }
`
    const { changes } = decideClusterFile(parseClusterFile(text, 'cluster.yaml'), demo, false)
    expect(changes.map(({ kind }) => kind)).toEqual(['put-fence-device', 'put-physical-host'])
  })
})
