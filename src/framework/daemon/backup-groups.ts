import type { PublicGroupSeen } from '../api/services.ts'
import { assertNever } from '../errors/assert-never.ts'
import { HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { GroupSight, ProbeAnswer } from '../model/network.ts'
import { isSameValue } from '../model/same-value.ts'
import { linkOf } from '../ports/links.ts'
import type { PublicAdapters } from '../ports/public-adapters.ts'
import {
  isUnheardOn,
  otherGroupsOn,
  type PublicGroup,
  probeTargetsOf,
  publicGroupsOf,
} from '../supervise/public-groups.ts'
import { AddressMover } from './address-mover.ts'
import { Bell } from './bell.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import { GroupTrack } from './group-track.ts'
import type { Host } from './host.ts'

/** The counters are read this often; it costs a fiftieth of a millisecond. A link that goes down is told at once. */
const LOOK_EVERY_MS = 250
/** What is the host's own on an adapter changes seldom. */
const REMEMBER_EVERY_MS = 10_000
/** A member whose stamp is so many intervals old may be down. */
const LATE_STAMPS = 1.5

/**
 * Tests the public adapters of this host, and moves the addresses of a backup group to its next adapter when the active one fails: on this host, at once,
 * without a reconfiguration. What it finds goes into this host's sight.
 */
export class BackupGroups {
  readonly #host: Host
  readonly #bell = new Bell()
  readonly #mover: AddressMover
  readonly #stampAges: () => ReadonlyMap<PhysicalHostName, number>
  readonly #listeners = new Set<() => void>()
  #tracks: readonly GroupTrack[] = []
  #sights: readonly GroupSight[] = []
  #rememberedMs = Number.NEGATIVE_INFINITY
  /** Whether the drivers have been told which groups there are, be it none. */
  #isConfigured = false

  constructor(host: Host, deadline: DeadlineKeeper, stampAges: () => ReadonlyMap<PhysicalHostName, number>) {
    this.#host = host
    this.#stampAges = stampAges
    this.#mover = new AddressMover(host, deadline)
    host.knowledge.listen((touched) => {
      if (touched.state) this.#bell.ring()
    })
  }

  /** What this host sees of its groups; empty when none are configured. */
  groups(): readonly GroupSight[] {
    return this.#sights
  }

  /** The same, with what the tests say of each adapter by itself. */
  seen(): readonly PublicGroupSeen[] {
    const nowMs = this.#host.parts.effects.nowMonotonicMs()
    return this.#tracks.map((track) => track.seen(nowMs))
  }

  /** Told after each change of `groups`, until the function that is returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Tests and moves until the life ends. A host without parts for it (the simulation) has no public networks. */
  async run(): Promise<void> {
    const { publicAdapters: adapters, effects } = this.#host.parts
    const { signal } = this.#host.life
    if (adapters === undefined) return
    let stopListening: (() => void) | undefined
    void this.#ringNowAndThen()
    for (;;) {
      await this.#takeConfiguration(adapters)
      if (this.#tracks.length > 0) {
        stopListening ??= adapters.links.onChange(() => this.#bell.ring())
        await this.#look(adapters, effects.nowMonotonicMs())
      }
      await this.#bell.heard(signal)
      if (signal.aborted) break
    }
    stopListening?.()
  }

  /**
   * Moves the addresses of a group to one of its adapters, as an operator asks. Throws `NOT_FOUND` when there is no such group or adapter here, and
   * `INTERFACE_FAILED` when that adapter is faulty.
   */
  async switchTo(groupName: string, adapter: string): Promise<void> {
    const { publicAdapters: adapters, host, effects } = this.#host.parts
    const track = this.#tracks.find(({ group }) => group.name === groupName)
    if (adapters === undefined || track === undefined) {
      const names = this.#tracks.map(({ group }) => group.name).join(', ') || 'none'
      throw new HaError('NOT_FOUND', `${host} has no backup group ${groupName}`, { hint: `There are: ${names}.` })
    }
    if (!track.group.adapters.includes(adapter)) {
      throw new HaError('NOT_FOUND', `${adapter} is no adapter of ${groupName} on ${host}`, {
        hint: `Its adapters are, in order of preference: ${track.group.adapters.join(', ')}.`,
      })
    }
    if (!track.choose(adapter, effects.nowMonotonicMs())) {
      throw new HaError('INTERFACE_FAILED', `${adapter} is faulty: ${track.whyBad(adapter)}`, {
        hint: `Repair it first, or choose another one of ${track.group.adapters.join(', ')}.`,
      })
    }
    this.#publish()
    await this.#moveAll(adapters)
  }

  async #ringNowAndThen(): Promise<void> {
    const { effects } = this.#host.parts
    const { signal } = this.#host.life
    while (!signal.aborted) {
      await sleepUntilAborted(effects, LOOK_EVERY_MS, signal)
      this.#bell.ring()
    }
  }

  async #takeConfiguration(adapters: PublicAdapters): Promise<void> {
    const { host, effects } = this.#host.parts
    const state = this.#host.state()
    const groups = publicGroupsOf(state, host)
    const known = this.#tracks.map(({ group }) => group)
    if (this.#isConfigured && isSameValue(groups, known)) return
    if (groups.length > 0) await adapters.links.ready
    const tracks = new Map(this.#tracks.map((track) => [track.group.name, track]))
    this.#tracks = await Promise.all(
      groups.map(async (group) => {
        const before = tracks.get(group.name)
        const active = before?.active ?? (await this.#findActive(adapters, group))
        return new GroupTrack(group, { active, nowMs: effects.nowMonotonicMs(), before })
      }),
    )
    await adapters.separate(groups.filter((group) => group.adapters.length > 1).flatMap((group) => group.adapters))
    this.#rememberedMs = Number.NEGATIVE_INFINITY
    this.#isConfigured = true
    this.#publish()
  }

  /** A clustd that was started again finds the addresses where its predecessor had moved them. */
  async #findActive(adapters: PublicAdapters, group: PublicGroup): Promise<string> {
    const { host } = this.#host.parts
    const state = this.#host.state()
    const own = state.physicalHosts.get(host)?.interfaces.filter(({ network }) => network === group.network) ?? []
    const logical = this.#mover.addressesOf(group).map(({ address }) => address)
    const carrier = await adapters.findCarrier([...own.map(({ address }) => address), ...logical], group.adapters)
    return carrier ?? group.adapters[0] ?? group.name
  }

  async #look(adapters: PublicAdapters, nowMs: number): Promise<void> {
    const { host } = this.#host.parts
    const state = this.#host.state()
    const traffic = adapters.links.traffic()
    const late = this.#late()
    for (const track of this.#tracks) {
      const others = otherGroupsOn(state, host, track.group.network, late).map(({ sight }) => sight?.state)
      track.look({
        nowMs,
        links: new Map(track.group.adapters.map((adapter) => [adapter, linkOf(adapters.links, adapter)])),
        received: new Map(track.group.adapters.map((adapter) => [adapter, traffic.get(adapter)?.received])),
        others: others.filter((seen) => seen !== undefined),
        isUnheard: isUnheardOn(state, host, track.group.network, late),
      })
      for (const adapter of track.toAsk(nowMs)) void this.#ask(adapters, track, adapter)
      this.#tell(track, track.judge(nowMs))
    }
    this.#publish()
    await this.#moveAll(adapters)
    await this.#remember(adapters, nowMs)
  }

  /** Members that may be down: one stamp until the next, half of one for the commit. One that was never seen has not proved anything yet. */
  #late(): ReadonlySet<PhysicalHostName> {
    const ages = this.#stampAges()
    const lateMs = this.#host.timings().stampMs * LATE_STAMPS
    const members = [...this.#host.state().members.keys()]
    return new Set(members.filter((host) => (ages.get(host) ?? Number.POSITIVE_INFINITY) > lateMs))
  }

  async #ask(adapters: PublicAdapters, track: GroupTrack, adapter: string): Promise<void> {
    const { host, effects } = this.#host.parts
    const targets = probeTargetsOf(this.#host.state(), host, track.group.network, this.#late())
    const answer: ProbeAnswer =
      targets.length === 0 ? 'nobody-to-ask' : await adapters.ask(adapter, targets, track.group.tests.pingTimeoutMs)
    track.tookAnswer(adapter, answer, effects.nowMonotonicMs())
    this.#bell.ring()
  }

  /** Tells the drivers first where new addresses go, and then everybody. */
  #publish(): void {
    this.#host.parts.publicAdapters?.setGroups(
      this.#tracks.map(({ group, active }) => ({ name: group.name, active, adapters: group.adapters })),
    )
    const sights = this.#tracks.map((track) => track.sight())
    if (isSameValue(sights, this.#sights)) return
    this.#sights = sights
    for (const listener of [...this.#listeners]) listener()
  }

  /** Until each address is where it should be: one that a step works on at this moment comes later. */
  async #moveAll(adapters: PublicAdapters): Promise<void> {
    for (const track of this.#tracks) {
      for (const from of track.movesFrom) {
        const outcome = await this.#mover.move(adapters, { group: track.group, from, to: track.active })
        if (outcome === 'done') track.moved(from)
      }
    }
  }

  async #remember(adapters: PublicAdapters, nowMs: number): Promise<void> {
    if (nowMs - this.#rememberedMs < REMEMBER_EVERY_MS) return
    this.#rememberedMs = nowMs
    for (const track of this.#tracks) {
      if (track.group.adapters.length > 1) await adapters.remember(track.active, this.#mover.allAddresses())
    }
  }

  #tell(track: GroupTrack, change: { readonly from: GroupSight; readonly to: GroupSight }): void {
    const { log, host } = this.#host.parts
    const { from, to } = change
    const { name, network } = track.group
    const what = name === to.active ? `adapter ${name}` : `backup group ${name}`
    const facts = { facts: { host, network, group: to } }
    if (from.active !== to.active) {
      const message = `${what} goes on from ${from.active} to ${to.active}: ${track.whyBad(from.active)}`
      log.write({ level: 'warn', message, ...facts })
    }
    if (from.state !== to.state) log.write({ ...describeState(what, network, to.state), ...facts })
  }
}

function describeState(what: string, network: string, state: GroupSight['state']) {
  switch (state) {
    case 'ok':
      return { level: 'info', message: `${what} works` } as const
    case 'doubtful':
      return { level: 'warn', message: `${what} may not work; it is compared with what the other hosts see` } as const
    case 'failed':
      return { level: 'error', message: `${what} has failed: ${network} works for others` } as const
    case 'network-down':
      return { level: 'error', message: `${what} hears nobody on ${network}, and neither do the other hosts` } as const
    default:
      return assertNever(state)
  }
}
