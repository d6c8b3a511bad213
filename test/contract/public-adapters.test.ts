import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LogicalAddress } from '../../src/framework/model/cluster-config.ts'
import type { AddressMoved, GroupPlace } from '../../src/framework/ports/public-adapters.ts'
import { eventually } from '../eventually.ts'
import { missingFor, type NamespaceHost } from './driver-rig/namespace-host.ts'
import { Network, neighbourOf, untilNeighbour } from './driver-rig/network.ts'

const missing = await missingFor(['ip', 'unshare', 'nsenter', 'perl', 'ping'])
const network = new Network()
const never = new AbortController().signal
const V4: LogicalAddress = { kind: 'ip', address: '10.88.0.100', prefixLength: 24, adapters: {} }
const V6: LogicalAddress = { kind: 'ip', address: 'fd00:88::100', prefixLength: 64, adapters: {} }
const LOGICAL = [V4, V6]

/** Adapters of h1: `eth0` and `eth1`, both plugged into the switch as `h1` and `h1b`. */
function group(active: string): GroupPlace {
  return { name: 'nafo0', active, adapters: ['eth0', 'eth1'] }
}

describe.skipIf(missing !== undefined)(`public adapters${missing === undefined ? '' : ` (${missing})`}`, () => {
  let h1: NamespaceHost
  const call = (method: string, ...words: readonly unknown[]) => h1.call('adapters', method, words, never)
  const grouped = (method: string, address: LogicalAddress) =>
    h1.call('grouped', method, [{ address, adapter: 'nafo0', needsSignal: true }], never)
  const move = async (order: object): Promise<AddressMoved> =>
    (await call('move', {
      group: 'nafo0',
      from: 'eth0',
      to: 'eth1',
      addresses: [],
      ifThere: [],
      logical: LOGICAL,
      needsSignal: true,
      ...order,
    })) as AddressMoved
  const addressesOn = async (adapter: string): Promise<readonly string[]> => {
    const [link] = JSON.parse(await h1.run('ip', '-json', 'addr', 'show', 'dev', adapter)) as [
      { readonly addr_info: readonly { readonly local: string; readonly scope: string }[] },
    ]
    return link.addr_info.filter(({ scope }) => scope === 'global').map(({ local }) => local)
  }
  const hardware = async (adapter: string): Promise<string> =>
    (JSON.parse(await h1.run('ip', '-json', 'link', 'show', adapter)) as [{ readonly address: string }])[0].address

  beforeAll(async () => {
    await network.start()
    h1 = network.host('h1')
    const bridge = network.host('switch')
    await bridge.run('ip', 'link', 'add', 'h1b', 'type', 'veth', 'peer', 'name', 'eth1', 'netns', String(h1.pid))
    await bridge.run('ip', 'link', 'set', 'h1b', 'master', 'lan', 'up')
  })
  afterAll(() => network.stop())
  beforeEach(async () => {
    for (const port of ['h1', 'h1b']) await network.host('switch').run('ip', 'link', 'set', port, 'up')
    for (const adapter of ['eth0', 'eth1']) {
      await h1.run('ip', 'link', 'set', adapter, 'up')
      await h1.run('ip', 'addr', 'flush', 'dev', adapter, 'scope', 'global')
    }
    await h1.run('ip', 'addr', 'add', '10.88.0.1/24', 'dev', 'eth0')
    await h1.run('ip', 'addr', 'add', 'fd00:88::1/64', 'dev', 'eth0', 'nodad')
    await h1.run('ip', 'route', 'replace', 'default', 'via', '10.88.0.3')
    await call('ready')
    await call('separate', ['eth0', 'eth1'])
    await call('setGroups', [group('eth0')])
    await eventually('both links to be up', 5_000, async (saw) => {
      const text = await h1.run('ip', '-o', 'link', 'show', 'up')
      saw(text)
      return ['eth0', 'eth1'].every((name) => new RegExp(`${name}@.*state UP`).test(text)) ? true : undefined
    })
  })

  it('bring a logical address up where the group has its addresses, and take it down wherever it is', async () => {
    await call('setGroups', [group('eth1')])
    await grouped('up', V4)
    expect(await addressesOn('eth1')).toEqual(['10.88.0.100'])
    await call('setGroups', [group('eth0')])
    await grouped('down', V4)
    expect(await addressesOn('eth1')).toEqual([])
  })

  it('bring it up on the active adapter although it was left on another one', async () => {
    await h1.run('ip', 'addr', 'add', '10.88.0.100/24', 'dev', 'eth1')
    await grouped('up', V4)
    expect(await addressesOn('eth1')).toEqual([])
    expect(await addressesOn('eth0')).toContain('10.88.0.100')
    await grouped('down', V4)
  })

  it('move logical addresses, the own ones and the routes, and tell everybody', async () => {
    await grouped('up', V4)
    await grouped('up', V6)
    const client = network.host('client')
    await client.run('ping', '-c', '1', '-W', '2', '10.88.0.100')
    const moved = await move({ addresses: LOGICAL })
    expect(moved).toMatchObject({ failed: [], busy: [] })
    expect([...moved.moved].sort()).toEqual(['10.88.0.1', '10.88.0.100', 'fd00:88::1', 'fd00:88::100'])
    expect(await addressesOn('eth0')).toEqual([])
    expect(await h1.run('ip', 'route', 'show', 'default')).toMatch(/via 10.88.0.3 dev eth1/)
    await untilNeighbour(client, '10.88.0.100', await hardware('eth1'))
    await client.run('ping', '-c', '1', '-W', '2', '10.88.0.100')
    await client.run('ping', '-c', '1', '-W', '2', 'fd00:88::100')
    expect(await call('findCarrier', ['10.88.0.1'], ['eth0', 'eth1'])).toBe('eth1')
    // Twice is once.
    expect(await move({ addresses: LOGICAL })).toMatchObject({ failed: [], busy: [] })
    await grouped('down', V4)
    await grouped('down', V6)
  })

  it('move only what this host may have', async () => {
    await grouped('up', V4)
    expect((await move({})).moved).not.toContain('10.88.0.100')
    expect(await addressesOn('eth0')).toEqual(['10.88.0.100'])
    await grouped('down', V4)
    expect((await move({ ifThere: [V4] })).moved).not.toContain('10.88.0.100')
    expect([...(await addressesOn('eth0')), ...(await addressesOn('eth1'))]).not.toContain('10.88.0.100')
  })

  it('bring back what an adapter lost when it was switched off', async () => {
    await grouped('up', V6)
    await call('remember', 'eth0', LOGICAL)
    await h1.run('ip', 'link', 'set', 'eth0', 'down')
    const { failed } = await move({ addresses: LOGICAL })
    expect(failed).toEqual([])
    expect([...(await addressesOn('eth1'))].sort()).toEqual(['10.88.0.1', '10.88.0.100', 'fd00:88::1', 'fd00:88::100'])
    expect(await h1.run('ip', 'route', 'show', 'default')).toMatch(/via 10.88.0.3 dev eth1/)
    await grouped('down', V4)
    await grouped('down', V6)
  })

  it('say what is not where it should be when the other adapter is not there', async () => {
    const { moved, failed } = await move({ to: 'eth9' })
    expect(moved).toEqual([])
    expect(failed.join()).toMatch(/10.88.0.1 is not on eth9/)
  })

  it('ask others whether they are there, also over an adapter without an address', async () => {
    expect(await call('ask', 'eth1', ['10.88.0.2'], 1_000)).toBe('answered')
    expect(await call('ask', 'eth1', ['fd00:88::2'], 1_000)).toBe('answered')
    expect(await call('ask', 'eth0', ['10.88.0.99', '10.88.0.2'], 1_000)).toBe('answered')
    expect(await call('ask', 'eth0', ['10.88.0.99'], 100)).toBe('unanswered')
    expect(await call('ask', 'eth0', [], 100)).toBe('nobody-to-ask')
    expect(await call('ask', 'eth9', ['10.88.0.2'], 100)).toBe('unanswered')
    expect(await call('ask', 'lo', ['10.88.0.2'], 100)).toBe('nobody-to-ask')
  })

  it('keep an adapter that stands by from answering for the other one', async () => {
    const client = network.host('client')
    await client.run('ip', 'neigh', 'flush', 'dev', 'eth0')
    for (let round = 0; round < 5; round += 1) {
      await client.run('ping', '-c', '1', '-W', '2', '10.88.0.1')
      expect(await neighbourOf(client, '10.88.0.1')).toBe(await hardware('eth0'))
      await client.run('ip', 'neigh', 'flush', 'dev', 'eth0')
    }
  })
})
