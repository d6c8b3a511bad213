import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient, socketPathOf } from '../../../src/framework/api/client.ts'
import { freezeAll, thawAll } from './freeze.ts'
import { cgroupMount, inside, type Keeper, removeCgroups, startKeeper } from './keeper.ts'
import { addressOn, hardwareOf, type LabAdapter, type LabNetwork } from './network.ts'
import { type Ended, runProgram, tryProgram, type Words } from './run-program.ts'
import type { Switch } from './switch.ts'
import { CLOCK_FILE, setClock } from './wall-clock.ts'

/** Private /proc /sys /run /dev/shm, an id of this boot, its own cgroup tree, its own /run below HAVEN_ROOT: what is gone after a reboot, or tells one from another. */
const SETUP = `
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -z "$3" ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
cat /proc/sys/kernel/random/uuid >/run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
mkdir -p "$2/run"
mount -t tmpfs -o mode=755 tmpfs "$2/run"
hostname "$1"
head -c 8 /dev/zero >${CLOCK_FILE}
if [ -n "$4" ]; then
  mkdir -p "$2.etc" /run/etc && mount -t overlay overlay -o "lowerdir=/etc,upperdir=$2.etc,workdir=$2.etc-work" /etc
  echo "$4" >/etc/ld.so.preload
fi
ip link set lo up`

/** What a lab host is made of. */
export interface LabHostParts {
  readonly name: string
  /** 1, 2, ...: its hardware and its own IP addresses end in it. */
  readonly number: number
  readonly adapters: readonly LabAdapter[]
  /** HAVEN_ROOT of the host. */
  readonly root: string
  /** Directory with `bin/` and `dist/`. */
  readonly installation: string
  readonly switch: Switch
  /** The library that gives it a wall clock of its own; empty = it has that of the machine. */
  readonly clockLibrary: string
  /** Unique on this machine; names the cgroup. */
  readonly labName: string
}

/** A physical host made of namespaces. Its root is that of this machine, its HAVEN_ROOT is kept over a power loss, as disks are. */
export class LabHost {
  readonly name: string
  readonly root: string
  readonly hardwareAddress: string
  readonly ipAddress: string
  readonly #parts: LabHostParts
  #keeper: Keeper | undefined
  #isFrozen = false

  constructor(parts: LabHostParts) {
    this.#parts = parts
    this.name = parts.name
    this.root = parts.root
    this.hardwareAddress = hardwareOf(0, parts.number)
    this.ipAddress = addressOn('pub', parts.number)
  }

  /** Its own address on a network. */
  addressOn(network: LabNetwork): string {
    return addressOn(network, this.#parts.number)
  }

  /** Its own addresses. */
  get ownAddresses(): readonly string[] {
    return [...new Set(this.#parts.adapters.map(({ network }) => this.addressOn(network)))]
  }

  get isOn(): boolean {
    return this.#keeper !== undefined
  }

  /** Whether it is on and does not stand still: what it has there counts. */
  get isAwake(): boolean {
    return this.isOn && !this.#isFrozen
  }

  /** Pid 1 of the host, as seen from outside. */
  get pid(): number {
    if (this.#keeper === undefined) throw new Error(`${this.name} is off`)
    return this.#keeper.pid
  }

  async boot(): Promise<void> {
    if (this.isOn) return
    mkdirSync(this.root, { recursive: true })
    const cgroup = this.#makeCgroup()
    const unshare = ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--cgroup']
    const { clockLibrary } = this.#parts
    if (clockLibrary !== '')
      for (const end of ['etc', 'etc-work']) mkdirSync(`${this.root}.${end}`, { recursive: true })
    const words = [this.name, this.root, cgroup, clockLibrary]
    this.#keeper = await startKeeper({ unshare, setup: SETUP, words, cgroup })
    await this.#plugIn()
  }

  /** Takes the power away: first the cable, so that no FIN leaves; then the disks, so that nothing is unmounted cleanly; then every process. */
  async powerOff(): Promise<void> {
    const keeper = this.#keeper
    if (keeper === undefined) return
    this.#keeper = undefined
    this.#isFrozen = false
    await this.#setPorts('down', this.#parts.adapters)
    try {
      await runProgram(inside(keeper.pid, 'all', ['sh', '-c', SHUT_DISKS, 'sh', this.root]))
    } finally {
      await keeper.kill()
    }
    await removeCgroups(this.#cgroupPath())
  }

  /** Pulls the cables: those of a network, or all. The host sees that its link is down. */
  async cut(network?: LabNetwork): Promise<void> {
    await this.#setPorts('down', this.#adaptersOn(network))
  }

  /** Pulls the cable of one adapter. */
  async cutAdapter(name: string): Promise<void> {
    await this.#setPorts(
      'down',
      this.#parts.adapters.filter((adapter) => adapter.name === name),
    )
  }

  /** Plugs cables in again, and ends what `mute` and `deafen` began there. */
  async heal(network?: LabNetwork): Promise<void> {
    const adapters = this.#adaptersOn(network)
    await this.#setPorts('up', adapters)
    const ports = adapters.map((adapter) => this.#portOf(adapter))
    await this.#parts.switch.mend((fault) => 'port' in fault && ports.includes(fault.port))
  }

  /** Nothing that it sends over the network (or any) arrives; its links stay up and it hears all. */
  async mute(network?: LabNetwork): Promise<void> {
    for (const adapter of this.#adaptersOn(network))
      await this.#parts.switch.add({ kind: 'mute', port: this.#portOf(adapter) })
  }

  /** It hears nothing over the network (or any); its links stay up and what it sends arrives. */
  async deafen(network?: LabNetwork): Promise<void> {
    for (const adapter of this.#adaptersOn(network))
      await this.#parts.switch.add({ kind: 'deaf', port: this.#portOf(adapter) })
  }

  /** Its ports at the switch. */
  portsOn(network?: LabNetwork): readonly string[] {
    return this.#adaptersOn(network).map((adapter) => this.#portOf(adapter))
  }

  /** Stops the whole machine as somebody does who pauses it: every process, and its network with it. */
  async freeze(): Promise<void> {
    await this.mute()
    await this.deafen()
    await freezeAll(this.pid)
    this.#isFrozen = true
  }

  /** Lets it go on: its programs know nothing of the time between. */
  async thaw(): Promise<void> {
    this.#isFrozen = false
    await this.heal()
    await thawAll(this.pid)
  }

  /** Sets the wall clock of the host so many seconds off that of the machine. */
  setClock(seconds: number): void {
    if (this.#parts.clockLibrary === '') throw new Error(`${this.name} has no clock of its own`)
    setClock(this.pid, seconds)
  }

  /** Runs a program on the host that must succeed; returns what it printed. */
  exec(...words: Words): Promise<string> {
    return runProgram(this.#inside(words))
  }

  /** Runs a program on the host, whatever its exit code. */
  try(...words: Words): Promise<Ended> {
    return tryProgram(this.#inside(words))
  }

  /** Runs one of Haven's own commands that must succeed. */
  haven(command: string, ...words: readonly string[]): Promise<string> {
    return this.exec(join(this.#parts.installation, 'bin', command), ...words)
  }

  /** Runs one of Haven's own commands, whatever its exit code. */
  tryHaven(command: string, ...words: readonly string[]): Promise<Ended> {
    return this.try(join(this.#parts.installation, 'bin', command), ...words)
  }

  /** Starts a program that goes on by itself, as a child of the host's pid 1. */
  spawn(...words: Words): void {
    const [program, ...rest] = this.#inside(['setsid', '--fork', ...words])
    spawn(program, rest, { stdio: 'ignore', detached: true }).unref()
  }

  /** The API of the host's clustd; reached from outside of its mount namespace. */
  api(): Client {
    return createClient({ socketPath: socketPathOf(`/proc/${this.pid}/root${this.root}`), operator: 'e2e' })
  }

  #portOf({ name }: LabAdapter): string {
    return `${this.name}-${name}`
  }

  #adaptersOn(network: LabNetwork | undefined): readonly LabAdapter[] {
    return this.#parts.adapters.filter((adapter) => network === undefined || adapter.network === network)
  }

  #setPorts(state: 'up' | 'down', adapters: readonly LabAdapter[]): Promise<void> {
    return this.#parts.switch.ip(adapters.map((adapter) => `link set ${this.#portOf(adapter)} ${state}`))
  }

  #inside(words: Words): Words {
    return inside(this.pid, 'all', ['sh', '-c', BEGIN, this.root, ...words])
  }

  #cgroupPath(): string {
    return join(cgroupMount() ?? '/nowhere', `${this.#parts.labName}-${this.name}`)
  }

  #makeCgroup(): string {
    if (cgroupMount() === undefined) return ''
    mkdirSync(this.#cgroupPath(), { recursive: true })
    return this.#cgroupPath()
  }

  async #plugIn(): Promise<void> {
    const { adapters, number } = this.#parts
    for (const [index, adapter] of adapters.entries()) {
      const { name, network } = adapter
      const hardware = hardwareOf(index, number)
      await this.#parts.switch.plugIn({ port: this.#portOf(adapter), network, adapter: name, hardware, pid: this.pid })
    }
    const lines = adapters.flatMap(({ name, network }) => [
      // What stands by has no address of its own.
      ...(name === network ? [`address add ${this.addressOn(network)}/24 broadcast + dev ${name}`] : []),
      `link set ${name} up`,
    ])
    await runProgram(inside(this.pid, 'all', ['ip', '-batch', '-']), `${lines.join('\n')}\n`)
  }
}

/** A program of the host is in its tree of cgroups, as on a machine of its own; nsenter alone leaves it outside. $0 = HAVEN_ROOT. */
const BEGIN = `echo 0 2>/dev/null >/sys/fs/cgroup/cgroup.procs
HAVEN_ROOT=$0 exec "$@"`

/** A mount goes cleanly with its namespace; a disk that lost its power does not. The major number of loop devices is 7. */
const SHUT_DISKS = `
while read -r id parent number top place rest; do
  case $number,$place in 7:*,"$1"/*) xfs_io -x -c shutdown "$place" ;; esac
done </proc/self/mountinfo`
