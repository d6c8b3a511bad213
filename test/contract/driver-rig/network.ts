import { eventually } from '../../eventually.ts'
import { NamespaceHost, Workshop } from './namespace-host.ts'

/** For a busy machine. */
const HEARD_MS = 5_000

/** The adapter of every host of the network. */
export const ADAPTER = 'eth0'

/** Hosts on one bridge: two physical hosts and a client, with IPv4 10.88.0.0/24 and IPv6 fd00:88::/64. All of it lives in namespaces of its own. */
export class Network {
  readonly #workshop = new Workshop()
  readonly #hosts = new Map<string, NamespaceHost>()

  async start(): Promise<void> {
    const bridge = await this.#startHost('switch')
    await bridge.run(
      'ip',
      'link',
      'add',
      'lan',
      'type',
      'bridge',
      'stp_state',
      '0',
      'forward_delay',
      '0',
      'mcast_snooping',
      '0',
    )
    await bridge.run('ip', 'link', 'set', 'lan', 'up')
    for (const [index, name] of ['h1', 'h2', 'client'].entries())
      await this.#plugIn(bridge, { name, number: index + 1 })
  }

  host(name: 'h1' | 'h2' | 'client' | 'switch'): NamespaceHost {
    const host = this.#hosts.get(name)
    if (host === undefined) throw new Error(`the network has not been started, so there is no ${name}`)
    return host
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.powerOff()))
    this.#workshop.close()
  }

  async #plugIn(bridge: NamespaceHost, { name, number }: { name: string; number: number }): Promise<void> {
    const host = await this.#startHost(name)
    await bridge.run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', ADAPTER, 'netns', String(host.pid))
    await bridge.run('ip', 'link', 'set', name, 'master', 'lan', 'up')
    await host.run('ip', 'addr', 'add', `10.88.0.${number}/24`, 'dev', ADAPTER)
    await host.run('ip', 'link', 'set', ADAPTER, 'up')
    await host.run('ip', 'addr', 'add', `fd00:88::${number}/64`, 'dev', ADAPTER, 'nodad')
  }

  async #startHost(name: string): Promise<NamespaceHost> {
    const scope = `test-${process.pid}:${name}`
    const root = this.#workshop.directory
    const settings = {
      cluster: 'test',
      physicalHost: name,
      root,
      scope,
      termGraceMs: 100,
      announceAgainAfterMs: [50, 50],
    }
    const host = await NamespaceHost.start(this.#workshop, settings)
    this.#hosts.set(name, host)
    return host
  }
}

/** The hardware address that a host has for an address in its neighbour table; undefined when it has none. */
export async function neighbourOf(host: NamespaceHost, address: string): Promise<string | undefined> {
  const table = JSON.parse(await host.run('ip', '-json', 'neigh', 'show', address)) as readonly {
    readonly lladdr?: string
  }[]
  return table[0]?.lladdr
}

/** Waits until a host knows an address at this hardware address: an announcement is heard a moment after it was sent. */
export async function untilNeighbour(host: NamespaceHost, address: string, hardware: string): Promise<void> {
  await eventually(`${address} to be known at ${hardware}`, HEARD_MS, async (saw) => {
    const known = await neighbourOf(host, address)
    saw(known)
    return known === hardware ? true : undefined
  })
}

/** The hardware address of a host. */
export async function hardwareOf(host: NamespaceHost): Promise<string> {
  const [link] = JSON.parse(await host.run('ip', '-json', 'link', 'show', ADAPTER)) as readonly {
    readonly address: string
  }[]
  return link?.address ?? ''
}
