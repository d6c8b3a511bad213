import type { PhysicalHostName } from '../../src/framework/model/names.ts'
import type { Heard, PeerMessage, PeerSetting, Peers } from '../../src/framework/ports/peers.ts'
import type { Chances } from './chances.ts'
import type { Process } from './machine.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Names of the private networks of every history. */
export const SIM_NETWORKS = ['priv1', 'priv2'] as const

/** What a datagram of the simulation is: a heartbeat has no message. */
interface Datagram {
  readonly from: PhysicalHostName
  readonly network: string
  readonly message: PeerMessage | undefined
}

/** Where datagrams arrive. */
interface Ear {
  readonly process: Process
  readonly hear: (datagram: Datagram) => void
  /** The machine of the host says that nobody listens there. */
  readonly hearNobody: (host: string, network: string) => void
}

/** What hosts are connected by: private networks for datagrams, and their ways to the cluster database. Each way may be cut, in one direction alone. */
export class SimNetwork {
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #chances: () => Chances
  readonly #ears = new Map<string, Ear>()
  /** `from>to network`. */
  readonly #cuts = new Set<string>()
  /** Hosts that do not reach the database, each as often as it was cut; `*` = none does. */
  readonly #databaseCuts = new Map<string, number>()
  /** Datagrams that were sent. */
  sent = 0

  constructor(time: VirtualTime, random: Random, chances: () => Chances) {
    this.#time = time
    this.#random = random
    this.#chances = chances
  }

  /** Whether what the host sends to the database, or the database to the host, is lost. */
  isDatabaseCut(host: string): boolean {
    return (this.#databaseCuts.get(host) ?? 0) + (this.#databaseCuts.get('*') ?? 0) > 0
  }

  /** Cuts a host (`*`: everybody) from the database for a while. */
  cutDatabase(host: string, forMs: number): void {
    const change = (by: number): void => void this.#databaseCuts.set(host, (this.#databaseCuts.get(host) ?? 0) + by)
    change(1)
    this.#time.after(forMs, () => change(-1))
  }

  /** Cuts one direction of one network for a while. */
  cut(from: string, to: string, network: string, forMs: number): void {
    const way = `${from}>${to} ${network}`
    this.#cuts.add(way)
    this.#time.after(forMs, () => this.#cuts.delete(way))
  }

  /** Ends all cuts. */
  heal(): void {
    this.#cuts.clear()
    this.#databaseCuts.clear()
  }

  listen(host: string, ear: Ear): void {
    this.#ears.set(host, ear)
  }

  /** Sends a datagram; it may be lost, late or repeated. */
  send(to: string, datagram: Datagram): void {
    this.sent += 1
    const { from, network } = datagram
    const { datagramLost, datagramLate } = this.#chances()
    if (this.#random.chance(datagramLost) || this.#cuts.has(`${from}>${to} ${network}`)) return
    const tookMs = this.#random.chance(datagramLate) ? this.#random.between(5, 2_000) : this.#random.between(0.1, 1)
    this.#time.after(tookMs, () => {
      // Whoever listens there by then: what was sent to a clustd that was killed reaches the next one.
      const ear = this.#ears.get(to)
      if (ear === undefined) return
      if (!ear.process.isDead) ear.process.post(0, () => ear.hear(datagram))
      else if (ear.process.machine.isRunning && !this.#cuts.has(`${to}>${from} ${network}`)) {
        const asker = this.#ears.get(from)
        asker?.process.post(0.1, () => asker.hearNobody(to, network))
      }
    })
  }
}

/** The peers as one clustd sees them. Heartbeats have a thread of their own there; here they are sent while the machine runs and clustd lives. */
export class SimPeers implements Peers {
  readonly #network: SimNetwork
  readonly #process: Process
  readonly #me: PhysicalHostName
  readonly #heard = new Map<string, Heard>()
  #others: readonly PhysicalHostName[]
  #onMessage: (from: PhysicalHostName, message: PeerMessage) => void = () => undefined
  #taken = new Set<string>()

  constructor(network: SimNetwork, process: Process, me: PhysicalHostName, others: readonly PhysicalHostName[]) {
    this.#network = network
    this.#process = process
    this.#me = me
    this.#others = others
    network.listen(me, {
      process,
      hear: (datagram) => this.#hear(datagram),
      hearNobody: (host, over) => this.#hearNobody(host, over),
    })
  }

  /** Sends a heartbeat every `intervalMs` from now on. */
  beat(intervalMs: number): void {
    for (const to of this.#others) this.#sendAll(to, undefined)
    this.#process.post(intervalMs, () => this.beat(intervalMs))
  }

  async configure({ others }: PeerSetting): Promise<void> {
    this.#others = others.map(({ host }) => host)
  }

  send(to: PhysicalHostName, message: PeerMessage): void {
    this.#sendAll(to, message)
  }

  listen(onMessage: (from: PhysicalHostName, message: PeerMessage) => void): void {
    this.#onMessage = onMessage
  }

  heard(): readonly Heard[] {
    return [...this.#heard.values()]
  }

  listeningSinceMs(): number {
    return Number.NEGATIVE_INFINITY
  }

  onChange(): () => void {
    return () => undefined
  }

  troubles(): readonly string[] {
    return []
  }

  async close(): Promise<void> {}

  #sendAll(to: PhysicalHostName, message: PeerMessage | undefined): void {
    for (const network of SIM_NETWORKS) this.#network.send(to, { from: this.#me, network, message })
  }

  #hearNobody(host: string, network: string): void {
    const key = `${host} ${network}`
    const known = this.#heard.get(key)
    if (known !== undefined) this.#heard.set(key, { ...known, vacantMs: this.#process.machine.nowMonotonicMs() })
  }

  #hear({ from, network, message }: Datagram): void {
    const atMs = this.#process.machine.nowMonotonicMs()
    const key = `${from} ${network}`
    this.#heard.set(key, { host: from, network, atMs, vacantMs: this.#heard.get(key)?.vacantMs ?? null })
    if (message === undefined) return
    // Each message is delivered once, over whichever network it came first.
    const id = `${from} ${message.kind} ${message.incarnation} ${message.round}`
    if (this.#taken.has(id)) return
    this.#taken = new Set([...this.#taken, id].slice(-REMEMBERED_MAX))
    this.#onMessage(from, message)
  }
}

const REMEMBERED_MAX = 64
