import { describe, expect, it } from 'vitest'
import { PROFILES } from '../../../src/framework/membership/check-timings.ts'
import type { ConfigurationChange } from '../../../src/framework/model/configuration-change.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { newPhysicalHost } from '../../../src/framework/model/new-physical-host.ts'
import { FakeAir } from './fake-air.ts'
import { FakeLan } from './fake-lan.ts'
import { logicalHostChanges, physical, SmallWorld } from './small-world.ts'

const pub = parseName('network', 'pub')
const LOGICAL = '10.0.0.101'

/** How a cluster is connected. */
interface Options {
  readonly gateway?: string
  readonly adapters?: readonly string[]
  /** Whether the network carries heartbeats as well. */
  readonly withHeartbeats?: boolean
}

/** Hosts whose public adapters are one backup group, on one network; ha1 has an address there and is mastered by the first of them. */
class Cluster {
  readonly world = new SmallWorld()
  readonly lan = new FakeLan(this.world.clock)
  readonly air = new FakeAir(this.world.clock)
  readonly #names: readonly string[]

  private constructor(names: readonly string[]) {
    this.#names = names
    this.world.lan = this.lan
  }

  static async of(names: readonly string[], options: Options = {}): Promise<Cluster> {
    const { gateway = '', adapters = ['eth1', 'eth2'], withHeartbeats = false } = options
    const cluster = new Cluster(names)
    const { world, lan, air } = cluster
    if (withHeartbeats) world.peersOf = (name) => air.peersOf(name)
    lan.gateway = gateway
    for (const [index, name] of names.entries()) lan.plugIn(name, adapters, `10.0.0.${index + 1}`)
    for (const [index, name] of names.entries()) await world.start(name, index === 0 ? 'found' : 'join')
    const probeTargets = gateway === '' ? [] : [gateway]
    const changes: readonly ConfigurationChange[] = [
      { kind: 'put-network', network: { name: pub, role: withHeartbeats ? 'both' : 'client', probeTargets } },
      ...names.map(
        (name, index): ConfigurationChange => ({
          kind: 'put-physical-host',
          physicalHost: {
            ...newPhysicalHost(physical(name)),
            interfaces: [{ network: pub, adapter: adapters[0] ?? '', address: `10.0.0.${index + 1}` }],
            backupGroups: [{ name: 'nafo0', network: pub, adapters }],
          },
        }),
      ),
      ...logicalHostChanges('ha1', names).map((change) => withAddress(change, names)),
    ]
    await world.finish(cluster.services(names[0] ?? '').configure(() => changes))
    await cluster.until('ha1 mastered', () => cluster.where() === `mastered by ${names[0]}`)
    lan.adapter(names[0] ?? '', adapters[0] ?? '').addresses.add(LOGICAL)
    await world.clock.pass(1_000)
    return cluster
  }

  services(name: string) {
    const host = this.world.hosts.get(name)
    if (host === undefined) throw new Error(`there is no ${name}`)
    return host.loop.services
  }

  where(): string {
    return this.world.where(this.#names.at(-1) ?? '', 'ha1')
  }

  group(name: string) {
    const [seen] = this.services(name).publicGroups()
    return { state: seen?.sight.state, active: seen?.sight.active, faulty: seen?.sight.faulty }
  }

  reconfigurations(): number {
    return this.services(this.#names.at(-1) ?? '').state().lastReconfiguration
  }

  until(what: string, holds: () => boolean, limitMs = 30_000): Promise<number> {
    return this.world.clock.passUntil(what, limitMs, holds)
  }
}

function withAddress(change: ConfigurationChange, names: readonly string[]): ConfigurationChange {
  if (change.kind !== 'put-logical-host') return change
  const adapters = Object.fromEntries(names.map((name) => [name, 'nafo0']))
  const addresses = [{ kind: 'ip', address: LOGICAL, prefixLength: 24, adapters } as const]
  return { ...change, logicalHost: { ...change.logicalHost, addresses, switchback: 'automatic' } }
}

describe('a host with a backup group', () => {
  it('goes on to the next adapter at once when a link goes down, with its own address and without a reconfiguration', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'])
    const before = cluster.reconfigurations()
    cluster.lan.setLink('alpha', 'eth1', false)
    const tookMs = await cluster.until('the address to move', () => cluster.lan.carrier('alpha', LOGICAL) === 'eth2')
    expect(tookMs).toBeLessThan(50)
    expect(cluster.lan.carrier('alpha', '10.0.0.1')).toBe('eth2')
    expect(cluster.group('alpha')).toEqual({ state: 'ok', active: 'eth2', faulty: ['eth1'] })
    // Repaired, it stands by, and nothing goes back by itself.
    cluster.lan.setLink('alpha', 'eth1', true)
    await cluster.until('eth1 to be well again', () => cluster.group('alpha').faulty?.length === 0)
    await cluster.world.clock.pass(10_000)
    expect(cluster.lan.moves).toEqual(['alpha eth1 eth2'])
    expect(cluster.reconfigurations()).toBe(before)
  })

  it('finds an adapter that is dead with its link up, by the other hosts, within seconds', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'])
    cluster.lan.adapter('alpha', 'eth1').isDead = true
    const tookMs = await cluster.until('the address to move', () => cluster.lan.carrier('alpha', LOGICAL) === 'eth2')
    expect(tookMs).toBeLessThan(5_000)
    await cluster.world.clock.pass(10_000)
    expect(cluster.where()).toBe('mastered by alpha')
    expect(cluster.lan.moves).toEqual(['alpha eth1 eth2'])
  })

  it('gives its logical host away when all its links are down, and gets it back when they are up', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'])
    for (const adapter of ['eth1', 'eth2']) cluster.lan.setLink('alpha', adapter, false)
    const tookMs = await cluster.until('ha1 to move', () => cluster.where() === 'mastered by beta')
    expect(tookMs).toBeLessThan(3_000)
    const cause = cluster.services('beta').reconfigurations().at(-1)?.cause
    expect(cause).toEqual({ kind: 'interface-failed', host: 'alpha', network: 'pub', group: 'nafo0' })
    for (const adapter of ['eth1', 'eth2']) cluster.lan.setLink('alpha', adapter, true)
    await cluster.until('ha1 to come back', () => cluster.where() === 'mastered by alpha')
  })

  it.each<[string, Options]>([
    ['with a gateway', { gateway: '10.0.0.254' }],
    ['without one', {}],
  ])('moves nothing when the network is down for everybody, %s', async (_what, options) => {
    const cluster = await Cluster.of(['alpha', 'beta', 'gamma'], options)
    const before = cluster.reconfigurations()
    cluster.lan.isDown = true
    for (const name of ['alpha', 'beta', 'gamma'])
      await cluster.until(`${name} to see it`, () => cluster.group(name).state === 'network-down')
    await cluster.world.clock.pass(10_000)
    expect(cluster.lan.moves).toEqual([])
    cluster.lan.isDown = false
    for (const name of ['alpha', 'beta', 'gamma'])
      await cluster.until(`${name} to be well`, () => cluster.group(name).state === 'ok')
    expect(cluster.reconfigurations()).toBe(before)
  })

  it.each<[string, readonly string[], Options]>([
    ['two hosts', ['alpha', 'beta'], {}],
    ['two hosts with a gateway', ['alpha', 'beta'], { gateway: '10.0.0.254' }],
    ['three hosts', ['alpha', 'beta', 'gamma'], {}],
  ])(
    'moves nothing when the switch forwards nothing any more and still speaks for itself, %s',
    async (_what, names, options) => {
      const cluster = await Cluster.of(names, options)
      const before = cluster.reconfigurations()
      cluster.lan.isDown = true
      for (let round = 0; round < 40; round += 1) {
        await cluster.world.clock.pass(1_100)
        cluster.lan.speak(names[round % names.length] ?? '', round % 3 === 0 ? 'eth1' : 'eth2')
      }
      expect(cluster.lan.moves).toEqual([])
      expect(cluster.reconfigurations()).toBe(before)
      for (const name of names) expect(cluster.group(name).state).toBe('network-down')
    },
  )

  it('moves nothing when all lose their links in turn, as from a switch without power', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'])
    const before = cluster.reconfigurations()
    for (const name of ['alpha', 'beta']) {
      for (const adapter of ['eth1', 'eth2']) cluster.lan.setLink(name, adapter, false)
      await cluster.world.clock.pass(300)
    }
    await cluster.world.clock.pass(10_000)
    for (const name of ['alpha', 'beta']) expect(cluster.group(name).state).toBe('network-down')
    expect(cluster.reconfigurations()).toBe(before)
  })

  it('moves nothing when one of two goes silent and nobody else could be asked', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'], { adapters: ['eth1'] })
    const before = cluster.reconfigurations()
    cluster.lan.adapter('alpha', 'eth1').isDead = true
    await cluster.world.clock.pass(15_000)
    for (const name of ['alpha', 'beta']) expect(cluster.group(name).state).toBe('network-down')
    expect(cluster.reconfigurations()).toBe(before)
  })

  it.each<[string, readonly string[], Options]>([
    ['a gateway answers the other one', ['alpha', 'beta'], { gateway: '10.0.0.254', adapters: ['eth1'] }],
    ['two others hear each other', ['alpha', 'beta', 'gamma'], { adapters: ['eth1'] }],
    ['the adapters of the other one hear each other', ['alpha', 'beta'], {}],
  ])('gives its logical host away when it goes silent and %s', async (_what, names, options) => {
    const cluster = await Cluster.of(names, options)
    for (const adapter of options.adapters ?? ['eth1', 'eth2']) cluster.lan.adapter('alpha', adapter).isDead = true
    const tookMs = await cluster.until('ha1 to move', () => cluster.where() === 'mastered by beta')
    expect(tookMs).toBeLessThan(10_000)
  })

  it.each([0, 500, 1_000, 1_500, 2_000])(
    'does not take the loss of the only other host for a fault of its own (after %i ms)',
    async (ms) => {
      const cluster = await Cluster.of(['alpha', 'beta'], { adapters: ['eth1'] })
      // It takes longer to be sure that a host is lost than to find an adapter dead.
      const relaxed = cluster
        .services('alpha')
        .configure(({ cluster: present }) => [{ kind: 'cluster', cluster: { ...present, timings: PROFILES.relaxed } }])
      await cluster.world.finish(relaxed)
      await cluster.world.clock.pass(2_000 + ms)
      cluster.lan.adapter('beta', 'eth1').isDead = true
      await cluster.world.hosts.get('beta')?.loop.stop()
      await cluster.world.clock.pass(10_000)
      expect(cluster.services('alpha').reconfigurations().at(-1)?.cause.kind).toBe('hosts-lost')
      expect(cluster.world.where('alpha', 'ha1')).toBe('mastered by alpha')
      expect(cluster.world.hosts.get('alpha')?.log.filter(({ level }) => level === 'error')).toEqual([])
    },
  )

  it.each<[string, readonly string[], string]>([
    ['goes on to the next adapter', ['eth1'], 'mastered by alpha'],
    ['gives its logical host away', ['eth1', 'eth2'], 'mastered by beta'],
  ])('%s when nobody hears it any more, although it hears everybody', async (_what, mute, where) => {
    const names = ['alpha', 'beta', 'gamma']
    const cluster = await Cluster.of(names, { withHeartbeats: true })
    const { lan, air, world } = cluster
    for (const adapter of mute) lan.adapter('alpha', adapter).isMute = true
    for (const other of ['beta', 'gamma']) air.cuts.add(`alpha>${other} pub`)
    const isDone = (): boolean =>
      cluster.where() === where && (mute.length > 1 || lan.carrier('alpha', LOGICAL) === 'eth2')
    for (let round = 0; round < 40 && !isDone(); round += 1) {
      lan.chat()
      await world.clock.pass(250)
    }
    expect(isDone()).toBe(true)
    // As long as it is so, what comes in makes it no better.
    for (let round = 0; round < 40; round += 1) {
      lan.chat()
      await world.clock.pass(250)
    }
    expect([isDone(), cluster.group('alpha').state]).toEqual([true, mute.length > 1 ? 'failed' : 'ok'])
  })

  it('stays where it is when only its heartbeats are lost, and it is answered', async () => {
    const cluster = await Cluster.of(['alpha', 'beta', 'gamma'], { withHeartbeats: true, adapters: ['eth1'] })
    for (const other of ['beta', 'gamma']) cluster.air.cuts.add(`alpha>${other} pub`)
    await cluster.world.clock.pass(20_000)
    expect(cluster.group('alpha')).toEqual({ state: 'ok', active: 'eth1', faulty: [] })
    expect(cluster.where()).toBe('mastered by alpha')
  })

  it('does not travel with adapters that come and go', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'])
    const before = cluster.reconfigurations()
    for (let round = 0; round < 10; round += 1) {
      cluster.lan.setLink('alpha', 'eth1', false)
      await cluster.world.clock.pass(200)
      cluster.lan.setLink('alpha', 'eth1', true)
      await cluster.world.clock.pass(200)
    }
    expect(cluster.lan.moves).toEqual(['alpha eth1 eth2'])
    expect(cluster.reconfigurations()).toBe(before)
  })

  it('asks nobody as long as clients are heard', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'], { adapters: ['eth1'] })
    const { received } = cluster.lan.adapter('alpha', 'eth1')
    for (let round = 0; round < 10; round += 1) {
      cluster.lan.chat()
      await cluster.world.clock.pass(500)
    }
    expect(cluster.lan.adapter('alpha', 'eth1').received).toBe(received + 10)
  })

  it('stays quiet about a quiet network', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'], { adapters: ['eth1'] })
    const before = cluster.reconfigurations()
    await cluster.world.clock.pass(60_000)
    expect(cluster.group('alpha')).toEqual({ state: 'ok', active: 'eth1', faulty: [] })
    expect(cluster.reconfigurations()).toBe(before)
  })

  it('goes to the adapter that an operator names, unless that is faulty', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'])
    const services = cluster.services('alpha')
    await cluster.world.finish(services.switchAdapter('nafo0', 'eth2'))
    expect(cluster.lan.carrier('alpha', LOGICAL)).toBe('eth2')
    cluster.lan.setLink('alpha', 'eth1', false)
    await cluster.until('eth1 to be faulty', () => cluster.group('alpha').faulty?.includes('eth1') === true)
    await expect(services.switchAdapter('nafo0', 'eth1')).rejects.toMatchObject({ code: 'INTERFACE_FAILED' })
    await expect(services.switchAdapter('nafo0', 'eth9')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(services.switchAdapter('nafo9', 'eth1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(cluster.lan.carrier('alpha', LOGICAL)).toBe('eth2')
  })

  it('moves the addresses off an adapter that is taken out of the group', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'])
    const services = cluster.services('alpha')
    await cluster.world.finish(
      services.configure(({ physicalHosts }) => {
        const alpha = physicalHosts.get(physical('alpha')) ?? newPhysicalHost(physical('alpha'))
        const backupGroups = [{ name: 'nafo0', network: pub, adapters: ['eth2'] }]
        return [{ kind: 'put-physical-host', physicalHost: { ...alpha, interfaces: [], backupGroups } }]
      }),
    )
    await cluster.until('the address to move', () => cluster.lan.carrier('alpha', LOGICAL) === 'eth2')
  })

  it('moves nothing once its deadline has passed', async () => {
    const cluster = await Cluster.of(['alpha', 'beta'])
    cluster.world.cutOff.add('alpha')
    await cluster.until('alpha to end', () => cluster.world.hosts.get('alpha')?.ending !== undefined)
    cluster.lan.setLink('alpha', 'eth1', false)
    await cluster.world.clock.pass(5_000)
    expect(cluster.lan.moves).toEqual([])
  })
})
