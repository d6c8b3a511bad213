import { HaError } from '../../src/framework/errors/ha-error.ts'
import type { PhysicalHost } from '../../src/framework/model/cluster-config.ts'
import type { FenceDevice } from '../../src/framework/model/fencing.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { FenceAgents, FenceConfirmed, FenceOrder } from '../../src/framework/ports/fence-agents.ts'
import type { DrawnCluster } from './cluster-drawing.ts'
import type { Process } from './machine.ts'
import type { Random } from './random.ts'

/** What a device does to a host when it acts: the power is off from then on. `onAgainMs`: when it is on again; whoever looks after the hosts does that. */
export type SwitchOff = (host: string, onAgainMs: number) => void

// Heartbeats of a simulated host come this often; what is suspected, and how long an answer may take, follows from it.
const SUSPECT_HEARTBEATS = 5

/** Gives some clusters fence devices: one for each host, sometimes two levels, sometimes two devices on a level. */
export function drawFences(drawn: DrawnCluster, random: Random, heartbeatMs: number): DrawnCluster {
  if (random.chance(0.5)) return drawn
  const { physicalHosts, cluster } = drawn
  const fenceDevices: FenceDevice[] = []
  const withLevels = physicalHosts.map((host): PhysicalHost => {
    if (random.chance(0.15)) return host
    const level = (): FenceDevice['name'][] => {
      return Array.from({ length: random.chance(0.8) ? 1 : 2 }, () => {
        const device = drawDevice(random, host, fenceDevices.length)
        fenceDevices.push(device)
        return device.name
      })
    }
    return { ...host, fenceLevels: random.chance(0.7) ? [level()] : [level(), level()] }
  })
  return {
    ...drawn,
    physicalHosts: withLevels,
    fenceDevices,
    cluster: {
      ...cluster,
      heartbeats: { intervalMs: heartbeatMs, suspectMs: heartbeatMs * SUSPECT_HEARTBEATS },
      fencing: {
        shareMax: random.pick([0.34, 0.34, 1]),
        windowMs: random.pick([5_000, 600_000]),
        delayMs: random.pick([0, 0, 500]),
        statusEveryMs: random.pick([0, 10_000]),
      },
      rejoins: { rejoinsMax: random.pick([0, 2, 100]), windowMs: random.pick([20_000, 3_600_000]) },
    },
  }
}

function drawDevice(random: Random, { name }: PhysicalHost, index: number): FenceDevice {
  return {
    name: parseName('fenceDevice', `pdu${index}`),
    agent: 'command',
    program: '/sbin/fence',
    options: {},
    plugs: {},
    hosts: [name],
    action: random.pick(['off', 'reboot']),
    timeoutMs: random.pick([1_000, 5_000]),
  }
}

/** How often a device does not do what it is asked at once. */
export interface FenceChances {
  readonly fails: number
  readonly hangs: number
  readonly slow: number
}

/** Every device does what it is asked. */
export const NO_FENCE_CHANCES: FenceChances = { fails: 0, hangs: 0, slow: 0 }

export function drawFenceChances(random: Random): FenceChances {
  const seldom = (most: number): number => (random.chance(0.4) ? 0 : random.between(0, most))
  return { fails: seldom(0.5), hangs: seldom(0.2), slow: seldom(0.5) }
}

/** What the devices of one clustd are made of. */
export interface SimFenceSetting {
  readonly process: Process
  /** What this clustd has under way; whoever cleans up after it ends the agents with it. */
  readonly children: Set<Process>
  readonly chances: () => FenceChances
  readonly switchOff: SwitchOff
}

/** The devices as one clustd reaches them. An agent is a process of its own: it acts also when its clustd has died, and late when its machine stood still. */
export class SimFenceAgents implements FenceAgents {
  readonly #setting: SimFenceSetting

  constructor(setting: SimFenceSetting) {
    this.#setting = setting
  }

  async fence({ host, levels }: FenceOrder, signal: AbortSignal): Promise<FenceConfirmed> {
    const { machine } = this.#setting.process
    const startedMs = machine.nowMonotonicMs()
    for (const devices of levels) {
      const isOff = await this.#act(host, devices, signal)
      if (signal.aborted) throw new HaError('ABORTED', 'the fence was called off')
      if (!isOff) continue
      return { devices: devices.map(({ name }) => name), tookMs: Math.round(machine.nowMonotonicMs() - startedMs) }
    }
    throw new HaError('FENCE_FAILED', `no fence device confirmed that ${host} is off`)
  }

  async probe(): Promise<string> {
    const { process, chances } = this.#setting
    return process.machine.random.chance(chances().fails) ? 'it does not answer' : ''
  }

  /** Resolves with whether all devices of a level did what they were asked. Two of them are two power supplies: the host is off once both have acted. */
  #act(host: string, devices: readonly FenceDevice[], signal: AbortSignal): Promise<boolean> {
    const { process, children } = this.#setting
    const { random } = process.machine
    const drawn = devices.map((device) => this.#draw(device))
    const isDone = drawn.every(({ isWell }) => isWell)
    const agent = process.machine.spawn(`${process.name}/fence of ${host}`)
    children.add(agent)
    const onAgainMs = devices.every(({ action }) => action === 'reboot')
      ? random.between(100, 3_000)
      : random.between(3_000, 10_000)
    return new Promise((resolve) => {
      const end = (): void => {
        agent.kill()
        children.delete(agent)
        resolve(false)
      }
      signal.addEventListener('abort', end, { once: true })
      agent.post(Math.max(...drawn.map(({ tookMs }) => tookMs)), () => {
        if (isDone) this.#setting.switchOff(host, onAgainMs)
        children.delete(agent)
        process.post(random.between(1, 50), () => resolve(isDone))
      })
    })
  }

  #draw({ timeoutMs }: FenceDevice): { readonly tookMs: number; readonly isWell: boolean } {
    const { random } = this.#setting.process.machine
    const { fails, hangs, slow } = this.#setting.chances()
    if (random.chance(hangs)) return { tookMs: timeoutMs, isWell: false }
    const tookMs = random.chance(slow) ? random.between(300, 3_000) : random.between(5, 300)
    return { tookMs: Math.min(tookMs, timeoutMs), isWell: tookMs < timeoutMs && !random.chance(fails) }
  }
}
