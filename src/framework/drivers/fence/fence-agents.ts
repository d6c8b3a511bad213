import { describeError, HaError } from '../../errors/ha-error.ts'
import type { FenceDevice } from '../../model/fencing.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import type { Effects } from '../../ports/effects.ts'
import type { FenceAgents, FenceConfirmed, FenceOrder } from '../../ports/fence-agents.ts'
import type { RunCommand } from '../run-command.ts'
import type { Agent } from './agent.ts'
import { apiAgent } from './api-agent.ts'
import { commandAgent } from './command-agent.ts'
import type { FenceCall } from './fence-program.ts'

/** What fencing needs of its host. */
export interface FenceParts {
  readonly run: RunCommand
  readonly effects: Effects
  /** Told of what went wrong after the host was confirmed off: that it does not come on again. */
  readonly warn: (message: string) => void
}

/** An outlet that was switched off may be reported as on for a moment. */
const STATUS_AGAIN_MS = 100

/** Makes the fencing of a host out of programs. */
export function createFenceAgents(parts: FenceParts): FenceAgents {
  const agents = { command: commandAgent(parts.run), 'fence-agent': apiAgent(parts.run) }
  const fencing = new Fencing(parts, ({ agent }) => agents[agent])
  return {
    fence: (order, signal) => fencing.fence(order, signal),
    probe: (device, signal) => fencing.probe(device, signal),
  }
}

class Fencing {
  readonly #parts: FenceParts
  readonly #agentOf: (device: FenceDevice) => Agent

  constructor(parts: FenceParts, agentOf: (device: FenceDevice) => Agent) {
    this.#parts = parts
    this.#agentOf = agentOf
  }

  async fence({ host, levels }: FenceOrder, signal: AbortSignal): Promise<FenceConfirmed> {
    const startedMs = this.#parts.effects.nowMonotonicMs()
    const complaints: string[] = []
    for (const devices of levels) {
      // All at once: of a host with two power supplies both must be off at the same time, and waiting for one after the other is waiting.
      const said = await Promise.all(devices.map((device) => this.#confirmOff(device, host, signal)))
      refuseAborted(signal)
      const wrong = said.filter((complaint) => complaint !== '')
      if (wrong.length === 0) {
        const tookMs = Math.round(this.#parts.effects.nowMonotonicMs() - startedMs)
        void this.#switchOn(devices, host)
        return { devices: devices.map(({ name }) => name), tookMs }
      }
      complaints.push(...wrong)
    }
    throw new HaError('FENCE_FAILED', `no fence device confirmed that ${host} is off`, {
      hint: `Mend the device. When you have seen yourself that ${host} is off: scadmin confirm-down ${host} --reason REASON`,
      details: complaints,
    })
  }

  async probe(device: FenceDevice, signal: AbortSignal): Promise<string> {
    const [host] = device.hosts
    const call = { device, host, timeoutMs: device.timeoutMs, signal }
    return oneLine(await this.#agentOf(device).probe(call).catch(describeError))
  }

  /** Switches off and asks until the device says that it is so. Returns the complaint; empty = confirmed. Never rejects. */
  async #confirmOff(device: FenceDevice, host: PhysicalHostName, signal: AbortSignal): Promise<string> {
    const { effects } = this.#parts
    const endMs = effects.nowMonotonicMs() + device.timeoutMs
    const call = (): FenceCall => ({ device, host, timeoutMs: endMs - effects.nowMonotonicMs(), signal })
    const agent = this.#agentOf(device)
    try {
      const { complaint } = await agent.act('off', call())
      if (complaint !== '') return `${device.name}: off failed: ${complaint}`
      let wrong = ''
      while (wrong === '' || effects.nowMonotonicMs() < endMs) {
        const status = await agent.status(call())
        if (status.kind === 'off' || status.kind === 'not-told') return ''
        if (status.kind === 'on') wrong = `${device.name}: says that ${host} is on after it was switched off`
        // A status that was cut short says less than the one before it.
        else if (wrong === '') wrong = `${device.name}: status failed: ${status.complaint}`
        await effects.sleep(STATUS_AGAIN_MS, signal)
      }
      return wrong
    } catch (error) {
      return `${device.name}: ${describeError(error)}`
    }
  }

  /** The fence is over once the host was seen off: nobody waits for it to come on again. Every device before any: half a host is no host. */
  async #switchOn(devices: readonly FenceDevice[], host: PhysicalHostName): Promise<void> {
    const signal = new AbortController().signal
    for (const device of devices.filter(({ action }) => action === 'reboot')) {
      const call: FenceCall = { device, host, timeoutMs: device.timeoutMs, signal }
      const complaint = await this.#agentOf(device)
        .act('on', call)
        .then((answer) => answer.complaint, describeError)
      if (complaint === '') continue
      this.#parts.warn(`${host} was fenced and does not come on again: ${device.name}: ${oneLine(complaint)}`)
    }
  }
}

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new HaError('ABORTED', 'the fence was called off; what came of it is not known')
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, '; ')
}
