import { audibleOver } from '../../../src/framework/membership/heartbeats.ts'
import type { Heard, PeerMessage, PeerSetting, Peers } from '../../../src/framework/ports/peers.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** The private networks of a small world: heartbeats arrive at once, unless their network is cut. */
export class FakeAir {
  /** Names of networks, or `alpha>beta priv1` for one direction. */
  readonly cuts = new Set<string>()
  readonly #clock: VirtualClock
  readonly #ears = new Map<string, AirPeers>()

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  peersOf(host: string): Peers {
    const peers = new AirPeers(this, this.#clock, host)
    this.#ears.set(host, peers)
    return peers
  }

  carry(from: string, to: string, network: string): void {
    if (this.cuts.has(network) || this.cuts.has(`${from}>${to} ${network}`)) return
    this.#ears.get(to)?.hear(from, network)
  }
}

class AirPeers implements Peers {
  readonly #air: FakeAir
  readonly #clock: VirtualClock
  readonly #me: string
  readonly #listeners = new Map<() => void, number>()
  #heard: readonly Heard[] = []
  #setting: PeerSetting | undefined
  #sinceMs = Number.POSITIVE_INFINITY
  #audible = ''
  #isClosed = false

  constructor(air: FakeAir, clock: VirtualClock, me: string) {
    this.#air = air
    this.#clock = clock
    this.#me = me
  }

  async configure(setting: PeerSetting): Promise<void> {
    const isFirst = this.#setting === undefined
    this.#setting = setting
    if (!isFirst) return
    this.#sinceMs = this.#clock.nowMs
    void this.#beat()
  }

  hear(from: string, network: string): void {
    const host = this.#setting?.others.find((other) => other.host === from)?.host
    if (host === undefined || this.#isClosed) return
    const rest = this.#heard.filter((one) => one.host !== from || one.network !== network)
    this.#heard = [...rest, { host, network, atMs: this.#clock.nowMs, vacantMs: null }]
  }

  send(_to: string, _message: PeerMessage): void {}
  listen(): void {}
  heard(): readonly Heard[] {
    return this.#heard
  }
  listeningSinceMs(): number {
    return this.#sinceMs
  }
  onChange(silentMs: number, listener: () => void): () => void {
    this.#listeners.set(listener, silentMs)
    return () => void this.#listeners.delete(listener)
  }
  troubles(): readonly string[] {
    return []
  }
  async close(): Promise<void> {
    this.#isClosed = true
  }

  async #beat(): Promise<void> {
    while (!this.#isClosed) {
      const { me, others, intervalMs } = this.#setting ?? { me: undefined, others: [], intervalMs: 50 }
      for (const { host, addresses } of others) {
        const shared = addresses.filter(({ network }) => me?.addresses.some((own) => own.network === network))
        for (const { network } of shared) this.#air.carry(this.#me, host, network)
      }
      this.#tell()
      await this.#clock.effects().sleep(intervalMs)
    }
  }

  #tell(): void {
    const hearing = { heard: this.#heard, listeningSinceMs: this.#sinceMs, nowMs: this.#clock.nowMs }
    for (const [listener, silentMs] of this.#listeners) {
      const networks = [...new Set(this.#heard.map(({ network }) => network))]
      const audible = networks.map((network) => audibleOver(hearing, network, silentMs).join()).join(' ')
      if (audible === this.#audible) continue
      this.#audible = audible
      listener()
    }
  }
}
