import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { isWhole } from '../whole.ts'
import { type AddressHost, type AddressRig, down, isUp, leftovers, up } from './address-driver.contract.ts'
import { ipPrograms, ipRig, LOGICAL } from './address-driver-ip.ts'
import { codeOf } from './driver-rig/expected-failure.ts'
import { missingFor } from './driver-rig/namespace-host.ts'
import { ADAPTER, hardwareOf, Network, neighbourOf, untilNeighbour } from './driver-rig/network.ts'

const skip = await missingFor(ipPrograms)
const families = isWhole ? (['IPv4', 'IPv6'] as const) : (['IPv4'] as const)

describe.skipIf(skip !== undefined).each(families)(`ip addresses on a network, %s${skip ?? ''}`, (family) => {
  const network = new Network()
  const { address, prefixLength } = LOGICAL[family]
  let rig: AddressRig
  beforeAll(() => network.start())
  afterAll(() => network.stop())
  beforeEach(async () => {
    rig = ipRig(network, family)
    await network.host('client').run('ip', 'neigh', 'flush', 'dev', ADAPTER)
  })
  afterEach(() => rig.close())

  const on = (host: AddressHost, adapter: string): AddressHost => ({ ...host, adapter })
  const pingFromClient = (): Promise<string> => network.host('client').run('ping', '-c', '1', '-W', '2', '-n', address)

  it('tells clients where it is now, without being asked', async () => {
    const [h1, h2, client] = [network.host('h1'), network.host('h2'), network.host('client')]
    await up(rig, rig.h1)
    await pingFromClient()
    expect(await neighbourOf(client, address)).toBe(await hardwareOf(h1))
    await down(rig, rig.h1)
    await up(rig, rig.h2)
    await untilNeighbour(client, address, await hardwareOf(h2))
    await pingFromClient()
  })

  it('tells them again, but never when the address has gone meanwhile', async () => {
    const [h1, client] = [network.host('h1'), network.host('client')]
    const strange = '02:00:00:00:00:99'
    const forget = (): Promise<string> =>
      client.run('ip', 'neigh', 'replace', address, 'lladdr', strange, 'nud', 'stale', 'dev', ADAPTER)
    const expected = await hardwareOf(h1)
    await up(rig, rig.h1)
    await forget()
    await untilNeighbour(client, address, expected)
    await forget()
    await up(rig, rig.h1)
    await untilNeighbour(client, address, expected)
    await h1.run('ip', 'addr', 'del', `${address}/${prefixLength}`, 'dev', ADAPTER)
    await forget()
    await down(rig, rig.h1)
    expect(await neighbourOf(client, address)).toBe(strange)
  })

  it('can be used at once, and not for connections that this host makes for itself', async () => {
    await up(rig, rig.h1)
    await pingFromClient()
    const route = await network.host('h1').run('ip', 'route', 'get', family === 'IPv4' ? '10.88.0.3' : 'fd00:88::3')
    expect(route).not.toContain(`src ${address}`)
    expect(await network.host('h1').run('ip', 'addr', 'show', 'to', address)).not.toContain('tentative')
  })

  it('finds a stranger who has the address, and names him', async () => {
    const client = network.host('client')
    await client.run(
      'sh',
      '-c',
      `ip addr add ${address}/${prefixLength} dev ${ADAPTER} ${family === 'IPv6' ? 'nodad' : ''}`,
    )
    const refused = up(rig, rig.h1)
    expect(await codeOf(refused)).toBe('ADDRESS_IN_USE')
    await expect(refused).rejects.toThrow(await hardwareOf(client))
    await client.run('ip', 'addr', 'del', `${address}/${prefixLength}`, 'dev', ADAPTER)
    await up(rig, rig.h1)
  })

  it('finds a stranger also where this host has no address in that network', async () => {
    const elsewhere = family === 'IPv4' ? '10.99.0.100' : 'fd00:99::100'
    const other = { ...rig, address: { ...rig.address, address: elsewhere } }
    await up(other, rig.h2)
    expect(await codeOf(up(other, rig.h1))).toBe('ADDRESS_IN_USE')
    await down(other, rig.h2)
    await up(other, rig.h1)
    await down(other, rig.h1)
  })

  it('says when the adapter is missing, down or without carrier', async () => {
    const [h1, bridge] = [network.host('h1'), network.host('switch')]
    expect(await codeOf(up(rig, on(rig.h1, 'eth9')))).toBe('ADDRESS_UNUSABLE')
    expect(await isUp(rig, on(rig.h1, 'eth9'))).toBe(false)
    await down(rig, on(rig.h1, 'eth9'))
    await h1.run('ip', 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth1-peer')
    expect(await codeOf(up(rig, on(rig.h1, 'eth1')))).toBe('ADDRESS_UNUSABLE')
    await h1.run('ip', 'link', 'del', 'eth1')
    await bridge.run('ip', 'link', 'set', 'h1', 'down')
    await eventually('the carrier to be lost', 5_000, async () =>
      (await h1.run('ip', 'link', 'show', ADAPTER)).includes('NO-CARRIER') ? true : undefined,
    )
    expect(await codeOf(up(rig, rig.h1))).toBe('ADDRESS_UNUSABLE')
    await bridge.run('ip', 'link', 'set', 'h1', 'up')
    await eventually('the carrier to be back', 5_000, async () =>
      (await h1.run('ip', 'link', 'show', ADAPTER)).includes('LOWER_UP') ? true : undefined,
    )
    expect(await codeOf(up(rig, on(rig.h1, 'lo')))).toBe('ADDRESS_UNUSABLE')
    await up(rig, rig.h1)
  })

  it('does not come up on a second adapter, but sees it there and takes it down there', async () => {
    const h1 = network.host('h1')
    await h1.run(
      'sh',
      '-c',
      `ip link add eth1 type veth peer name eth1-peer && ip link set eth1 up && ip addr add ${address}/${prefixLength} dev eth1`,
    )
    expect(await codeOf(up(rig, rig.h1))).toBe('ADDRESS_UNUSABLE')
    expect((await leftovers(rig, rig.h1)).map(({ what }) => what)).toEqual([`${address} on eth1`])
    await down(rig, rig.h1)
    expect(await leftovers(rig, rig.h1)).toEqual([])
    await h1.run('ip', 'link', 'del', 'eth1')
  })

  it('goes down without taking its neighbours of the same network along', async () => {
    const [first, second] = [77, 78].map((number) => {
      const text = family === 'IPv4' ? `10.77.0.${number}` : `fd00:77::${number}`
      return { ...rig, address: { ...rig.address, address: text } }
    })
    if (first === undefined || second === undefined) throw new Error('two are two')
    await network.host('h1').run('sh', '-c', `echo 0 > /proc/sys/net/ipv4/conf/${ADAPTER}/promote_secondaries`)
    await up(first, rig.h1)
    await up(second, rig.h1)
    await down(first, rig.h1)
    expect(await isUp(second, rig.h1)).toBe(true)
    await down(second, rig.h1)
    expect(await leftovers(second, rig.h1)).toEqual([])
  })

  it('goes over to another host when its own has lost power', async () => {
    await up(rig, rig.h1)
    await pingFromClient()
    // The cable is as good as the power: nobody answers any more.
    await network.host('switch').run('ip', 'link', 'set', 'h1', 'nomaster')
    await up(rig, rig.h2)
    await pingFromClient()
    await down(rig, rig.h1)
    await network.host('switch').run('ip', 'link', 'set', 'h1', 'master', 'lan')
  })
})
