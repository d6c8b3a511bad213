import { describeError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import { actorOf } from '../model/mastery.ts'
import type { LogicalHostName } from '../model/names.ts'
import { Bell } from './bell.ts'
import { holdingsOf } from './holdings.ts'
import type { Host } from './host.ts'

/** What is given up is taken off the guard's list within this time; till then the guard would stop what is not there, which is harmless. */
const REFRESH_AFTER_MS = 100

/** Keeps the guard's list of what to stop: longer before anything is started, shorter some time after it was given up. */
export class Holder {
  readonly #host: Host
  readonly #bell = new Bell()
  /** Logical hosts on the guard's list, with the reconfiguration that they are listed for. */
  #listed = new Map<LogicalHostName, number>()
  #basis: readonly unknown[] = []
  #inFlight: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(host: Host) {
    this.#host = host
    host.knowledge.listen((touched) => {
      if (touched.state) this.#bell.ring()
    })
  }

  /** Resolves when the guard knows the logical host in its present reconfiguration. Throws `GUARD_LOST`. */
  async cover(logicalHost: LogicalHostName, reconfiguration: number): Promise<void> {
    while (this.#listed.get(logicalHost) !== reconfiguration) {
      const at = this.#host.state().states.get(logicalHost)
      // It has moved on meanwhile: the permit of the first step will say so.
      if (at?.reconfiguration !== reconfiguration || actorOf(at.mastery) !== this.#host.parts.host) return
      await this.#tell()
    }
  }

  /** Brings the list up to date after changes, until the life ends. */
  async run(): Promise<void> {
    const { parts, life } = this.#host
    for (;;) {
      await this.#bell.heard(life.signal)
      await sleepUntilAborted(parts.effects, REFRESH_AFTER_MS, life.signal)
      if (life.signal.aborted) return
      try {
        if (this.#isOutdated()) await this.#tell()
      } catch (error) {
        parts.log.write({ level: 'warn', message: `the guard's list was not renewed: ${describeError(error)}` })
        this.#bell.ring()
      }
    }
  }

  /** One telling is in flight and one waits at most: the one that waits will tell what is true when it begins. */
  #tell(): Promise<void> {
    if (this.#inFlight === undefined) {
      this.#inFlight = this.#tellNow().finally(() => {
        this.#inFlight = undefined
      })
      return this.#inFlight
    }
    const before = this.#inFlight.catch(() => undefined)
    this.#next ??= before.then(() => {
      this.#next = undefined
      return this.#tell()
    })
    return this.#next
  }

  async #tellNow(): Promise<void> {
    const { parts } = this.#host
    const state = this.#host.state()
    const holdings = holdingsOf(state, parts.host, (name) => parts.pathPrefixOf(name))
    await parts.guard.hold(holdings)
    this.#listed = new Map(holdings.map((holding) => [holding.logicalHost, holding.reconfiguration]))
    this.#basis = basisOf(this.#host)
  }

  #isOutdated(): boolean {
    const basis = basisOf(this.#host)
    if (basis.some((map, index) => map !== this.#basis[index])) return true
    const { host } = this.#host.parts
    const held = [...this.#host.state().states.values()].filter((at) => actorOf(at.mastery) === host)
    return held.length !== this.#listed.size || held.some((at) => this.#listed.get(at.name) !== at.reconfiguration)
  }
}

/** The parts of the configuration that the list is made of; the same maps as long as nothing in them changes. */
function basisOf(host: Host): readonly unknown[] {
  const { logicalHosts, diskGroups, dataServices } = host.state()
  return [logicalHosts, diskGroups, dataServices]
}
