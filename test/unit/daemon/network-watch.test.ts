import { beforeEach, describe, expect, it } from 'vitest'
import { parseName } from '../../../src/framework/model/names.ts'
import { newPhysicalHost } from '../../../src/framework/model/new-physical-host.ts'
import { silentPeers } from '../../../src/framework/ports/silent-peers.ts'
import { FakeAir } from './fake-air.ts'
import { physical, SmallWorld } from './small-world.ts'

const NETWORKS = ['priv1', 'priv2']
let world: SmallWorld
let air: FakeAir

beforeEach(async () => {
  world = new SmallWorld()
  air = new FakeAir(world.clock)
  world.peersOf = (name) => air.peersOf(name)
})

function host(name: string) {
  const found = world.hosts.get(name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

async function startBoth(): Promise<void> {
  await world.start('alpha', 'found')
  await world.start('beta')
  await world.clock.pass(500)
  const networks = NETWORKS.map((name) => ({
    name: parseName('network', name),
    role: 'internal' as const,
    probeTargets: [],
  }))
  const hosts = ['alpha', 'beta'].map((name, number) => ({
    ...newPhysicalHost(physical(name)),
    interfaces: networks.map((network, index) => ({
      network: network.name,
      adapter: `eth${index + 1}`,
      address: `10.${index + 1}.0.${number + 1}`,
    })),
  }))
  await world.finish(
    host('alpha').loop.services.configure(() => [
      ...networks.map((network) => ({ kind: 'put-network', network }) as const),
      ...hosts.map((physicalHost) => ({ kind: 'put-physical-host', physicalHost }) as const),
    ]),
  )
}

/** What a host finds: `priv1 up, priv2 down`. */
function found(name = 'alpha'): string {
  const verdicts = host(name).loop.services.networks()
  return verdicts.map(({ network, state }) => `${network.name} ${state}`).join(', ')
}

const becomes = (what: string, limitMs = 2_000): Promise<number> =>
  world.clock.passUntil(what, limitMs, () => found('alpha') === what && found('beta') === what)

/** What the host has said of its networks. */
function told(name = 'alpha'): readonly string[] {
  return host(name)
    .log.map(({ message }) => message)
    .filter((message) => message.startsWith('network '))
}

async function revisionOf(name: string): Promise<number | undefined> {
  const { records } = await world.finish(host('alpha').loop.services.snapshot())
  return records.get(`sights/${name}`)?.revision
}

describe('the watch over networks', () => {
  it('finds what is configured live, tells it once, and writes nothing more while nothing changes', async () => {
    await startBoth()
    await becomes('priv1 up, priv2 up')
    await world.clock.pass(2_000)
    expect(told('beta')).toEqual(['network priv1: up', 'network priv2: up'])
    const before = await revisionOf('beta')
    await world.clock.pass(60_000)
    expect(await revisionOf('beta')).toBe(before)
    expect(told('beta')).toHaveLength(2)
  })

  it('shows a cut within a second, and tells it when it has lasted', async () => {
    await startBoth()
    await becomes('priv1 up, priv2 up')
    await world.clock.pass(2_000)
    air.cuts.add('priv1')
    expect(await becomes('priv1 down, priv2 up')).toBeLessThan(500)
    await world.clock.pass(2_000)
    expect(told().slice(2)).toEqual([
      'network priv1: down: alpha and beta do not hear each other over it; heartbeats go on over priv2',
    ])
    air.cuts.clear()
    await becomes('priv1 up, priv2 up')
    await world.clock.pass(2_000)
    expect(told().at(-1)).toBe('network priv1: up')
    expect(host('alpha').loop.services.state().lastReconfiguration).toBe(2)
  })

  it('tells nothing that is over at once, and bounds what a flapping network writes', async () => {
    await startBoth()
    await becomes('priv1 up, priv2 up')
    await world.clock.pass(2_000)
    const before = host('alpha').loop.services.state().revision
    for (let round = 0; round < 10; round += 1) {
      air.cuts.add('priv1')
      await world.clock.pass(300)
      air.cuts.clear()
      await world.clock.pass(60)
    }
    await world.clock.pass(2_000)
    expect(told()).toEqual(['network priv1: up', 'network priv2: up'])
    // Two hosts, each at most ten times a second, beside their stamps.
    const stamps = (2 * 5_600) / 400
    expect(host('alpha').loop.services.state().revision - before).toBeLessThan(2 * 36 + stamps + 5)
  })

  it('does not take a host that was lost for a broken network', async () => {
    await startBoth()
    await becomes('priv1 up, priv2 up')
    await world.clock.pass(2_000)
    await world.finish(host('beta').loop.stop())
    await world.clock.passUntil(
      'beta to be given up',
      10_000,
      () => !host('alpha').loop.services.state().members.has(physical('beta')),
    )
    await world.clock.pass(5_000)
    expect(told()).toEqual(['network priv1: up', 'network priv2: up'])
    expect(await revisionOf('beta')).toBeUndefined()
    expect(host('alpha').loop.services.state().sights.has(physical('beta'))).toBe(false)
  })

  it('goes by what this host sees itself while the database is away', async () => {
    await startBoth()
    await becomes('priv1 up, priv2 up')
    world.cutOff.add('alpha')
    world.cutOff.add('beta')
    air.cuts.add('priv2')
    await becomes('priv1 up, priv2 down')
  })

  it('publishes when the database is back what changed meanwhile', async () => {
    await startBoth()
    await becomes('priv1 up, priv2 up')
    world.cutOff.add('beta')
    air.cuts.add('priv2')
    await world.clock.pass(700)
    world.cutOff.delete('beta')
    await becomes('priv1 up, priv2 down')
  })

  it('knows nothing, and says why, where there is no key', async () => {
    world.peersOf = () => silentPeers('there are no heartbeats: no key')
    await startBoth()
    await world.clock.pass(5_000)
    expect(found()).toBe('priv1 unknown, priv2 unknown')
    expect(told()).toEqual([])
    expect(host('alpha').loop.services.heartbeatTroubles()).toEqual(['there are no heartbeats: no key'])
  })
})
