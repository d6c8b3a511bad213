import type { LogicalAddress } from '../../../src/framework/model/cluster-config.ts'
import type { ProbeAnswer } from '../../../src/framework/model/network.ts'
import type { AdapterLink, AdapterTraffic, Links } from '../../../src/framework/ports/links.ts'
import type {
  AddressMove,
  AddressMoved,
  GroupPlace,
  PublicAdapters,
} from '../../../src/framework/ports/public-adapters.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** One adapter of one host, plugged into the network. */
class FakeAdapter {
  hasLink = true
  /** Its link is up, and nothing goes in or out. */
  isDead = false
  /** Its link is up, it hears everything, and nothing goes out. */
  isMute = false
  received = 0
  readonly addresses = new Set<string>()
}

/** One network of a small world: a switch, adapters of hosts, a gateway, and clients that may chat. */
export class FakeLan {
  readonly #clock: VirtualClock
  readonly #hosts = new Map<string, FakeHost>()
  /** The switch forwards nothing, for anybody; links stay up. */
  isDown = false
  /** The address of a gateway that answers everybody; empty: there is none. */
  gateway = ''
  /** Moves of addresses, as `alpha eth1 eth2`. */
  readonly moves: string[] = []

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** Plugs a host in; its own address is on its first adapter. */
  plugIn(host: string, adapters: readonly string[], address: string): void {
    const fake = new FakeHost(this, host, this.#clock)
    for (const name of adapters) fake.all.set(name, new FakeAdapter())
    fake.all.get(adapters[0] ?? '')?.addresses.add(address)
    this.#hosts.set(host, fake)
  }

  adaptersOf(host: string): PublicAdapters {
    return this.#host(host)
  }

  adapter(host: string, name: string): FakeAdapter {
    const found = this.#host(host).all.get(name)
    if (found === undefined) throw new Error(`${host} has no ${name}`)
    return found
  }

  /** The adapter of a host that has an address; undefined when none has. */
  carrier(host: string, address: string): string | undefined {
    return [...this.#host(host).all].find(([, { addresses }]) => addresses.has(address))?.[0]
  }

  setLink(host: string, name: string, hasLink: boolean): void {
    this.adapter(host, name).hasLink = hasLink
    this.#host(host).tell()
  }

  /** Clients broadcast something that every working adapter hears. */
  chat(): void {
    for (const host of this.#hosts.values()) {
      for (const adapter of host.all.values()) if (this.works(adapter)) adapter.received += 1
    }
  }

  /** The switch itself says something to one adapter, whether it forwards anything or not. */
  speak(host: string, name: string): void {
    const adapter = this.adapter(host, name)
    if (adapter.hasLink && !adapter.isDead) adapter.received += 1
  }

  works({ hasLink, isDead }: FakeAdapter): boolean {
    return hasLink && !isDead && !this.isDown
  }

  /** Whether somebody answers for an address; who is asked hears the question. */
  answers(asking: FakeAdapter, address: string): boolean {
    if (!this.works(asking) || asking.isMute) return false
    for (const host of this.#hosts.values()) {
      for (const adapter of host.all.values()) {
        // A question is broadcast: every other adapter hears it.
        if (adapter !== asking && this.works(adapter)) adapter.received += 1
      }
    }
    const owners = [...this.#hosts.values()].flatMap((host) => [...host.all.values()])
    return (
      address === this.gateway ||
      owners.some((one) => one !== asking && one.addresses.has(address) && this.works(one) && !one.isMute)
    )
  }

  #host(name: string): FakeHost {
    const host = this.#hosts.get(name)
    if (host === undefined) throw new Error(`${name} is not plugged in`)
    return host
  }
}

/** The public adapters of one host on such a network. */
class FakeHost implements PublicAdapters {
  readonly all = new Map<string, FakeAdapter>()
  readonly links: Links
  readonly #lan: FakeLan
  readonly #name: string
  readonly #clock: VirtualClock
  readonly #listeners = new Set<() => void>()
  groups: readonly GroupPlace[] = []

  constructor(lan: FakeLan, name: string, clock: VirtualClock) {
    this.#lan = lan
    this.#name = name
    this.#clock = clock
    this.links = {
      ready: Promise.resolve(),
      adapters: () => new Map([...this.all].map(([adapter, { hasLink }]) => [adapter, linkNamed(adapter, hasLink)])),
      traffic: () =>
        new Map(
          [...this.all].map(([adapter, { received }]): [string, AdapterTraffic] => [adapter, { received, sent: 0 }]),
        ),
      onChange: (listener) => {
        this.#listeners.add(listener)
        return () => void this.#listeners.delete(listener)
      },
      close: async () => undefined,
    }
  }

  tell(): void {
    for (const listener of this.#listeners) listener()
  }

  setGroups(groups: readonly GroupPlace[]): void {
    this.groups = groups
  }

  async findCarrier(addresses: readonly string[], adapters: readonly string[]): Promise<string | undefined> {
    return adapters.find((adapter) => addresses.some((address) => this.all.get(adapter)?.addresses.has(address)))
  }

  async ask(adapter: string, addresses: readonly string[], waitMs: number): Promise<ProbeAnswer> {
    const asking = this.all.get(adapter)
    if (asking !== undefined && addresses.filter((address) => this.#lan.answers(asking, address)).length > 0) {
      asking.received += 1
      return 'answered'
    }
    await this.#clock.effects().sleep(waitMs)
    return 'unanswered'
  }

  async separate(): Promise<void> {
    // Nobody answers for another adapter here.
  }

  async remember(): Promise<void> {
    // Nothing is lost here.
  }

  async move({ from, to, addresses, ifThere, logical }: AddressMove): Promise<AddressMoved> {
    const [source, target] = [this.all.get(from), this.all.get(to)]
    if (source === undefined || target === undefined) return { moved: [], failed: [`no ${from} or ${to}`], busy: [] }
    this.#lan.moves.push(`${this.#name} ${from} ${to}`)
    const textOf = (all: readonly LogicalAddress[]): readonly string[] => all.map(({ address }) => address)
    const own = [...source.addresses].filter((address) => !textOf(logical).includes(address))
    const here = textOf(ifThere).filter((address) => source.addresses.has(address))
    const moved = [...own, ...textOf(addresses), ...here]
    for (const address of moved) {
      for (const adapter of this.all.values()) adapter.addresses.delete(address)
      target.addresses.add(address)
    }
    return { moved, failed: [], busy: [] }
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }
}

function linkNamed(name: string, isUp: boolean): AdapterLink {
  return { name, index: 1, linkType: 'ether', hardware: '02:00:00:00:00:01', isOn: true, isUp }
}
