import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient, socketPathOf } from '../../../src/framework/api/client.ts'
import { cgroupMount, inside, type Keeper, removeCgroups, startKeeper } from './keeper.ts'
import { type Ended, runProgram, tryProgram, type Words } from './run-program.ts'

/** The adapter of every host and of the client. */
export const ADAPTER = 'pub'

/** Private /proc /sys /run /dev/shm, its own cgroup tree, its own /run below HAVEN_ROOT: what is gone after a reboot. */
const SETUP = `
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -z "$3" ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mkdir -p "$2/run"
mount -t tmpfs -o mode=755 tmpfs "$2/run"
hostname "$1"
ip link set lo up`

/** What a lab host is made of. */
export interface LabHostParts {
  readonly name: string
  /** 1, 2, ...: its hardware and its own IP address end in it. */
  readonly number: number
  /** HAVEN_ROOT of the host. */
  readonly root: string
  /** Directory with `bin/` and `dist/`. */
  readonly installation: string
  /** Pid of the keeper of the switch. */
  readonly switchPid: number
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

  constructor(parts: LabHostParts) {
    this.#parts = parts
    this.name = parts.name
    this.root = parts.root
    this.hardwareAddress = `02:77:00:00:00:${parts.number.toString(16).padStart(2, '0')}`
    this.ipAddress = `10.77.0.${parts.number}`
  }

  get isOn(): boolean {
    return this.#keeper !== undefined
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
    this.#keeper = await startKeeper({ unshare, setup: SETUP, words: [this.name, this.root, cgroup], cgroup })
    await this.#plugIn()
  }

  /** Takes the power away: first the cable, so that no FIN leaves; then the disks, so that nothing is unmounted cleanly; then every process. */
  async powerOff(): Promise<void> {
    const keeper = this.#keeper
    if (keeper === undefined) return
    this.#keeper = undefined
    await this.#switch(['ip', 'link', 'set', this.#port, 'down'])
    try {
      await runProgram(inside(keeper.pid, 'all', ['sh', '-c', SHUT_DISKS, 'sh', this.root]))
    } finally {
      await keeper.kill()
    }
    await removeCgroups(this.#cgroupPath())
  }

  /** Pulls the network cable. */
  async cut(): Promise<void> {
    await this.#switch(['ip', 'link', 'set', this.#port, 'down'])
  }

  async heal(): Promise<void> {
    await this.#switch(['ip', 'link', 'set', this.#port, 'up'])
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

  /** Starts a program that goes on by itself. */
  spawn(...words: Words): void {
    const [program, ...rest] = this.#inside(words)
    spawn(program, rest, { stdio: 'ignore', detached: true }).unref()
  }

  /** The API of the host's clustd; reached from outside of its mount namespace. */
  api(): Client {
    return createClient({ socketPath: socketPathOf(`/proc/${this.pid}/root${this.root}`), operator: 'e2e' })
  }

  get #port(): string {
    return this.name
  }

  #inside(words: Words): Words {
    return inside(this.pid, 'all', ['env', `HAVEN_ROOT=${this.root}`, ...words])
  }

  #switch(words: Words): Promise<string> {
    return runProgram(inside(this.#parts.switchPid, 'network', words))
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
    const peer = ['peer', 'name', ADAPTER, 'address', this.hardwareAddress, 'netns', String(this.pid)]
    // The adapters of a host that has lost its power go a moment later than its processes.
    await this.#switch(['sh', '-c', `ip link del ${this.#port} 2>/dev/null || :`])
    await this.#switch(['ip', 'link', 'add', this.#port, 'type', 'veth', ...peer] as unknown as Words)
    await this.#switch(['ip', 'link', 'set', this.#port, 'master', ADAPTER, 'up'])
    await this.exec('ip', 'address', 'add', `${this.ipAddress}/24`, 'dev', ADAPTER)
    await this.exec('ip', 'link', 'set', ADAPTER, 'up')
  }
}

/** A mount goes cleanly with its namespace; a disk that lost its power does not. The major number of loop devices is 7. */
const SHUT_DISKS = `
while read -r id parent number top place rest; do
  case $number,$place in 7:*,"$1"/*) xfs_io -x -c shutdown "$place" ;; esac
done </proc/self/mountinfo`
