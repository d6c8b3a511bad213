import { describe, expect, it } from 'vitest'
import type { ConfigurationRequest } from '../../../src/framework/api/wire.ts'
import { decideRequest } from '../../../src/framework/configure/decide-request.ts'
import type { LogicalHost } from '../../../src/framework/model/cluster-config.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { alpha, beta, demo, ha2, refusal, withMastery, withService } from './fixture.ts'

const add: Extract<ConfigurationRequest, { kind: 'add-logical-host' }> = {
  kind: 'add-logical-host',
  name: 'ha3',
  physicalHosts: ['alpha', 'beta'],
  diskGroups: ['dg3'],
  interfaces: [['eth0', 'eth1', '10.0.0.13/24']],
}
const idle = withMastery({ kind: 'unmastered', why: 'maintenance', uncleanOn: [] })

function put(state: ClusterState, request: ConfigurationRequest): LogicalHost {
  const [change] = decideRequest(state, request)
  if (change?.kind !== 'put-logical-host') throw new Error(`got ${change?.kind}`)
  return change.logicalHost
}

describe('scconf -L', () => {
  it('adds a logical host with an address on a network', () => {
    expect(put(demo, add)).toEqual({
      name: 'ha3',
      physicalHosts: [alpha, beta],
      diskGroups: ['dg3'],
      addresses: [{ kind: 'ip', address: '10.0.0.13', prefixLength: 24, adapters: { alpha: 'eth0', beta: 'eth1' } }],
      switchback: 'automatic',
      onStuck: 'stay',
    })
  })

  it.each([
    [['127.1.0.3'], { kind: 'local', address: '127.1.0.3', prefixLength: 32, adapters: {} }],
    [['lo', 'lo', '127.1.0.3/8'], { kind: 'local', address: '127.1.0.3', prefixLength: 8, adapters: {} }],
    [
      ['e0', 'e1', 'FD00:0:0::1'],
      { kind: 'ip', address: 'fd00::1', prefixLength: 128, adapters: { alpha: 'e0', beta: 'e1' } },
    ],
  ])('makes of -i %j an address of the right kind, in canonical text', (words, address) => {
    expect(put(demo, { ...add, interfaces: [words] }).addresses).toEqual([address])
  })

  it.each([
    ['a name that is taken', { name: 'ha1' }, 'ALREADY_EXISTS'],
    ['the name of a physical host', { name: 'alpha' }, 'CONFIG_INVALID'],
    ['the name of a directory of the system', { name: 'etc' }, 'CONFIG_INVALID'],
    ['an unknown physical host', { physicalHosts: ['alpha', 'gamma'] }, 'NOT_FOUND'],
    ['a physical host twice', { physicalHosts: ['alpha', 'alpha'], interfaces: [] }, 'CONFIG_INVALID'],
    ['no physical host', { physicalHosts: [], interfaces: [] }, 'CONFIG_INVALID'],
    ['no disk group', { diskGroups: [] }, 'CONFIG_INVALID'],
    ['an unknown disk group', { diskGroups: ['dg9'] }, 'NOT_FOUND'],
    ['a disk group of another logical host', { diskGroups: ['dg1'] }, 'IN_USE'],
    ['an address of another logical host', { interfaces: [['eth0', 'eth1', '10.0.0.12/24']] }, 'CONFIG_INVALID'],
    ['an address twice', { interfaces: [['127.9.9.9'], ['127.9.9.9']] }, 'CONFIG_INVALID'],
    ['too few adapters', { interfaces: [['eth0', '10.0.0.13']] }, 'CONFIG_INVALID'],
    ['no adapters', { interfaces: [['10.0.0.13']] }, 'CONFIG_INVALID'],
    ['an address on lo that is not local', { interfaces: [['lo', 'lo', '10.0.0.13']] }, 'CONFIG_INVALID'],
    ['a name that nobody knows', { interfaces: [['eth0', 'eth1', 'logaddr1']] }, 'CONFIG_INVALID'],
    ['an address with leading zeros', { interfaces: [['eth0', 'eth1', '10.0.0.013']] }, 'CONFIG_INVALID'],
    ['a multicast address', { interfaces: [['eth0', 'eth1', '224.0.0.1']] }, 'CONFIG_INVALID'],
    ['a link-local address', { interfaces: [['eth0', 'eth1', 'fe80::1']] }, 'CONFIG_INVALID'],
    ['a prefix that is too long', { interfaces: [['eth0', 'eth1', '10.0.0.13/33']] }, 'CONFIG_INVALID'],
    ['an adapter that is none', { interfaces: [['eth0', 'eth 1', '10.0.0.13']] }, 'CONFIG_INVALID'],
  ])('refuses %s', (_, wrong, code) => {
    expect(refusal(() => decideRequest(demo, { ...add, ...wrong })).code).toBe(code)
  })

  it('says how to define a disk group that is not there', () => {
    expect(refusal(() => decideRequest(demo, { ...add, diskGroups: ['dg9'] })).hint).toBe(
      "Define it first: 'scconf CLUSTER --disk-group dg9 --define directory:/PATH', or 'scconf CLUSTER --disk-group dg9 --define filesystem:/dev/DEVICE:ext4'.",
    )
  })
})

describe('a logical host that is mastered', () => {
  const change = { kind: 'change-logical-host', name: 'ha1' } as const

  it('keeps its disk groups and addresses, until it is in maintenance', () => {
    for (const wrong of [{ diskGroups: ['dg3'] }, { interfaces: [['127.1.0.9']] }]) {
      expect(refusal(() => decideRequest(demo, { ...change, ...wrong }))).toMatchObject({
        code: 'IN_USE',
        hint: 'Put it into maintenance first: haswitch -m ha1',
      })
      expect(decideRequest(idle, { ...change, ...wrong })).toHaveLength(1)
    }
  })

  it('keeps its master in its list; the rest of the list may change', () => {
    expect(put(demo, { ...change, physicalHosts: ['alpha'] }).physicalHosts).toEqual([alpha])
    expect(refusal(() => decideRequest(demo, { ...change, physicalHosts: ['beta'] })).code).toBe('IN_USE')
  })

  it('keeps its heir in its list while it is being given up', () => {
    const moving = withMastery({ kind: 'givingUp', by: alpha, destination: { kind: 'to', host: beta }, uncleanOn: [] })
    expect(refusal(() => decideRequest(moving, { ...change, physicalHosts: ['alpha'] })).code).toBe('IN_USE')
  })

  it('may get an adapter on a host that does not hold it', () => {
    const state = withMastery({ kind: 'mastered', by: beta }, demo, ha2)
    const moved = { kind: 'change-logical-host', name: 'ha2' } as const
    expect(put(state, { ...moved, interfaces: [['eth1', 'eth5', '10.0.0.12/24']] }).addresses[0]?.adapters).toEqual({
      beta: 'eth1',
      alpha: 'eth5',
    })
    expect(refusal(() => decideRequest(state, { ...moved, interfaces: [['eth7', 'eth0', '10.0.0.12/24']] })).code).toBe(
      'IN_USE',
    )
  })

  it('may change its switchback', () => {
    expect(put(demo, { ...change, switchback: 'manual' }).switchback).toBe('manual')
    expect(decideRequest(demo, { ...change, switchback: 'automatic' })).toEqual([])
  })

  it('cannot be removed; neither can one with services, or one that a lost host may have left behind', () => {
    const remove = { kind: 'remove-logical-host', name: 'ha1' } as const
    const free = withService({ state: 'off', logicalHosts: [] })
    expect(refusal(() => decideRequest(demo, remove)).message).toBe(
      'logical host ha1 has data services configured on it: web',
    )
    expect(refusal(() => decideRequest(free, remove)).code).toBe('IN_USE')
    const unclean = withMastery({ kind: 'unmastered', why: 'no-possible-master', uncleanOn: [alpha] }, free)
    expect(refusal(() => decideRequest(unclean, remove)).message).toContain('alpha was lost')
    const clean = withMastery({ kind: 'unmastered', why: 'maintenance', uncleanOn: [] }, free)
    expect(decideRequest(clean, remove)).toEqual([{ kind: 'delete-logical-host', name: 'ha1' }])
  })
})

describe('disk groups', () => {
  it('are defined by words', () => {
    const definitions = ['filesystem:/dev/vdc:ext4', 'filesystem:/dev/vdd:xfs:/data/pg:noatime+nodiratime']
    expect(decideRequest(demo, { kind: 'disk-group', name: 'pg', definitions })).toEqual([
      {
        kind: 'put-disk-group',
        diskGroup: {
          kind: 'filesystem',
          name: 'pg',
          fileSystems: [
            { device: '/dev/vdc', type: 'ext4', mountPoint: '', options: [] },
            { device: '/dev/vdd', type: 'xfs', mountPoint: '/data/pg', options: ['noatime', 'nodiratime'] },
          ],
        },
      },
    ])
  })

  it.each([
    ['nothing', []],
    ['an unknown kind', ['zfs:tank']],
    ['an unknown file system', ['filesystem:/dev/vdc:btrfs']],
    ['a directory beside something', ['directory:/a', 'directory:/b']],
    ['a relative directory', ['directory:srv']],
    ['a directory that climbs', ['directory:/srv/../etc']],
    ['the directory of another', ['directory:/srv/dg1']],
    ['a directory within that of another', ['directory:/srv/dg1/inner']],
    ['the device of another', ['filesystem:/dev/vdb:ext4']],
    ['a mount option with a comma', ['filesystem:/dev/vdc:ext4::ro,suid']],
  ])('refuse %s', (_, definitions) => {
    expect(refusal(() => decideRequest(demo, { kind: 'disk-group', name: 'pg', definitions })).code).toBe(
      'CONFIG_INVALID',
    )
  })

  it('stay as they are while their logical host is held, and while anybody has them', () => {
    const request = { kind: 'disk-group', name: 'dg1', definitions: ['directory:/srv/new'] } as const
    expect(refusal(() => decideRequest(demo, request)).code).toBe('IN_USE')
    expect(decideRequest(idle, request)).toHaveLength(1)
    expect(refusal(() => decideRequest(idle, { kind: 'remove-disk-group', name: 'dg1' })).code).toBe('IN_USE')
    expect(decideRequest(idle, { kind: 'remove-disk-group', name: 'dg3' })).toHaveLength(1)
  })

  it('may not be mounted over the system or each other', () => {
    const mountedAt = (mountPoint: string) =>
      refusal(() =>
        decideRequest(demo, {
          kind: 'disk-group',
          name: 'dg2',
          definitions: [`filesystem:/dev/vdb:ext4:${mountPoint}`],
        }),
      ).code
    for (const point of ['/etc', '/usr/lib/x', '/var/lib/haven/database', '/ha1', '/ha1/below']) {
      expect([point, mountedAt(point)]).toEqual([point, 'CONFIG_INVALID'])
    }
  })
})

describe('the cluster', () => {
  it('keeps the step timeout at or above the logical host timeout, and methods below half of it', () => {
    expect(decideRequest(demo, { kind: 'timeouts', logicalHostTimeoutS: 300 })).toHaveLength(1)
    expect(refusal(() => decideRequest(demo, { kind: 'timeouts', stepTimeoutS: 100 })).code).toBe('CONFIG_INVALID')
    expect(refusal(() => decideRequest(demo, { kind: 'timeouts', logicalHostTimeoutS: 120 })).message).toBe(
      'the timeout of START of web (60 s) is not below half of the logical host timeout (120 s)',
    )
  })

  it('takes profiles of timings, single figures on top, and checks their meaning', () => {
    expect(decideRequest(demo, { kind: 'timings', profile: 'default' })).toEqual([])
    expect(decideRequest(demo, { kind: 'timings', profile: 'relaxed', stampMs: 900 })).toMatchObject([
      { cluster: { timings: { stampMs: 900, guardMs: 4000 } } },
    ])
    expect(refusal(() => decideRequest(demo, { kind: 'timings', stampMs: 1_000 })).code).toBe('CONFIG_INVALID')
  })

  it('refuses budgets and facilities that are none', () => {
    expect(refusal(() => decideRequest(demo, { kind: 'budgets', takeoversMax: 0 })).code).toBe('CONFIG_INVALID')
    expect(refusal(() => decideRequest(demo, { kind: 'syslog-facility', facility: 'kern9' })).code).toBe(
      'CONFIG_INVALID',
    )
  })

  it('keeps physical hosts that are members, or in a list', () => {
    expect(decideRequest(demo, { kind: 'physical-host', name: 'gamma' })).toHaveLength(1)
    expect(decideRequest(demo, { kind: 'physical-host', name: 'alpha' })).toEqual([])
    expect(refusal(() => decideRequest(demo, { kind: 'remove-physical-host', name: 'alpha' })).code).toBe('IN_USE')
    expect(refusal(() => decideRequest(demo, { kind: 'remove-physical-host', name: 'gamma' })).code).toBe('NOT_FOUND')
  })
})
