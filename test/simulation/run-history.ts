import { setMaxListeners } from 'node:events'
import { expiryMs, PROFILES } from '../../src/framework/membership/check-timings.ts'
import type { Member } from '../../src/framework/model/cluster-state.ts'
import type { LogicalHostState } from '../../src/framework/model/mastery.ts'
import type { LogEvent } from '../../src/framework/ports/log.ts'
import { draftsOfConfiguration, toWrite } from '../../src/framework/records/encode.ts'
import { type Chances, drawChances, NO_CHANCES } from './chances.ts'
import { type DrawnCluster, drawCluster } from './cluster-drawing.ts'
import { ask, doSomething, type Target } from './faults.ts'
import { doSomethingToFence } from './fence-faults.ts'
import { Machine } from './machine.ts'
import { type Random, randomFrom } from './random.ts'
import { type Field, judgeDeed, judgeMastery, judgeMembers, judgeRest, noteDeed } from './referees.ts'
import { judgeFences, judgeSwitchedOff, newFenceNotes } from './referees-fencing.ts'
import { drawFenceChances, drawFences, type FenceChances, NO_FENCE_CHANCES } from './sim-fence.ts'
import { HEARTBEAT_MS, SimHost } from './sim-host.ts'
import { SimNetwork } from './sim-network.ts'
import { VirtualTime } from './virtual-time.ts'
import { WatchedCore } from './watched-core.ts'
import { World } from './world.ts'

/** How one history ended. */
export interface History {
  readonly seed: number
  /** What a referee objected to first; undefined = nothing. */
  readonly violation: string | undefined
  /** What happened, line by line, with the time in milliseconds; the last `LINES_MAX`. */
  readonly lines: readonly string[]
  /** Reconfigurations that were committed: a history in which nothing happens proves nothing. */
  readonly reconfigurations: number
}

/** A history without faults, then with them, then until everything must have come to rest; virtual milliseconds. */
const CALM_MS = 6_000
const FAULTS_MS = 45_000
const REST_MS_MAX = 120_000
const LINES_MAX = 4_000
/** Everything has its master by then, and for how long the database is then away. */
const AT_REST_MS = 20_000
const AWAY_MS = 60_000
/** Far from every seed that anybody asks for. */
const FENCE_SEEDS = 1_000_000_007

// A host has many waits at once that all end with its life; in clustd the same is said in main.ts.
setMaxListeners(0)

/** Runs one history on virtual time. The same seed, the same history. */
export async function runHistory(seed: number): Promise<History> {
  const history = new Run(seed)
  await history.run()
  return history.outcome()
}

/**
 * Runs a history in which nothing goes wrong but that the cluster database is away for everybody, for a minute, and that every fifth datagram is lost. No
 * service may be stopped for that.
 */
export async function runWithoutDatabase(seed: number): Promise<History> {
  const history = new Run(seed)
  await history.runWithoutDatabase()
  return history.outcome()
}

class Run {
  readonly #seed: number
  readonly #time = new VirtualTime()
  readonly #random: Random
  /** Of its own, so that a history without fences is the same as before there were any. */
  readonly #fenceRandom: Random
  readonly #fenceNotes = newFenceNotes()
  #fenceChances: FenceChances = NO_FENCE_CHANCES
  readonly #drawn: DrawnCluster
  readonly #core = new WatchedCore()
  readonly #network: SimNetwork
  readonly #hosts: readonly SimHost[]
  readonly #field: Field
  readonly #lines: string[] = []
  readonly #stampedAtMs = new Map<string, number>()
  #chances: Chances = NO_CHANCES
  /** Whether nothing at all may happen to a logical host. */
  #isQuiet = false
  #violation: string | undefined

  constructor(seed: number) {
    this.#seed = seed
    this.#random = randomFrom(seed)
    this.#fenceRandom = randomFrom(seed + FENCE_SEEDS)
    this.#drawn = drawFences(drawCluster(this.#random.split()), this.#fenceRandom, HEARTBEAT_MS)
    const { timings } = this.#drawn.cluster
    const world = new World((deed) => {
      if (deed.kind !== 'begun') this.#tell(`  ${JSON.stringify(deed)}`)
      if (this.#isQuiet) this.#object(`${JSON.stringify(deed)} although nothing but the database was away`)
      noteDeed(this.#field, deed)
      judgeDeed(this.#field, deed)
    })
    this.#network = new SimNetwork(this.#time, this.#random.split(), () => this.#chances)
    const machines = new Map(
      this.#drawn.physicalHosts.map(({ name }): [string, Machine] => [
        name,
        new Machine(name, this.#time, this.#random.split()),
      ]),
    )
    this.#field = {
      machines,
      world,
      wakeGraceMs: (host) => this.#hosts.find(({ machine }) => machine.name === host)?.wakeGraceMs() ?? 0,
      logicalHosts: this.#drawn.logicalHosts,
      nowMs: () => this.#time.nowMs,
      snapshot: () => this.#core.snapshot(),
      guarded: (host) => this.#hosts.find(({ machine }) => machine.name === host)?.guarded(),
      stampedAtMs: (host) => this.#stampedAtMs.get(host),
      violation: (text) => this.#object(text),
    }
    this.#core.onStamp = (host) => this.#stampedAtMs.set(host, this.#time.nowMs)
    this.#core.onState = (before, after) => {
      judgeMastery(this.#field, before, after)
      judgeMembers(this.#field, before, after)
      judgeFences(this.#field, this.#fenceNotes, before, after)
    }
    this.#hosts = [...machines.values()].map(
      (machine) =>
        new SimHost({
          machine,
          world,
          core: this.#core,
          network: this.#network,
          hosts: this.#drawn.physicalHosts.map(({ name }) => name),
          timings,
          chances: () => this.#chances,
          fenceChances: () => this.#fenceChances,
          switchOff: (host, onAgainMs) => this.#switchOff(host, onAgainMs),
          onLog: (host, event) => this.#onLog(host, event),
        }),
    )
  }

  async run(): Promise<void> {
    this.#configure()
    for (const host of this.#hosts) this.#time.after(this.#random.between(0, 2_000), () => host.start())
    await this.#until(CALM_MS)
    this.#chances = drawChances(this.#random)
    this.#fenceChances = drawFenceChances(this.#fenceRandom)
    await this.#faults()
    this.#chances = NO_CHANCES
    this.#fenceChances = NO_FENCE_CHANCES
    this.#network.heal()
    for (const { machine, clustd, place } of this.#hosts) {
      machine.wake()
      clustd?.resume()
      place.guard?.resume()
    }
    await this.#rest()
  }

  async runWithoutDatabase(): Promise<void> {
    this.#configure()
    for (const host of this.#hosts) host.start()
    // Long enough for whatever was lost or has to wait for the start to be over.
    await this.#until(AT_REST_MS)
    this.#chances = { ...NO_CHANCES, datagramLost: 0.2 }
    this.#tell('the cluster database is away')
    this.#isQuiet = true
    this.#network.cutDatabase('*', AWAY_MS)
    await this.#until(this.#time.nowMs + AWAY_MS + 3 * expiryMs(PROFILES.relaxed))
    this.#isQuiet = false
    const wrong = judgeRest(this.#field)
    if (wrong.length > 0) this.#object(wrong.join('; '))
  }

  outcome(): History {
    const reconfigurations = [...this.#core.snapshot().records.keys()].filter((key) =>
      /^reconfigurations\/\d+$/.test(key),
    ).length
    return { seed: this.#seed, violation: this.#violation, lines: this.#lines, reconfigurations }
  }

  #configure(): void {
    const { cluster, physicalHosts, fenceDevices, diskGroups, logicalHosts, dataServices } = this.#drawn
    const drafts = [
      ...draftsOfConfiguration({ kind: 'cluster', cluster }),
      ...physicalHosts.flatMap((physicalHost) => draftsOfConfiguration({ kind: 'put-physical-host', physicalHost })),
      ...fenceDevices.flatMap((fenceDevice) => draftsOfConfiguration({ kind: 'put-fence-device', fenceDevice })),
      ...diskGroups.flatMap((diskGroup) => draftsOfConfiguration({ kind: 'put-disk-group', diskGroup })),
      ...logicalHosts.flatMap((logicalHost) => draftsOfConfiguration({ kind: 'put-logical-host', logicalHost })),
      ...dataServices.flatMap((dataService) => draftsOfConfiguration({ kind: 'put-data-service', dataService })),
    ]
    this.#core.commit([], drafts.map(toWrite))
  }

  async #faults(): Promise<void> {
    const target = this.#target()
    const end = this.#time.nowMs + FAULTS_MS
    while (this.#time.nowMs < end && this.#violation === undefined) {
      doSomething(target)
      if (this.#drawn.fenceDevices.length > 0) doSomethingToFence(target, this.#fenceRandom)
      // Sometimes several things happen at once, which is where the bugs are.
      await this.#until(
        this.#time.nowMs + (this.#random.chance(0.3) ? this.#random.between(0, 50) : this.#random.between(100, 6_000)),
      )
    }
  }

  /** A device cuts the power of a host; it is on again after a while. */
  #switchOff(name: string, onAgainMs: number): void {
    const host = this.#hosts.find(({ machine }) => machine.name === name)
    this.#tell(`${name} switched off by a fence device`)
    judgeSwitchedOff(this.#field, this.#fenceNotes, name)
    if (host?.machine.isOn === true) host.powerCycle(onAgainMs)
  }

  /** Lets everything come to rest. An operator helps where only an operator may: stuck, in maintenance, tried everywhere in vain. */
  async #rest(): Promise<void> {
    const end = this.#time.nowMs + REST_MS_MAX
    let wrong: readonly string[] = []
    while (this.#time.nowMs < end && this.#violation === undefined) {
      await this.#until(this.#time.nowMs + 2 * expiryMs(PROFILES.relaxed))
      wrong = judgeRest(this.#field)
      if (wrong.length === 0) return
      this.#help()
    }
    if (wrong.length > 0) this.#object(`not at rest ${REST_MS_MAX / 1000} s after the last fault: ${wrong.join('; ')}`)
  }

  #help(): void {
    const { records } = this.#core.snapshot()
    for (const { machine, loop } of this.#hosts) {
      const member = records.get(`members/${machine.name}`)?.value as unknown as Member | undefined
      // A leave that got stuck is asked for again.
      if (member?.state === 'leaving') loop?.leave('operator').catch(() => undefined)
    }
    for (const { name, physicalHosts } of this.#drawn.logicalHosts) {
      const state = this.#core.snapshot().records.get(`mastery/${name}`)?.value as unknown as
        | LogicalHostState
        | undefined
      if (state === undefined) continue
      const { mastery } = state
      const isMaintained = mastery.kind === 'unmastered' && mastery.why === 'maintenance'
      if (isMaintained)
        ask(this.#target(), {
          kind: 'switchover',
          logicalHosts: [name],
          to: this.#random.pick(physicalHosts),
          by: 'operator',
        })
      else if (mastery.kind === 'stuck' || mastery.kind === 'unmastered')
        ask(this.#target(), { kind: 'cleared', logicalHost: name, by: 'operator' })
    }
  }

  #target(): Target {
    return {
      time: this.#time,
      random: this.#random,
      hosts: this.#hosts,
      network: this.#network,
      drawn: this.#drawn,
      tell: (line) => this.#tell(line),
    }
  }

  #until(ms: number): Promise<void> {
    return this.#time.runUntil(ms, () => this.#violation !== undefined)
  }

  #onLog(host: string, event: LogEvent): void {
    const number = event.reconfiguration === undefined ? '' : ` [${event.reconfiguration}]`
    this.#tell(`${host}${number} ${event.message}`)
    const stack = event.facts?.['stack']
    if (typeof stack === 'string' && !stack.startsWith('HaError')) this.#object(`${host} stopped over a bug: ${stack}`)
    if (event.message.includes('PLAN_UNSAFE')) this.#object(`${host}: ${event.message}`)
  }

  #tell(line: string): void {
    if (this.#lines.length >= LINES_MAX) this.#lines.splice(0, LINES_MAX / 2)
    this.#lines.push(`${this.#time.nowMs.toFixed(1).padStart(9)} ${line}`)
  }

  #object(text: string): void {
    if (this.#violation !== undefined) return
    this.#violation = text
    this.#tell(`VIOLATION ${text}`)
  }
}
