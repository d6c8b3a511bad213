import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inside, type Keeper, startKeeper } from './keeper.ts'
import { LabHost } from './lab-host.ts'
import { adaptersOn, addressOn, type LabNetwork } from './network.ts'
import { clockLibraryIn } from './programs.ts'
import { runProgram, type Words } from './run-program.ts'
import { Switch } from './switch.ts'
import { isKept } from './workshop.ts'

/** The client's own address on the network of the hosts. */
export const CLIENT_ADDRESS = addressOn('pub', 250)
/** Its adapter there, and that of every host. */
const ADAPTER = 'pub'

/** What a lab is made for. */
export interface LabOptions {
  /** A directory of this test run, for everything that the hosts keep. */
  readonly workshop: string
  /** Directory with `bin/` and `dist/`. */
  readonly installation: string
  /** Tells labs of one test run from each other. */
  readonly name: string
  /** Default: the public one only. */
  readonly networks?: readonly LabNetwork[]
  /** Whether every host has a second adapter on the public network. */
  readonly spare?: boolean
  /** Whether every host has a wall clock of its own, which a test may set. */
  readonly clocks?: boolean
}

/** What a host is beside a possible master. */
export interface HostOptions {
  /** A machine with a vote that never masters anything; it is none of the `hosts` of the lab. */
  readonly isWitness?: boolean
}

/**
 * A network with physical hosts and a client, made of namespaces. All names that this machine could see are unique per test process, and all of it
 * goes when the test process does.
 */
export class Lab {
  /** What all hosts see: the cluster database and the disk images. */
  readonly shared: string
  readonly hosts = new Map<string, LabHost>()
  /** What is done to cables and frames. */
  readonly switch: Switch
  readonly #witnesses: LabHost[] = []
  readonly #options: LabOptions
  readonly #directory: string
  readonly #name: string
  readonly #client: Keeper

  private constructor(options: LabOptions, name: string, network: { readonly hub: Switch; readonly client: Keeper }) {
    this.#options = options
    this.#name = name
    const labs = join(options.workshop, 'labs')
    this.#directory = join(labs, options.name)
    this.shared = join(this.#directory, 'shared')
    this.switch = network.hub
    this.#client = network.client
    mkdirSync(labs, { recursive: true })
    // It removes this one in the end, so it must be its own.
    mkdirSync(this.#directory)
    mkdirSync(this.shared)
    // The owner of a database must get to its disk group.
    for (const path of [options.workshop, labs, this.#directory, this.shared]) chmodSync(path, 0o755)
  }

  static async start(options: LabOptions): Promise<Lab> {
    const name = `haven-lab-${process.pid}-${options.name}`
    const hub = await Switch.start(options.networks ?? [ADAPTER])
    const client = await startKeeper({ unshare: ['--net'], words: [], cgroup: '', setup: 'ip link set lo up' })
    await hub.plugIn({ port: 'client', network: ADAPTER, adapter: ADAPTER, pid: client.pid })
    const lab = new Lab(options, name, { hub, client })
    await lab.client('ip', 'address', 'add', `${CLIENT_ADDRESS}/24`, 'dev', ADAPTER)
    await lab.client('ip', 'link', 'set', ADAPTER, 'up')
    return lab
  }

  /** Adds a host and switches it on. */
  async addHost(name: string, { isWitness = false }: HostOptions = {}): Promise<LabHost> {
    const { installation, spare = false, clocks = false, workshop } = this.#options
    const parts = {
      name,
      number: this.hosts.size + this.#witnesses.length + 1,
      adapters: adaptersOn(this.switch.networks, { spare: spare && !isWitness }),
      root: join(this.#directory, name),
      installation,
      switch: this.switch,
      clockLibrary: clocks ? clockLibraryIn(workshop) : '',
      labName: this.#name,
    }
    const host = new LabHost(parts)
    if (isWitness) this.#witnesses.push(host)
    else this.hosts.set(name, host)
    await host.boot()
    return host
  }

  /** Every machine but the client: hosts and witnesses. */
  get machines(): readonly LabHost[] {
    return [...this.hosts.values(), ...this.#witnesses]
  }

  /** Nothing goes between the machines of one side and those of the other, over these networks (default: all); the client is on no side. */
  async part(one: readonly LabHost[], other: readonly LabHost[], networks = this.switch.networks): Promise<void> {
    const portsOf = (side: readonly LabHost[]): readonly string[] =>
      networks.flatMap((network) => side.flatMap((host) => host.portsOn(network)))
    await this.switch.add({ kind: 'apart', one: portsOf(one), other: portsOf(other) })
  }

  /** So many of a hundred frames between machines are lost on these networks (default: all, the client's included). */
  async lose(percent: number, networks = this.switch.networks): Promise<void> {
    const ports = networks.flatMap((network) => this.machines.flatMap((host) => host.portsOn(network)))
    await this.switch.add({
      kind: 'loss',
      percent,
      ports: [...ports, ...(networks.includes(ADAPTER) ? ['client'] : [])],
    })
  }

  /** The switch of a network loses its power: every host sees its link go down. */
  async breakNetwork(network: LabNetwork): Promise<void> {
    await Promise.all(this.machines.filter(({ isOn }) => isOn).map((host) => host.cut(network)))
  }

  /** Mends all that was done to cables and frames. */
  async healAll(): Promise<void> {
    await Promise.all(this.machines.filter(({ isOn }) => isOn).map((host) => host.heal()))
    await this.switch.mend()
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
    await Promise.all(this.machines.map((host) => host.powerOff()))
    await Promise.all([this.switch.kill(), this.#client.kill()])
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
