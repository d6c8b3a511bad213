import { randomInt } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { bundleOptions } from '../../../scripts/bundle-options.mjs'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import type { Voters } from '../../../src/framework/ports/voters.ts'
import { EtcdCalls } from '../../../src/framework/voter/etcd-calls.ts'
import { adoptEtcd } from '../../../src/framework/voter/etcd-process.ts'
import { createGateway, type Gateway } from '../../../src/framework/voter/gateway.ts'
import { isSupervised } from '../../../src/framework/voter/only-supervisor.ts'
import {
  ensureSupervisor,
  openVoters,
  startFirstVoter,
  startJoinedVoter,
  type VoterWorld,
} from '../../../src/framework/voter/run-voter.ts'
import { readVoterState, type VoterState } from '../../../src/framework/voter/state-file.ts'
import { stopSupervisor } from '../../../src/framework/voter/stop-supervisor.ts'
import { voterPaths } from '../../../src/framework/voter/voter-paths.ts'
import { eventually } from '../../eventually.ts'

const top = resolve(import.meta.dirname, '../../..')
/** A slow machine with other tests on it. */
export const WITHIN_MS = 20_000

/** Why these tests cannot run here; undefined = they can. */
export const missing = existsSync('/usr/bin/etcd') ? undefined : 'etcd-server is not installed'

/** Some machines that have voters: directories (in memory: others use the disk), with loopback addresses of their own. Everything that runs there ends with `end`. */
export class VoterRig {
  readonly #directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'haven-voters-'))
  readonly #network = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
  readonly #machines = new Map<string, VoterMachine>()
  readonly effects = createRealEffects()

  static async create(): Promise<VoterRig> {
    const rig = new VoterRig()
    const installation = rig.installation
    mkdirSync(join(installation, 'bin'), { recursive: true })
    cpSync(join(top, 'bin/voterd'), join(installation, 'bin/voterd'))
    symlinkSync(join(top, 'node_modules'), join(installation, 'node_modules'))
    const entryPoints = { voterd: join(top, 'src/framework/voter/main.ts') }
    await build({ ...bundleOptions, entryPoints, outdir: join(installation, 'dist') })
    return rig
  }

  get installation(): string {
    return join(this.#directory, 'haven')
  }

  machine(name: string, { networks = 1 } = {}): VoterMachine {
    const known = this.#machines.get(name)
    if (known !== undefined) return known
    const number = this.#machines.size + 1
    const addresses = Array.from({ length: networks }, (_none, at) => `${this.#network}.${number + 100 * at}`)
    const root = join(this.#directory, name)
    mkdirSync(root)
    const made = new VoterMachine(name, addresses, { root, installation: this.installation, effects: this.effects })
    this.#machines.set(name, made)
    return made
  }

  /** A machine that no other test has. */
  another(): VoterMachine {
    return this.machine(`m${this.#machines.size + 1}`)
  }

  /** Makes a machine the first voter, and lets the others join it. */
  async cluster(...names: readonly string[]): Promise<readonly VoterMachine[]> {
    const [first, ...others] = names.map((name) => this.machine(name))
    if (first === undefined) return []
    await first.begin()
    for (const other of others) await other.join(first)
    return [first, ...others]
  }

  async end(): Promise<void> {
    await Promise.all([...this.#machines.values()].map((machine) => machine.end()))
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** One machine with a voter. */
export class VoterMachine {
  readonly name: string
  readonly address: string
  /** `address` alone, or one in a second network as well. */
  readonly addresses: readonly string[]
  readonly world: VoterWorld

  constructor(name: string, addresses: readonly string[], world: VoterWorld) {
    const [address = ''] = addresses
    this.name = name
    this.address = address
    this.addresses = addresses
    this.world = world
  }

  get root(): string {
    return this.world.root
  }

  get endpoint(): string {
    return `http://${this.address}:7412`
  }

  async begin({ isTls = false } = {}): Promise<void> {
    const { name, addresses } = this
    await startFirstVoter(this.world, { cluster: 'lab', name, addresses, isTls })
  }

  join(by: VoterMachine): Promise<void> {
    return this.joinAs(this.name, by)
  }

  async joinAs(name: string, by: VoterMachine): Promise<void> {
    const { addresses } = this
    await startJoinedVoter(this.world, await by.ask((voters) => voters.admit({ name, addresses })))
  }

  /** Asks the voters with what this machine knows. */
  async ask<Value>(question: (voters: Voters) => Promise<Value>, scheme = 'http'): Promise<Value> {
    const { root, effects } = this.world
    const endpoints = [`${scheme}://${this.address}:7412`]
    const voters = openVoters({ root, cluster: 'lab', effects, endpoints })
    return question(voters).finally(() => voters.close())
  }

  /** Keeps something in etcd that is not there yet. */
  async keep(key: string, value: string): Promise<void> {
    await this.#call((calls) => calls.take(this.endpoint, key, value, 600))
  }

  /** Writes something into etcd. */
  async write(key: string, value: string): Promise<void> {
    const encode = (text: string): string => Buffer.from(text).toString('base64')
    const body = { key: encode(key), value: encode(value) }
    await this.#gateway((gateway) => gateway.ask({ endpoint: this.endpoint, path: '/v3/kv/put', body, withinMs: 5000 }))
  }

  /** Reads what this etcd knows. */
  read(key: string): Promise<string | undefined> {
    return this.#call((calls) => calls.valueOf(this.endpoint, key))
  }

  #call<Value>(ask: (calls: EtcdCalls) => Promise<Value>): Promise<Value> {
    return this.#gateway((gateway) => ask(new EtcdCalls(gateway)))
  }

  async #gateway<Value>(ask: (gateway: Gateway) => Promise<Value>): Promise<Value> {
    const gateway = createGateway({ effects: this.world.effects, tls: voterPaths(this.root).tls })
    return ask(gateway).finally(() => gateway.close())
  }

  state(): VoterState | undefined {
    return readVoterState(this.root)
  }

  /** Waits until the supervisor has written what `is` looks for. */
  async reaches(what: string, is: (state: VoterState) => boolean): Promise<VoterState> {
    return eventually(`${this.name} ${what}`, WITHIN_MS, (saw) => {
      const state = this.state()
      saw(state)
      return state !== undefined && is(state) ? state : undefined
    })
  }

  etcdPid(): number | undefined {
    return adoptEtcd(this.root, this.world.effects)?.pid
  }

  killEtcd(signal: NodeJS.Signals = 'SIGKILL'): void {
    process.kill(this.etcdPid() ?? Number.NaN, signal)
  }

  /** Resolves once it is gone, and its lock with it. */
  async killSupervisor(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    process.kill(this.state()?.supervisor.pid ?? Number.NaN, signal)
    await eventually(`the supervisor of ${this.name} to be gone`, WITHIN_MS, () => {
      // A process of several threads may look dead while the last of them still has its files.
      return (readVoterState(this.root)?.isSupervised === false && !isSupervised(this.root)) || undefined
    })
  }

  supervise(): void {
    ensureSupervisor(this.world)
  }

  /** The machine loses its power. */
  async lose(): Promise<void> {
    await this.killSupervisor()
    this.killEtcd()
  }

  async stop(): Promise<void> {
    await stopSupervisor(this.root, this.world.effects)
  }

  async end(): Promise<void> {
    const state = readVoterState(this.root)
    if (state?.isSupervised === true) await this.killSupervisor()
    adoptEtcd(this.root, this.world.effects)?.kill()
    await eventually(`${this.name} to have ended`, WITHIN_MS, () => this.etcdPid() === undefined || undefined)
  }
}
