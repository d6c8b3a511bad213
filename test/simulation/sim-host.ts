import { createHostLoop, type HostLoop } from '../../src/framework/daemon/loop.ts'
import { describeError } from '../../src/framework/errors/ha-error.ts'
import { createRealHands } from '../../src/framework/execute/real-hands.ts'
import type { Timings } from '../../src/framework/model/cluster-config.ts'
import { type PhysicalHostName, parseName } from '../../src/framework/model/names.ts'
import type { LogEvent } from '../../src/framework/ports/log.ts'
import type { MemoryDatabaseCore } from '../../src/framework/store/memory.ts'
import type { Chances } from './chances.ts'
import type { Machine, Process } from './machine.ts'
import type { Guarded } from './referees.ts'
import { SimDatabase } from './sim-database.ts'
import { type DriverSetting, simAddresses, simDiskGroups, simMethods } from './sim-drivers.ts'
import { type FenceChances, SimFenceAgents, type SwitchOff } from './sim-fence.ts'
import { type GuardPlace, simGuard } from './sim-guard.ts'
import { type SimNetwork, SimPeers } from './sim-network.ts'
import type { World } from './world.ts'

/** What a simulated host is made of. */
export interface SimHostSetting {
  readonly machine: Machine
  readonly world: World
  readonly core: MemoryDatabaseCore
  readonly network: SimNetwork
  /** All hosts, this one included. */
  readonly hosts: readonly PhysicalHostName[]
  readonly timings: Timings
  readonly chances: () => Chances
  /** Whether its devices do what they are asked, and who cuts the power then. */
  readonly fenceChances: () => FenceChances
  readonly switchOff: SwitchOff
  /** Told every line that the daemon logs. */
  readonly onLog: (host: string, event: LogEvent) => void
}

// Whoever starts clustd again (an operator, systemd) is no faster than this, and not always there.
const RESTART_MS_MIN = 200
const RESTART_MS_MAX = 6_000
const REBOOT_MS = 5_000
export const HEARTBEAT_MS = 100

/** One physical host: a machine on which the production loop runs as clustd, with its guard, and is started again whenever it ends. */
export class SimHost {
  readonly #setting: SimHostSetting
  readonly place: GuardPlace
  #clustd: Process | undefined
  #loop: HostLoop | undefined
  /** What the present clustd has under way. */
  #children = new Set<Process>()
  #isRestarting = false

  constructor(setting: SimHostSetting) {
    this.#setting = setting
    const { machine, world, chances, onLog } = setting
    this.place = {
      machine,
      world,
      timings: () => this.#timings(),
      chances,
      boot: 1,
      orders: undefined,
      holdings: [],
      guard: undefined,
      state: 'done',
      clustd: undefined,
      onFired: (report) => {
        onLog(machine.name, { level: 'info', message: `guard: ${JSON.stringify(report)}` })
        if (report.leftovers.length > 0) this.powerCycle(REBOOT_MS)
        else this.restartLater()
      },
      onCleaned: (report) => onLog(machine.name, { level: 'info', message: `cleaned up: ${JSON.stringify(report)}` }),
    }
  }

  get machine(): Machine {
    return this.#setting.machine
  }

  /** The present daemon, for requests; undefined when it does not run. */
  get loop(): HostLoop | undefined {
    return this.#clustd?.isDead === false ? this.#loop : undefined
  }

  get clustd(): Process | undefined {
    return this.#clustd
  }

  /** What clustd knows of the timings; until it has read the database, those that the cluster begins with. */
  #timings(): Timings {
    const { timings } = this.#setting
    try {
      return this.#loop?.services.state().cluster.timings ?? timings
    } catch {
      return timings
    }
  }

  /** How long its guard may take after the machine woke: it looks at least every guardMs / 4, and has abortMs and the margin to be done. */
  wakeGraceMs(): number {
    const { guardMs, abortMs, marginMs } = this.place.orders ?? this.#setting.timings
    return guardMs / 2 + abortMs + marginMs
  }

  /** What its guard counts by; undefined when nothing is guarded: the machine is off, was booted since, or the guard has done its work. */
  guarded(): Guarded | undefined {
    const { orders, state, boot } = this.place
    const isOver =
      orders === undefined || orders.state !== 'armed' || state === 'done' || orders.bootId !== `boot ${boot}`
    if (isOver || !this.machine.isOn) return undefined
    // The time since boot counts, because a machine that sleeps does not extend its deadline by that.
    return {
      leftMs: orders.deadlineMs + orders.aheadMs - this.machine.nowBootMs(),
      abortMs: orders.abortMs,
      guardMs: orders.guardMs,
      holds: this.place.holdings.map(({ logicalHost }) => logicalHost),
    }
  }

  /** Starts clustd; it joins, or founds the cluster when nobody is there to be joined. */
  start(): void {
    const { machine, core, network, hosts, chances, onLog } = this.#setting
    if (!machine.isOn || this.#clustd?.isDead === false) return
    const clustd = machine.spawn(`${machine.name}/clustd`)
    const children = new Set<Process>()
    const strays = this.#children
    this.#clustd = clustd
    this.#children = children
    const host = parseName('physicalHost', machine.name)
    const others = hosts.filter((other) => other !== host)
    const peers = new SimPeers(network, clustd, host, others)
    peers.beat(HEARTBEAT_MS)
    const loop = createHostLoop({
      host,
      cluster: parseName('cluster', 'sim'),
      database: new SimDatabase(core, clustd, network, chances),
      peers,
      effects: clustd.effects(),
      fenceAgents: new SimFenceAgents({
        process: clustd,
        children,
        chances: this.#setting.fenceChances,
        switchOff: this.#setting.switchOff,
      }),
      hands: this.#hands({ process: clustd, world: this.#setting.world, actor: 'clustd', chances, children }),
      guard: simGuard(this.place, clustd, children),
      log: { write: (event) => onLog(machine.name, event) },
      endStrays: async () => {
        for (const stray of strays) stray.kill()
      },
      pathPrefixOf: (name) => `/${name}`,
      identity: { root: '/', pid: 1, version: 'simulated' },
      settings: { rereadMs: 5_000, journalMax: 200 },
      recordPlan: () => {},
      missingPrograms: async () => [],
      guardReports: () => [],
    })
    this.#loop = loop
    void this.#live(clustd, loop)
  }

  /** Starts clustd again after a while, whatever ended it. */
  restartLater(afterMs?: number): void {
    if (this.#isRestarting) return
    this.#isRestarting = true
    const { machine } = this.#setting
    machine.time.after(afterMs ?? machine.random.between(RESTART_MS_MIN, RESTART_MS_MAX), () => {
      this.#isRestarting = false
      // A clustd that is started while the machine stands still waits with it.
      if (machine.isRunning) this.start()
      else this.restartLater()
    })
  }

  /** Cuts the power and, after a while, puts it on again. */
  powerCycle(offMs: number): void {
    const { machine, world } = this.#setting
    machine.crash()
    world.crash(machine.name)
    machine.time.after(offMs, () => {
      // It was cut twice, and is on again already.
      if (machine.isOn) return
      machine.powerOn()
      this.place.boot += 1
      this.place.holdings = []
      this.start()
    })
  }

  async #live(clustd: Process, loop: HostLoop): Promise<void> {
    try {
      await this.#become(loop)
      await loop.ended
    } catch (error) {
      this.#setting.onLog(this.machine.name, {
        level: 'info',
        message: `clustd did not start: ${describeError(error)}`,
      })
    }
    clustd.kill()
    this.restartLater()
  }

  async #become(loop: HostLoop): Promise<void> {
    const isAnybodyThere = [...this.#setting.core.snapshot().records.keys()].some((key) => key.startsWith('members/'))
    const { random } = this.machine
    const byHand = isAnybodyThere && random.chance(0.8) ? 'join' : 'found'
    await loop.start(random.chance(0.5) ? 'auto' : byHand)
  }

  #hands(setting: DriverSetting): ReturnType<typeof createRealHands> {
    const diskGroups = simDiskGroups(setting)
    const addresses = simAddresses(setting)
    return createRealHands({
      diskGroups: { directory: diskGroups, filesystem: diskGroups },
      addresses: { local: addresses, ip: addresses },
      methods: simMethods(setting),
      pathPrefixOf: (name) => `/${name}`,
    })
  }
}
