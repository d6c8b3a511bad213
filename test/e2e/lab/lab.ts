import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inside, type Keeper, startKeeper } from './keeper.ts'
import { ADAPTER, LabHost } from './lab-host.ts'
import { runProgram, type Words } from './run-program.ts'
import { isKept } from './workshop.ts'

/** The client's own address on the network of the hosts. */
const CLIENT_ADDRESS = '10.77.0.250/24'

/** What a lab is made for. */
export interface LabOptions {
  /** A directory of this test run, for everything that the hosts keep. */
  readonly workshop: string
  /** Directory with `bin/` and `dist/`. */
  readonly installation: string
  /** Tells labs of one test run from each other. */
  readonly name: string
}

/**
 * A network with physical hosts and a client, made of namespaces. All names that this machine could see are unique per test process, and all of it
 * goes when the test process does.
 */
export class Lab {
  /** What all hosts see: the cluster database and the disk images. */
  readonly shared: string
  readonly hosts = new Map<string, LabHost>()
  readonly #options: LabOptions
  readonly #directory: string
  readonly #name: string
  readonly #switch: Keeper
  readonly #client: Keeper

  private constructor(options: LabOptions, name: string, network: { readonly hub: Keeper; readonly client: Keeper }) {
    this.#options = options
    this.#name = name
    this.#directory = join(options.workshop, options.name)
    this.shared = join(this.#directory, 'shared')
    this.#switch = network.hub
    this.#client = network.client
    mkdirSync(this.shared, { recursive: true })
    // The owner of a database must get to its disk group.
    for (const path of [options.workshop, this.#directory, this.shared]) chmodSync(path, 0o755)
  }

  static async start(options: LabOptions): Promise<Lab> {
    const name = `haven-lab-${process.pid}-${options.name}`
    const network = { unshare: ['--net'], words: [], cgroup: '' }
    const hub = await startKeeper({ ...network, setup: BRIDGE })
    const client = await startKeeper({ ...network, setup: 'ip link set lo up' })
    const port = ['ip', 'link', 'add', 'client', 'type', 'veth', 'peer', 'name', ADAPTER, 'netns', String(client.pid)]
    await runProgram(inside(hub.pid, 'network', port as unknown as Words))
    await runProgram(inside(hub.pid, 'network', ['ip', 'link', 'set', 'client', 'master', ADAPTER, 'up']))
    const lab = new Lab(options, name, { hub, client })
    await lab.client('ip', 'address', 'add', CLIENT_ADDRESS, 'dev', ADAPTER)
    await lab.client('ip', 'link', 'set', ADAPTER, 'up')
    return lab
  }

  /** Adds a host and switches it on. */
  async addHost(name: string): Promise<LabHost> {
    const { installation } = this.#options
    const root = join(this.#directory, name)
    const parts = {
      name,
      number: this.hosts.size + 1,
      root,
      installation,
      switchPid: this.#switch.pid,
      labName: this.#name,
    }
    const host = new LabHost(parts)
    this.hosts.set(name, host)
    await host.boot()
    return host
  }

  host(name: string): LabHost {
    const host = this.hosts.get(name)
    if (host === undefined) throw new Error(`there is no host ${name}`)
    return host
  }

  /** The words that run a program on the client. */
  clientWords(...words: Words): Words {
    return inside(this.#client.pid, 'network', words)
  }

  /** Runs a program on the client that must succeed; returns what it printed. */
  client(...words: Words): Promise<string> {
    return runProgram(this.clientWords(...words))
  }

  /** Switches everything off and removes what it has written. */
  async stop(): Promise<void> {
    await Promise.all([...this.hosts.values()].map((host) => host.powerOff()))
    await Promise.all([this.#switch.kill(), this.#client.kill()])
    await detachLoops(this.#directory)
    if (!isKept) rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Loop devices that were not made by mount(8) do not go by themselves. */
export async function detachLoops(directory: string): Promise<void> {
  const list = await runProgram(['losetup', '--noheadings', '--list', '--output', 'NAME,BACK-FILE'])
  for (const line of list.split('\n')) {
    const [device = '', file = ''] = line.trim().split(/\s+/)
    if (file.startsWith(`${directory}/`)) await runProgram(['losetup', '--detach', device])
  }
}

const BRIDGE = `
ip link set lo up
ip link add ${ADAPTER} type bridge stp_state 0 forward_delay 0 mcast_snooping 0
ip link set ${ADAPTER} up`
