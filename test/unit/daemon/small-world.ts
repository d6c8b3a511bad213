import type { StartMode } from '../../../src/framework/daemon/join.ts'
import type { Ending } from '../../../src/framework/daemon/life.ts'
import { createHostLoop, type HostLoop } from '../../../src/framework/daemon/loop.ts'
import { LOOP_SETTINGS } from '../../../src/framework/daemon/parts.ts'
import type { Hands, HandsOutcome, StepCall } from '../../../src/framework/execute/hands.ts'
import type { DataService, LogicalHost } from '../../../src/framework/model/cluster-config.ts'
import type { ConfigurationChange } from '../../../src/framework/model/configuration-change.ts'
import { type LogicalHostName, type PhysicalHostName, parseName } from '../../../src/framework/model/names.ts'
import type { Action, Leftover } from '../../../src/framework/model/step.ts'
import { describeMastery } from '../../../src/framework/plan/describe.ts'
import type { ClusterDatabase } from '../../../src/framework/ports/cluster-database.ts'
import type { FormerLife, Guard, Holding } from '../../../src/framework/ports/guard.ts'
import type { LogEvent } from '../../../src/framework/ports/log.ts'
import type { Peers } from '../../../src/framework/ports/peers.ts'
import { silentPeers } from '../../../src/framework/ports/silent-peers.ts'
import { MemoryDatabaseCore } from '../../../src/framework/store/memory.ts'
import { handsBy } from '../execute/hands-by.ts'
import type { FakeLan } from './fake-lan.ts'
import { VirtualClock } from './virtual-clock.ts'

/** How the hands answer to one action, when a test wants something other than success. */
export type Answer = (host: PhysicalHostName, action: Action, call: StepCall) => Promise<HandsOutcome> | undefined

export const physical = (name: string): PhysicalHostName => parseName('physicalHost', name)
export const logical = (name: string): LogicalHostName => parseName('logicalHost', name)

/** A few hosts over one memory database on virtual time, with hands that do nothing but remember. */
export class SmallWorld {
  readonly clock = new VirtualClock()
  readonly core = new MemoryDatabaseCore()
  readonly hosts = new Map<string, HostInWorld>()
  /** `host action`, in order. */
  readonly acts: string[] = []
  /** How long each step takes, virtual milliseconds. */
  stepMs = 1
  answer: Answer = () => undefined
  /** `host program` that cannot be executed there. */
  readonly missing = new Set<string>()
  /** What hosts find of their public adapters; absent: they have none. */
  lan: FakeLan | undefined
  /** Makes the peers of a host; the default hears nobody. */
  peersOf: (name: string) => Peers = () => silentPeers()
  /** Hosts that do not reach the database: their calls hang. */
  readonly cutOff = new Set<string>()

  /** Makes a host, or the next life of one with the guard of its last; it does nothing before `start`. */
  host(name: string): HostInWorld {
    const host = new HostInWorld(this, name, this.hosts.get(name)?.guard)
    this.hosts.set(name, host)
    return host
  }

  async start(name: string, mode: StartMode = 'join'): Promise<HostInWorld> {
    const host = this.host(name)
    await this.finish(host.loop.start(mode))
    return host
  }

  /** Lets time pass until the promise has settled. */
  async finish<Value>(promise: Promise<Value>, limitMs = 60_000): Promise<Value> {
    let isSettled = false
    const settled = promise.finally(() => {
      isSettled = true
    })
    settled.catch(() => undefined)
    await this.clock.passUntil('a promise to settle', limitMs, () => isSettled)
    return await settled
  }

  /** Where a logical host is by what the named host knows: `mastered by alpha`. */
  where(on: string, name: string): string {
    const state = this.hosts.get(on)?.loop.services.state().states.get(logical(name))
    return state === undefined ? 'unknown' : describeMastery(state)
  }

  database(name: string): ClusterDatabase {
    const real = this.core.connect(name)
    const whenReached = async <Value>(call: () => Promise<Value>): Promise<Value> => {
      while (this.cutOff.has(name)) await this.clock.effects().sleep(50)
      return await call()
    }
    return {
      read: () => whenReached(() => real.read()),
      commit: (...words) => whenReached(() => real.commit(...words)),
      watch: (from, onEvent) => real.watch(from, (event) => onEvent(this.cutOff.has(name) ? { kind: 'gap' } : event)),
      close: () => real.close(),
    }
  }

  hands(host: PhysicalHostName): Hands {
    const act = async (action: Action, call: StepCall): Promise<HandsOutcome> => {
      this.acts.push(`${host} ${nameOf(action, call)}`)
      const answered = this.answer(host, action, call)
      if (answered !== undefined) return await answered
      await this.clock.effects().sleep(this.stepMs, call.signal)
      return { kind: 'done', output: [] }
    }
    return handsBy(act)
  }
}

function nameOf(action: Action, { logicalHost, lists }: StepCall): string {
  if (action.kind === 'method') return `${action.method} ${action.service} '${lists[0]}' '${lists[1]}'`
  return `${action.kind} ${logicalHost}`
}

/** One host of the small world, for one life of its daemon. */
export class HostInWorld {
  readonly name: PhysicalHostName
  readonly guard: GuardInWorld
  readonly loop: HostLoop
  readonly log: LogEvent[] = []
  ending: Ending | undefined

  constructor(world: SmallWorld, name: string, guard: GuardInWorld = new GuardInWorld(world.clock)) {
    this.name = physical(name)
    this.guard = guard
    this.loop = createHostLoop({
      host: this.name,
      cluster: parseName('cluster', 'test'),
      database: world.database(name),
      effects: world.clock.effects(),
      hands: world.hands(this.name),
      guard: this.guard,
      peers: world.peersOf(name),
      log: { write: (event) => this.log.push(event) },
      endStrays: async () => undefined,
      pathPrefixOf: (logicalHost) => `/${logicalHost}`,
      identity: { root: '/', pid: 1, version: 'test' },
      settings: LOOP_SETTINGS,
      recordPlan: () => undefined,
      missingPrograms: async (programs) => programs.filter((program) => world.missing.has(`${name} ${program}`)),
      guardReports: () => [],
      ...(world.lan !== undefined && { publicAdapters: world.lan.adaptersOf(name) }),
    })
    void this.loop.ended.then((ending) => {
      this.ending = ending
    })
  }
}

/** A guard that only remembers. */
export class GuardInWorld implements Guard {
  readonly #clock: VirtualClock
  #deadlineMs = Number.NEGATIVE_INFINITY
  #incarnation = 0
  held: readonly Holding[] = []
  fired: string | undefined
  former: 'none' | 'watching' | 'ended' = 'none'

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  async prepare(): Promise<void> {}

  async arm(deadlineMs: number): Promise<void> {
    this.#deadlineMs = deadlineMs
    this.former = 'watching'
  }

  async extend(deadlineMs: number): Promise<void> {
    this.#deadlineMs = Math.max(this.#deadlineMs, deadlineMs)
  }

  deadlineMs(): number {
    return this.#deadlineMs
  }

  async hold(holdings: readonly Holding[]): Promise<void> {
    this.held = holdings
  }

  async disarm(): Promise<void> {
    this.#deadlineMs = Number.NEGATIVE_INFINITY
    this.former = 'none'
  }

  async fire(why: string): Promise<void> {
    this.#deadlineMs = 0
    this.fired = why
    this.former = 'ended'
  }

  async formerLife(): Promise<FormerLife> {
    if (this.former !== 'watching') return { kind: this.former }
    if (this.#deadlineMs <= this.#clock.nowMs) return { kind: 'ended' }
    return { kind: 'watching', incarnation: this.#incarnation, deadlineMs: this.#deadlineMs }
  }

  async abortRemains(): Promise<readonly Leftover[]> {
    this.held = []
    return []
  }

  async live(incarnation: number): Promise<void> {
    this.#incarnation = incarnation
  }
}

/** A logical host with one disk group and one local address of its own; its name ends in a number. */
export function logicalHostChanges(name: string, hosts: readonly string[]): readonly ConfigurationChange[] {
  const diskGroup = parseName('diskGroup', `dg-${name}`)
  const number = Number.parseInt(name.replace(/^\D+/, ''), 10)
  const address = `127.1.${Math.floor(number / 250)}.${(number % 250) + 1}`
  const logicalHost: LogicalHost = {
    name: logical(name),
    physicalHosts: hosts.map(physical),
    diskGroups: [diskGroup],
    addresses: [{ kind: 'local', address, prefixLength: 32, adapters: {} }],
    switchback: 'manual',
    onStuck: 'stay',
  }
  return [
    { kind: 'put-disk-group', diskGroup: { kind: 'directory', name: diskGroup, path: `/disks/${name}` } },
    { kind: 'put-logical-host', logicalHost },
  ]
}

/** A service that is on and has the basic methods. */
export function serviceChange(name: string, logicalHosts: readonly string[]): ConfigurationChange {
  const method = { program: `/opt/${name}/method`, timeoutS: 60 }
  const dataService: DataService = {
    name: parseName('dataService', name),
    state: 'on',
    methods: { START: method, STOP: method, ABORT: method, FM_START: method, FM_STOP: method },
    baseDirectory: '',
    dependsOn: [],
    logicalHosts: logicalHosts.map(logical),
    version: '1',
    apiVersion: '2',
    packages: [],
  }
  return { kind: 'put-data-service', dataService }
}
