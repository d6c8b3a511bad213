import { inside, type Keeper, startKeeper } from './keeper.ts'
import type { LabNetwork } from './network.ts'
import { runProgram } from './run-program.ts'

/** Something that is wrong with a network, although every cable is plugged in. */
export type Fault =
  /** Nothing that this port sends arrives anywhere. */
  | { readonly kind: 'mute'; readonly port: string }
  /** Nothing arrives at this port. */
  | { readonly kind: 'deaf'; readonly port: string }
  /** Nothing goes between the ports of one side and those of the other. */
  | { readonly kind: 'apart'; readonly one: readonly string[]; readonly other: readonly string[] }
  /** So many of a hundred frames between any two of these ports are lost. */
  | { readonly kind: 'loss'; readonly ports: readonly string[]; readonly percent: number }

/** The bridges of a lab, in a network namespace of their own: what is done to cables and to frames is done here, where no host can see it. */
export class Switch {
  readonly #keeper: Keeper
  readonly #networks: readonly LabNetwork[]
  #faults: readonly Fault[] = []

  private constructor(keeper: Keeper, networks: readonly LabNetwork[]) {
    this.#keeper = keeper
    this.#networks = networks
  }

  static async start(networks: readonly LabNetwork[]): Promise<Switch> {
    const keeper = await startKeeper({ unshare: ['--net'], words: [...networks], cgroup: '', setup: BRIDGES })
    return new Switch(keeper, networks)
  }

  get networks(): readonly LabNetwork[] {
    return this.#networks
  }

  /** Runs lines of ip(8), one after the other, in one process; `mayFail`: goes on after one that fails. */
  async ip(lines: readonly string[], { mayFail = false } = {}): Promise<void> {
    const words = mayFail ? ['ip', '-force', '-batch', '-'] : ['ip', '-batch', '-']
    const all = inside(this.#keeper.pid, 'network', words as [string, ...string[]])
    await runProgram(mayFail ? ['sh', '-c', '"$@" 2>/dev/null || :', 'sh', ...all] : all, `${lines.join('\n')}\n`)
  }

  /** Makes a cable: an adapter in the network namespace of a process, and its port here. */
  async plugIn(cable: {
    readonly port: string
    readonly network: LabNetwork
    readonly adapter: string
    readonly hardware?: string
    readonly pid: number
  }): Promise<void> {
    const { port, network, adapter, hardware, pid } = cable
    // The adapters of a host that has lost its power go a moment later than its processes.
    await this.ip([`link del ${port}`], { mayFail: true })
    const own = hardware === undefined ? '' : `address ${hardware} `
    await this.ip([
      `link add ${port} type veth peer name ${adapter} ${own}netns ${pid}`,
      `link set ${port} master ${network} up`,
    ])
  }

  /** Adds a fault; `Switch.faults` says what there is. All of them are in effect when it resolves. */
  async add(fault: Fault): Promise<void> {
    this.#faults = [...this.#faults, fault]
    await this.#apply()
  }

  /** Takes away the faults that are so; all of them without an argument. */
  async mend(isSo: (fault: Fault) => boolean = () => true): Promise<void> {
    const left = this.#faults.filter((fault) => !isSo(fault))
    if (left.length === this.#faults.length) return
    this.#faults = left
    await this.#apply()
  }

  async #apply(): Promise<void> {
    const rules = this.#faults.map(ruleOf).join('\n')
    // One transaction: there is no moment without the faults that stay.
    const text = `add table bridge faults\ndelete table bridge faults\ntable bridge faults {\nchain frames {\ntype filter hook forward priority 0\n${rules}\n}\n}\n`
    await runProgram(inside(this.#keeper.pid, 'network', ['nft', '-f', '-']), text)
  }

  kill(): Promise<void> {
    return this.#keeper.kill()
  }
}

function ruleOf(fault: Fault): string {
  switch (fault.kind) {
    case 'mute':
      return `iifname "${fault.port}" drop`
    case 'deaf':
      return `oifname "${fault.port}" drop`
    case 'apart': {
      const [one, other] = [setOf(fault.one), setOf(fault.other)]
      return `iifname ${one} oifname ${other} drop\niifname ${other} oifname ${one} drop`
    }
    case 'loss':
      return `iifname ${setOf(fault.ports)} oifname ${setOf(fault.ports)} numgen random mod 100 < ${fault.percent} drop`
  }
}

function setOf(ports: readonly string[]): string {
  return `{ ${ports.map((port) => `"${port}"`).join(', ')} }`
}

// Without IPv6, or each port would speak for itself for half a minute after its cable was plugged in: to a host whose network is down, that is life.
const BRIDGES = `
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip link set lo up
for network in "$@"; do
  ip link add "$network" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
  ip link set "$network" up
done`
