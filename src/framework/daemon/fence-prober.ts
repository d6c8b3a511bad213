import { describeError, HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import type { FenceDevice } from '../model/fencing.ts'
import type { FenceDeviceName } from '../model/names.ts'
import type { FenceAgents } from '../ports/fence-agents.ts'
import { putFenceStatus, remove } from '../records/encode.ts'
import { keyOf } from '../records/keys.ts'
import { commitDrafts } from './fence-orders.ts'
import type { Host } from './host.ts'

/** Devices that are asked at the same time: each is a program. */
const PARALLEL_MAX = 4
/** A complaint is a line of a status page. */
const MESSAGE_LENGTH_MAX = 500
/** Without a device, or with probes switched off, the configuration is looked at again so often. */
const IDLE_MS = 5_000

/** Asks the fence devices now and then whether they work, so that one that does not is known before it is needed. The members take turns. */
export class FenceProber {
  readonly #host: Host
  readonly #agents: FenceAgents
  /** When each device was asked last, as it was configured then; own monotonic clock. */
  readonly #asked = new Map<FenceDeviceName, { readonly device: FenceDevice; readonly atMs: number }>()
  #wake = new AbortController()

  constructor(host: Host, agents: FenceAgents) {
    this.#host = host
    this.#agents = agents
    let before: unknown
    host.knowledge.listen(() => {
      const devices = host.view.isConfigured ? host.state().fenceDevices : undefined
      if (devices !== before) this.#wake.abort()
      before = devices
    })
  }

  async run(): Promise<void> {
    const { parts, life } = this.#host
    const stop = (): void => this.#wake.abort()
    life.signal.addEventListener('abort', stop, { once: true })
    while (!life.signal.aborted) {
      this.#wake = new AbortController()
      await this.#askDue()
      await sleepUntilAborted(parts.effects, this.#sleepMs(), this.#wake.signal)
    }
  }

  /** Each member asks once in as many intervals as there are members, at its own time: so every device is asked once in an interval, and from everywhere. */
  #period(): { readonly everyMs: number; readonly firstMs: number } | undefined {
    const { members, cluster } = this.#host.state()
    const { statusEveryMs } = cluster.fencing
    const rank = [...members.keys()].toSorted().indexOf(this.#host.parts.host)
    if (statusEveryMs === 0 || rank < 0) return undefined
    return { everyMs: statusEveryMs * members.size, firstMs: statusEveryMs * rank }
  }

  /** A device that only fences this host is asked by others. */
  #devices(): readonly FenceDevice[] {
    const me = this.#host.parts.host
    return [...this.#host.state().fenceDevices.values()].filter(({ hosts }) => hosts.some((host) => host !== me))
  }

  #dueMs(device: FenceDevice): number {
    const period = this.#period()
    if (period === undefined) return Number.POSITIVE_INFINITY
    const asked = this.#asked.get(device.name)
    if (asked?.device === device) return asked.atMs + period.everyMs
    // One that is new is asked by the first member at once, by the others when their turn comes.
    if (period.firstMs === 0) return Number.NEGATIVE_INFINITY
    const nowMs = this.#nowMs()
    this.#asked.set(device.name, { device, atMs: nowMs + period.firstMs - period.everyMs })
    return nowMs + period.firstMs
  }

  #sleepMs(): number {
    const due = this.#devices().map((device) => this.#dueMs(device))
    const ms = Math.min(...due, Number.POSITIVE_INFINITY) - this.#nowMs()
    return Number.isFinite(ms) ? Math.max(1, Math.min(ms, IDLE_MS)) : IDLE_MS
  }

  async #askDue(): Promise<void> {
    const due = this.#devices().filter((device) => this.#dueMs(device) <= this.#nowMs())
    for (let from = 0; from < due.length && !this.#host.life.signal.aborted; from += PARALLEL_MAX) {
      await Promise.all(due.slice(from, from + PARALLEL_MAX).map((device) => this.#ask(device)))
    }
  }

  async #ask(device: FenceDevice): Promise<void> {
    const { life, parts } = this.#host
    this.#asked.set(device.name, { device, atMs: this.#nowMs() })
    const message = (await this.#agents.probe(device, life.signal)).slice(0, MESSAGE_LENGTH_MAX)
    if (life.signal.aborted || this.#host.state().fenceDevices.get(device.name) !== device) return
    try {
      await this.#publish(device, message)
    } catch (error) {
      if (!(error instanceof HaError)) throw error
      parts.log.write({
        level: 'debug',
        message: `the status of ${device.name} was not shown: ${describeError(error)}`,
      })
    }
  }

  /** Beside it what was said of devices that are gone, or by members that are, is removed. */
  async #publish({ name }: FenceDevice, message: string): Promise<void> {
    const { parts, view } = this.#host
    const { members, fenceDevices } = this.#host.state()
    const key = keyOf.fenceStatus(name, parts.host)
    const known = view.fencing.status().get(key)
    const stale = [...view.fencing.status()].filter(
      ([, { device, askedBy }]) => !fenceDevices.has(device) || !members.has(askedBy),
    )
    const status = {
      device: name,
      askedBy: parts.host,
      atWallMs: parts.effects.nowWallMs(),
      isWell: message === '',
      message,
    }
    const drafts = [putFenceStatus(status), ...stale.map(([other]) => remove(other))]
    await commitDrafts(this.#host, [view.guardOf(keyOf.member(parts.host))], drafts, 'volatile')
    if (known?.isWell === status.isWell || (known === undefined && status.isWell)) return
    parts.log.write(
      status.isWell
        ? { level: 'info', message: `the fence device ${name} works again` }
        : { level: 'error', message: `the fence device ${name} does not work: ${message}` },
    )
  }

  #nowMs(): number {
    return this.#host.parts.effects.nowMonotonicMs()
  }
}
