import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseName } from '../../src/framework/model/names.ts'
import type { PeerMessage, PeerPlace, PeerSetting, Peers } from '../../src/framework/ports/peers.ts'

/** Networks of the contract; each host has one address on each. */
export const NETWORKS = ['priv1', 'priv2'] as const
export type Network = (typeof NETWORKS)[number]

/** Where the contract's hosts live. */
export interface PeersWorld {
  /** Begins a life of the host's channel; whoever was open under that name before has been closed. */
  open(host: string, variant?: { readonly cluster?: string; readonly hasOtherKey?: boolean }): Promise<Peers>
  addressOf(host: string, network: Network): string
  nowMs(): number
  /** Waits until the probe returns something. */
  until<T>(what: string, probe: () => T | undefined): Promise<T>
  close(): Promise<void>
}

export const INTERVAL_MS = 20
const SILENT_MS = 120
const alpha = parseName('physicalHost', 'alpha')
const beta = parseName('physicalHost', 'beta')

/** What every implementation of `Peers` promises. */
export function peersContract(name: string, makeWorld: () => Promise<PeersWorld>): void {
  describe(`${name} keeps the promises of Peers`, () => {
    let world: PeersWorld
    const opened: Peers[] = []

    beforeEach(async () => {
      world = await makeWorld()
    })
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((peers) => peers.close()))
      await world.close()
    })

    const open = async (...[host, variant]: Parameters<PeersWorld['open']>): Promise<Peers> => {
      const peers = await world.open(host, variant)
      opened.push(peers)
      return peers
    }

    const placeOf = (host: string, networks: readonly Network[] = NETWORKS): PeerPlace => ({
      host: parseName('physicalHost', host),
      addresses: networks.map((network) => ({ network, address: world.addressOf(host, network) })),
    })

    const settingOf = (me: string, networks?: readonly Network[]): PeerSetting => ({
      me: placeOf(me, networks),
      others: ['alpha', 'beta'].filter((host) => host !== me).map((host) => placeOf(host)),
      intervalMs: INTERVAL_MS,
    })

    /** Opens alpha and beta, and waits until each hears the other over both networks. */
    const openPair = async (): Promise<{ readonly a: Peers; readonly b: Peers }> => {
      const a = await open('alpha')
      const b = await open('beta')
      await Promise.all([a.configure(settingOf('alpha')), b.configure(settingOf('beta'))])
      await bothHear(a, b)
      return { a, b }
    }

    const bothHear = (a: Peers, b: Peers): Promise<unknown> =>
      world.until('each to hear the other over both networks', () =>
        [a, b].every((peers) => audible(peers).length === NETWORKS.length) ? true : undefined,
      )

    const audible = (peers: Peers): readonly string[] =>
      peers
        .heard()
        .filter(({ atMs }) => world.nowMs() - Math.max(atMs, peers.listeningSinceMs()) < SILENT_MS)
        .map(({ network }) => network)

    const heardMs = (peers: Peers, network: string): number =>
      peers.heard().find((one) => one.network === network)?.atMs ?? 0

    const collect = (peers: Peers): { readonly from: string; readonly message: PeerMessage }[] => {
      const messages: { readonly from: string; readonly message: PeerMessage }[] = []
      peers.listen((from, message) => messages.push({ from, message }))
      return messages
    }

    const ask = (round: number): PeerMessage => ({ kind: 'ask-promise', incarnation: 3, round, expiryMs: 900 })

    /** Lets the other side say so much that whatever was sent before has arrived or never will. */
    const letPass = async (peers: Peers, intervals = 5): Promise<void> => {
      const from = world.nowMs()
      await world.until(`${intervals} heartbeats`, () =>
        NETWORKS.every((network) => heardMs(peers, network) > from + intervals * INTERVAL_MS) ? true : undefined,
      )
    }

    it('hears others over every network, again and again', async () => {
      const { a } = await openPair()
      const before = heardMs(a, 'priv2')
      expect(before).toBeLessThanOrEqual(world.nowMs())
      expect(a.listeningSinceMs()).toBeLessThanOrEqual(world.nowMs())
      await letPass(a, 3)
      expect(a.heard().every(({ host }) => host === beta)).toBe(true)
    })

    it('delivers a message once, although it goes over both networks', async () => {
      const { a, b } = await openPair()
      const messages = collect(b)
      for (let round = 1; round <= 10; round += 1) a.send(beta, ask(round))
      await world.until('ten messages', () => (messages.length >= 10 ? true : undefined))
      await letPass(b)
      expect(messages.map(({ from }) => from)).toEqual(Array.from({ length: 10 }, () => alpha))
      const rounds = messages.map(({ message }) => message.round).toSorted((one, other) => one - other)
      expect(rounds).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(messages.find(({ message }) => message.round === 7)?.message).toEqual(ask(7))
    })

    it('goes on over the other network when one is cut, and tells of it', async () => {
      const { a, b } = await openPair()
      let changes = 0
      const stop = a.onChange(SILENT_MS, () => {
        changes += 1
      })
      await b.configure(settingOf('beta', ['priv2']))
      await world.until('priv1 to be silent', () => (audible(a).join() === 'priv2' ? true : undefined))
      await world.until('to be told', () => (changes > 0 ? true : undefined))
      const messages = collect(b)
      a.send(beta, ask(1))
      await world.until('a message over priv2', () => messages[0])
      const before = changes
      await b.configure(settingOf('beta'))
      await bothHear(a, b)
      await world.until('to be told of the return', () => (changes > before ? true : undefined))
      stop()
      stop()
    })

    it('tells nothing more once the listener has stopped', async () => {
      const { a, b } = await openPair()
      let changes = 0
      a.onChange(SILENT_MS, () => {
        changes += 1
      })()
      const before = changes
      await b.close()
      await world.until('silence', () => (audible(a).length === 0 ? true : undefined))
      expect(changes).toBe(before)
    })

    it('hears nobody with another key', async () => {
      const { a, b } = await openPair()
      await b.close()
      const stranger = await open('beta', { hasOtherKey: true })
      const heard = collect(a)
      await stranger.configure(settingOf('beta'))
      await world.until('silence', () => (audible(a).length === 0 ? true : undefined))
      stranger.send(alpha, ask(1))
      await stranger.close()
      const back = await open('beta')
      await back.configure(settingOf('beta'))
      await bothHear(a, back)
      expect(heard).toEqual([])
    })

    it('hears nobody of another cluster', async () => {
      const a = await open('alpha')
      const b = await open('beta', { cluster: 'other' })
      await Promise.all([a.configure(settingOf('alpha')), b.configure(settingOf('beta'))])
      const from = world.nowMs()
      await world.until('some time to pass', () => (world.nowMs() > from + 5 * INTERVAL_MS ? true : undefined))
      expect(a.heard()).toEqual([])
      expect(b.heard()).toEqual([])
    })

    it('hears the next life of a host, with messages counted anew', async () => {
      const { a, b } = await openPair()
      const messages = collect(a)
      b.send(alpha, ask(1))
      await world.until('the first message', () => messages[0])
      await b.close()
      const next = await open('beta')
      await next.configure(settingOf('beta'))
      await bothHear(a, next)
      next.send(alpha, ask(2))
      await world.until('a message of the next life', () => messages[1])
      expect(messages.map(({ message }) => message.round)).toEqual([1, 2])
    })

    it('is configured again while it runs, also twice at a time, and with nobody', async () => {
      const { a, b } = await openPair()
      const slow = { ...settingOf('alpha'), intervalMs: 2 * INTERVAL_MS }
      await Promise.all([a.configure(slow), a.configure({ ...slow, others: [] })])
      expect(a.heard()).toEqual([])
      a.send(beta, ask(1))
      await a.configure(settingOf('alpha'))
      await bothHear(a, b)
    })

    it('says nothing and hears nothing after it was closed', async () => {
      const { a, b } = await openPair()
      await a.close()
      await a.close()
      expect(a.heard()).toEqual([])
      expect(a.listeningSinceMs()).toBe(Number.POSITIVE_INFINITY)
      a.send(beta, ask(1))
      await a.configure(settingOf('alpha'))
      await world.until('silence', () => (audible(b).length === 0 ? true : undefined))
    })
  })
}
