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
    let current: Rig
    const rig = (): Rig => current
    beforeEach(async () => {
      current = new Rig(await makeWorld())
    })
    afterEach(() => current.close())
    delivers(rig)
    noticesSilence(rig)
    refusesStrangers(rig)
    livesOn(rig)
  })
}

/** Hosts of one test. */
class Rig {
  readonly world: PeersWorld
  readonly #opened: Peers[] = []

  constructor(world: PeersWorld) {
    this.world = world
  }

  async open(...[host, variant]: Parameters<PeersWorld['open']>): Promise<Peers> {
    const peers = await this.world.open(host, variant)
    this.#opened.push(peers)
    return peers
  }

  settingOf(me: string, networks?: readonly Network[]): PeerSetting {
    const others = ['alpha', 'beta'].filter((host) => host !== me)
    return {
      me: this.#placeOf(me, networks),
      others: others.map((host) => this.#placeOf(host)),
      intervalMs: INTERVAL_MS,
    }
  }

  /** Opens alpha and beta, and waits until each hears the other over both networks. */
  async openPair(): Promise<{ readonly a: Peers; readonly b: Peers }> {
    const a = await this.open('alpha')
    const b = await this.open('beta')
    await Promise.all([a.configure(this.settingOf('alpha')), b.configure(this.settingOf('beta'))])
    await this.bothHear(a, b)
    return { a, b }
  }

  bothHear(a: Peers, b: Peers): Promise<unknown> {
    return this.world.until('each to hear the other over both networks', () =>
      [a, b].every((peers) => this.audible(peers).length === NETWORKS.length) ? true : undefined,
    )
  }

  /** Networks over which anybody is heard. */
  audible(peers: Peers): readonly string[] {
    return peers
      .heard()
      .filter(({ atMs }) => this.world.nowMs() - Math.max(atMs, peers.listeningSinceMs()) < SILENT_MS)
      .map(({ network }) => network)
  }

  /** Lets the other side say so much that whatever was sent before has arrived or never will. */
  async letPass(peers: Peers, intervals = 5): Promise<void> {
    const from = this.world.nowMs()
    await this.world.until(`${intervals} heartbeats`, () =>
      NETWORKS.every((network) => heardMs(peers, network) > from + intervals * INTERVAL_MS) ? true : undefined,
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((peers) => peers.close()))
    await this.world.close()
  }

  #placeOf(host: string, networks: readonly Network[] = NETWORKS): PeerPlace {
    return {
      host: parseName('physicalHost', host),
      addresses: networks.map((network) => ({ network, address: this.world.addressOf(host, network) })),
    }
  }
}

function heardMs(peers: Peers, network: string): number {
  return peers.heard().find((one) => one.network === network)?.atMs ?? 0
}

function collect(peers: Peers): { readonly from: string; readonly message: PeerMessage }[] {
  const messages: { readonly from: string; readonly message: PeerMessage }[] = []
  peers.listen((from, message) => messages.push({ from, message }))
  return messages
}

function ask(round: number): PeerMessage {
  return { kind: 'ask-promise', incarnation: 3, round, expiryMs: 900 }
}

function delivers(rig: () => Rig): void {
  it('hears others over every network, again and again', async () => {
    const { a } = await rig().openPair()
    const before = heardMs(a, 'priv2')
    expect(before).toBeLessThanOrEqual(rig().world.nowMs())
    expect(a.listeningSinceMs()).toBeLessThanOrEqual(rig().world.nowMs())
    await rig().letPass(a, 3)
    expect(a.heard().every(({ host }) => host === beta)).toBe(true)
  })

  it('delivers a message once, although it goes over both networks', async () => {
    const { a, b } = await rig().openPair()
    const messages = collect(b)
    for (let round = 1; round <= 10; round += 1) a.send(beta, ask(round))
    await rig().world.until('ten messages', () => (messages.length >= 10 ? true : undefined))
    await rig().letPass(b)
    expect(messages.map(({ from }) => from)).toEqual(Array.from({ length: 10 }, () => alpha))
    const rounds = messages.map(({ message }) => message.round).toSorted((one, other) => one - other)
    expect(rounds).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(messages.find(({ message }) => message.round === 7)?.message).toEqual(ask(7))
  })
}

function noticesSilence(rig: () => Rig): void {
  it('goes on over the other network when one is cut, and tells of it', async () => {
    const { a, b } = await rig().openPair()
    let changes = 0
    const stop = a.onChange(SILENT_MS, () => {
      changes += 1
    })
    await b.configure(rig().settingOf('beta', ['priv2']))
    await rig().world.until('priv1 to be silent', () => (rig().audible(a).join() === 'priv2' ? true : undefined))
    await rig().world.until('to be told', () => (changes > 0 ? true : undefined))
    const messages = collect(b)
    a.send(beta, ask(1))
    await rig().world.until('a message over priv2', () => messages[0])
    const before = changes
    await b.configure(rig().settingOf('beta'))
    await rig().bothHear(a, b)
    await rig().world.until('to be told of the return', () => (changes > before ? true : undefined))
    stop()
    stop()
  })

  it('tells nothing more once the listener has stopped', async () => {
    const { a, b } = await rig().openPair()
    let changes = 0
    a.onChange(SILENT_MS, () => {
      changes += 1
    })()
    const before = changes
    await b.close()
    await rig().world.until('silence', () => (rig().audible(a).length === 0 ? true : undefined))
    expect(changes).toBe(before)
  })
}

function refusesStrangers(rig: () => Rig): void {
  it('hears nobody with another key', async () => {
    const { a, b } = await rig().openPair()
    await b.close()
    const stranger = await rig().open('beta', { hasOtherKey: true })
    const heard = collect(a)
    await stranger.configure(rig().settingOf('beta'))
    await rig().world.until('silence', () => (rig().audible(a).length === 0 ? true : undefined))
    stranger.send(alpha, ask(1))
    await stranger.close()
    const back = await rig().open('beta')
    await back.configure(rig().settingOf('beta'))
    await rig().bothHear(a, back)
    expect(heard).toEqual([])
  })

  it('hears nobody of another cluster', async () => {
    const a = await rig().open('alpha')
    const b = await rig().open('beta', { cluster: 'other' })
    await Promise.all([a.configure(rig().settingOf('alpha')), b.configure(rig().settingOf('beta'))])
    const from = rig().world.nowMs()
    await rig().world.until('some time to pass', () =>
      rig().world.nowMs() > from + 5 * INTERVAL_MS ? true : undefined,
    )
    expect(a.heard()).toEqual([])
    expect(b.heard()).toEqual([])
  })
}

function livesOn(rig: () => Rig): void {
  it('is told by the machine of a host that nobody listens there any more', async () => {
    const { a, b } = await rig().openPair()
    await b.close()
    const closedMs = rig().world.nowMs()
    await rig().world.until('both networks to say so', () =>
      a.heard().every(({ vacantMs }) => vacantMs !== null && vacantMs > closedMs) ? true : undefined,
    )
  })

  it('hears the next life of a host, with messages counted anew', async () => {
    const { a, b } = await rig().openPair()
    const messages = collect(a)
    b.send(alpha, ask(1))
    await rig().world.until('the first message', () => messages[0])
    await b.close()
    const next = await rig().open('beta')
    await next.configure(rig().settingOf('beta'))
    await rig().bothHear(a, next)
    next.send(alpha, ask(2))
    await rig().world.until('a message of the next life', () => messages[1])
    expect(messages.map(({ message }) => message.round)).toEqual([1, 2])
  })

  it('is configured again while it runs, also twice at a time, and with nobody', async () => {
    const { a, b } = await rig().openPair()
    const slow = { ...rig().settingOf('alpha'), intervalMs: 2 * INTERVAL_MS }
    await Promise.all([a.configure(slow), a.configure({ ...slow, others: [] })])
    expect(a.heard()).toEqual([])
    a.send(beta, ask(1))
    await a.configure(rig().settingOf('alpha'))
    await rig().bothHear(a, b)
  })

  it('says nothing and hears nothing after it was closed', async () => {
    const { a, b } = await rig().openPair()
    await a.close()
    await a.close()
    expect(a.heard()).toEqual([])
    expect(a.listeningSinceMs()).toBe(Number.POSITIVE_INFINITY)
    a.send(beta, ask(1))
    await a.configure(rig().settingOf('alpha'))
    await rig().world.until('silence', () => (rig().audible(b).length === 0 ? true : undefined))
  })
}
