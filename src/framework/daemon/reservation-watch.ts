import { describeError, isHaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import type { LogicalHostName } from '../model/names.ts'
import { mountPointOf } from '../plan/steps.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import type { Host } from './host.ts'

/** A disk that lost its power has forgotten its reservations, and until the next look every host could write to it. A look is four short programs for each disk. */
export const LOOK_EVERY_MS = 10_000

/** A disk group that this host has imported and whose disks are reserved. */
type Held = Parameters<NonNullable<Host['parts']['keepReservations']>>[0] & { readonly logicalHost: LogicalHostName }

/** Looks after the reservations of what this host masters: makes them again where they were forgotten, and says it when another host has taken them. */
export class ReservationWatch {
  readonly #host: Host
  readonly #deadline: DeadlineKeeper
  /** What was said last of each disk group that is not well. */
  readonly #said = new Map<string, string>()

  constructor(host: Host, deadline: DeadlineKeeper) {
    this.#host = host
    this.#deadline = deadline
  }

  /** Looks now and then, until the life ends. */
  async run(): Promise<void> {
    const { parts, life } = this.#host
    const { keepReservations } = parts
    if (keepReservations === undefined) return
    while (!life.signal.aborted) {
      await sleepUntilAborted(parts.effects, LOOK_EVERY_MS, life.signal)
      for (const held of this.#held()) await this.#look(held, keepReservations)
    }
  }

  #held(): readonly Held[] {
    const { life, view } = this.#host
    if (life.signal.aborted || !view.isConfigured) return []
    const { diskGroups, logicalHosts, states } = this.#host.state()
    return [...logicalHosts.values()].flatMap((logicalHost) => {
      const mastery = states.get(logicalHost.name)?.mastery
      if (mastery?.kind !== 'mastered' || mastery.by !== this.#host.parts.host) return []
      return logicalHost.diskGroups.flatMap((name) => {
        const diskGroup = diskGroups.get(name)
        if (diskGroup?.kind !== 'filesystem' || diskGroup.reservation === undefined) return []
        return [{ logicalHost: logicalHost.name, diskGroup, mountPoint: mountPointOf(logicalHost, name) }]
      })
    })
  }

  /** Only while the logical host is mastered here, and this host may act: what was reserved again by one that may not would let it write. */
  async #look(held: Held, keep: NonNullable<Host['parts']['keepReservations']>): Promise<void> {
    const { knowledge, life, incarnation } = this.#host
    const isStillHeld = (): boolean => this.#held().some(({ diskGroup }) => diskGroup.name === held.diskGroup.name)
    const moved = new AbortController()
    const listener = (): void => {
      if (!isStillHeld()) moved.abort('its logical host is no longer simply mastered here')
    }
    const forget = knowledge.listen(listener)
    try {
      if ((await this.#deadline.permit()).kind === 'forbidden' || !isStillHeld()) return
      const physicalHosts = [...this.#host.state().physicalHosts.keys()]
      const signal = AbortSignal.any([life.signal, moved.signal])
      await keep(held, { incarnation, physicalHosts, force: false, mountPoint: held.mountPoint, signal })
      this.#say(held, undefined)
    } catch (error) {
      if (isStillHeld() && !moved.signal.aborted) this.#say(held, error)
    } finally {
      forget()
    }
  }

  #say({ diskGroup: { name }, logicalHost }: Held, error: unknown): void {
    const { log } = this.#host.parts
    const message = error === undefined ? undefined : describeError(error)
    if (this.#said.get(name) === message) return
    if (message === undefined) {
      this.#said.delete(name)
      log.write({ level: 'info', logicalHost, message: `the reservations of disk group ${name} are in order again` })
      return
    }
    this.#said.set(name, message)
    log.write({ level: isHaError(error, 'DISK_GROUP_HELD') ? 'error' : 'warn', logicalHost, message })
  }
}
