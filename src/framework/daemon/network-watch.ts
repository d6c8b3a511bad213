import { describeError, HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import { describeNetwork } from '../membership/describe-networks.ts'
import { silentForMs } from '../membership/heartbeats.ts'
import { judgeNetworks, type NetworkVerdict } from '../membership/networks.ts'
import type { NetworkName, PhysicalHostName } from '../model/names.ts'
import type { GroupSight, NetworkSight } from '../model/network.ts'
import { isSameValue } from '../model/same-value.ts'
import { putSight, toWrite } from '../records/encode.ts'
import { keyOf } from '../records/keys.ts'
import { Bell } from './bell.ts'
import type { Host } from './host.ts'
import { OwnSight } from './own-sight.ts'
import { peerSettingOf } from './peer-setting.ts'

/** Whatever tells nobody (a silence that is not over yet, a probe that was answered) is looked at this often; it costs a twentieth of a millisecond. */
const LOOK_EVERY_MS = 250
/** Several hosts and networks fall silent together: what comes within this time is one change. */
const GATHER_MS = 20
/** The database is not written more often, however much a network flaps. */
const PUBLISH_EVERY_MS = 100
/** A member whose stamp is so many intervals old may be down: one until the next, half for the commit. */
const LATE_STAMPS = 1.5
/** A state is told when it has lasted so many intervals: by then it is known whether a host was lost, or a network. */
const SETTLED_STAMPS = 2

/** What the watch needs of the parts of the loop. */
export interface NetworkWatchParts {
  /** What this host sees of its backup groups. */
  groups(): readonly GroupSight[]
  onGroupsChange(listener: () => void): () => void
  stampAges(): ReadonlyMap<PhysicalHostName, number>
}

/** Keeps heartbeats going as configured, publishes what this host sees of its networks, and tells what they are found to be. */
export class NetworkWatch {
  readonly #host: Host
  readonly #parts: NetworkWatchParts
  readonly #own: OwnSight
  readonly #bell = new Bell()
  #basis: readonly unknown[] = []
  #suspectMs = 0
  #stopListening: (() => void)[] = []
  #stopPeers: () => void = () => undefined
  #publishedMs = Number.NEGATIVE_INFINITY
  #isPublishing = false
  /** What this host saw at its last look. */
  #present: NetworkSight | undefined
  /** What was told last of each network, and what is found since when; as sentences: another reason is news, too. */
  readonly #told = new Map<NetworkName, string>()
  readonly #found = new Map<NetworkName, { readonly sentence: string; readonly sinceMs: number }>()

  constructor(host: Host, parts: NetworkWatchParts) {
    this.#host = host
    this.#parts = parts
    this.#own = new OwnSight(host)
  }

  /**
   * Says what each network is, by what all members see; empty when none are configured. Of the others it is what they published last, of this host what it
   * sees now: when the database is away, that is what it has to go by.
   */
  verdicts(): readonly NetworkVerdict[] {
    const state = this.#host.state()
    if (state.networks.size === 0) return []
    const own = this.#present
    const sights = own === undefined ? state.sights : new Map(state.sights).set(own.host, own)
    return judgeNetworks({ ...state, sights, doubtful: this.#doubtful() })
  }

  /** Watches until the life ends. */
  async run(): Promise<void> {
    const { parts, life, knowledge } = this.#host
    const ring = (): void => this.#bell.ring()
    this.#stopListening = [knowledge.listen(({ state }) => state && ring()), this.#parts.onGroupsChange(ring)]
    void this.#ringNowAndThen()
    let stopLinks: (() => void) | undefined
    while (!life.signal.aborted) {
      this.#configure()
      if (this.#host.state().networks.size > 0) {
        // The watch of the adapters starts with the first question about them: a host without networks has none.
        stopLinks ??= parts.publicAdapters?.links.onChange(ring)
        this.#look()
      }
      await this.#bell.heard(life.signal)
      await sleepUntilAborted(parts.effects, GATHER_MS, life.signal)
    }
    stopLinks?.()
    this.#stopPeers()
    for (const stop of this.#stopListening) stop()
  }

  async #ringNowAndThen(): Promise<void> {
    const { parts, life } = this.#host
    while (!life.signal.aborted) {
      await sleepUntilAborted(parts.effects, LOOK_EVERY_MS, life.signal)
      if (this.#host.state().networks.size > 0) this.#bell.ring()
    }
  }

  #configure(): void {
    const { peers, host } = this.#host.parts
    const { networks, physicalHosts, cluster } = this.#host.state()
    // The same maps as long as nothing in them has changed.
    const basis = [networks, physicalHosts, cluster]
    if (basis.every((one, index) => one === this.#basis[index])) return
    this.#basis = basis
    // In effect a moment later; until then the former setting is.
    void peers.configure(peerSettingOf({ networks, physicalHosts, cluster }, host))
    const { suspectMs } = cluster.heartbeats
    if (suspectMs === this.#suspectMs) return
    this.#suspectMs = suspectMs
    this.#stopPeers()
    this.#stopPeers = peers.onChange(suspectMs, () => this.#bell.ring())
  }

  #look(): void {
    this.#present = {
      host: this.#host.parts.host,
      incarnation: this.#host.incarnation,
      interfaces: this.#own.look(),
      groups: this.#parts.groups(),
    }
    this.#publish(this.#present)
    this.#tellAll(this.verdicts())
  }

  #publish(sight: NetworkSight): void {
    const { parts } = this.#host
    const nowMs = parts.effects.nowMonotonicMs()
    const known = this.#host.state().sights.get(parts.host)
    const isDue = nowMs - this.#publishedMs >= PUBLISH_EVERY_MS && !this.#isPublishing
    // What is not due is written after the next look.
    if (!isDue || isSameValue(known, sight) || this.#host.ownMember() === undefined) return
    this.#publishedMs = nowMs
    this.#isPublishing = true
    void this.#write(sight).finally(() => {
      this.#isPublishing = false
    })
  }

  /** Guarded on the member record: a host that is gone writes nothing any more, and its record was removed with its membership. */
  async #write(sight: NetworkSight): Promise<void> {
    const { parts, view, knowledge } = this.#host
    const draft = putSight(sight)
    const guards = [view.guardOf(keyOf.member(parts.host))]
    try {
      const outcome = await parts.database.commit(guards, [toWrite(draft)], { durability: 'volatile' })
      if (outcome.kind === 'committed') knowledge.take(view.committed(outcome.revision, [draft]))
    } catch (error) {
      // Seen again at the next look; that the database is away is told by the stamps.
      if (!(error instanceof HaError)) throw error
      parts.log.write({
        level: 'debug',
        message: `what is seen of the networks is not published: ${describeError(error)}`,
      })
    }
  }

  #tellAll(verdicts: readonly NetworkVerdict[]): void {
    const nowMs = this.#host.parts.effects.nowMonotonicMs()
    const settledMs = this.#host.timings().stampMs * SETTLED_STAMPS
    for (const verdict of verdicts) {
      const { name } = verdict.network
      const sentence = describeNetwork(verdict, verdicts)
      const found = this.#found.get(name)
      if (found?.sentence !== sentence) this.#found.set(name, { sentence, sinceMs: nowMs })
      else if (nowMs - found.sinceMs >= settledMs) this.#tell(verdict, sentence)
    }
  }

  #tell({ network, state }: NetworkVerdict, sentence: string): void {
    const before = this.#told.get(network.name)
    // Not to know it, while a host is given up for instance, is no news.
    if (sentence === before || state === 'unknown') return
    this.#told.set(network.name, sentence)
    const level = state === 'partitioned' || state === 'down' ? 'warn' : 'info'
    const facts = { network: network.name, state }
    this.#host.parts.log.write({ level, message: `network ${network.name}: ${sentence}`, facts })
  }

  #doubtful(): ReadonlySet<PhysicalHostName> {
    const { peers, effects, host: me } = this.#host.parts
    const { cluster } = this.#host.state()
    const hearing = {
      heard: peers.heard(),
      listeningSinceMs: peers.listeningSinceMs(),
      nowMs: effects.nowMonotonicMs(),
    }
    const isLate = (ageMs: number): boolean => ageMs > cluster.timings.stampMs * LATE_STAMPS
    const isHeard = (host: PhysicalHostName): boolean =>
      hearing.heard.some((one) => one.host === host) && silentForMs(hearing, host) < cluster.heartbeats.suspectMs
    const late = [...this.#parts.stampAges()].filter(([host, ageMs]) => host !== me && isLate(ageMs) && !isHeard(host))
    return new Set(late.map(([host]) => host))
  }
}
