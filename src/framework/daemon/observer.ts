import { describeError, HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import { evictionVerdict } from '../membership/eviction-budget.ts'
import {
  EMPTY_WATCH,
  type Look,
  type LostHost,
  lostHosts,
  nextLossMs,
  observe,
  observeMembers,
  restartObservation,
  type StampWatch,
  silentMs,
  tardiness,
} from '../membership/observation.ts'
import { ownHealth } from '../membership/own-health.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { Touched } from '../records/cluster-view.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import { lossOf } from './fence-orders.ts'
import type { Host } from './host.ts'
import type { Promiser } from './promiser.ts'

/** Watches the stamps of the other members, and gives up those that are lost. What counts as lost is decided in `membership/`. */
export class Observer {
  readonly #host: Host
  readonly #deadline: DeadlineKeeper
  readonly #promiser: Promiser
  #watch: StampWatch = EMPTY_WATCH
  #lastTickMs: number
  #evictionsMs: readonly number[] = []
  #refused = ''
  #stopListening: () => void = () => undefined

  constructor(host: Host, deadline: DeadlineKeeper, promiser: Promiser) {
    this.#host = host
    this.#promiser = promiser
    this.#deadline = deadline
    this.#lastTickMs = host.parts.effects.nowMonotonicMs()
  }

  /** Begins to take stamps in, those that are there already first. */
  begin(): void {
    const { knowledge, view } = this.#host
    this.#note({ state: true, timeline: false, stamps: [...view.stamps().keys()] })
    this.#stopListening = knowledge.listen((touched) => this.#note(touched))
  }

  /** What is known of the stamps of the others. */
  get watch(): StampWatch {
    return this.#watch
  }

  /** How long ago the present stamp of each other member was first seen, milliseconds. */
  stampAges(): ReadonlyMap<PhysicalHostName, number> {
    const now = this.#host.parts.effects.nowMonotonicMs()
    return new Map([...this.#watch.sightings.keys()].map((host) => [host, silentMs(this.#watch, host, now)]))
  }

  /** Gives up whoever is lost, until the life ends. */
  async run(): Promise<void> {
    const { effects } = this.#host.parts
    const { signal } = this.#host.life
    this.#lastTickMs = effects.nowMonotonicMs()
    for (;;) {
      await sleepUntilAborted(effects, this.#sleepMs(), signal)
      if (signal.aborted) break
      if (!this.#isWell()) continue
      // One that asks for promises lives, and whoever has promised something to it does not give it up.
      const lost = lostHosts(this.#watch, this.#look()).filter(({ host }) => !this.#promiser.isVouchedFor(host))
      if (lost.length > 0) await this.#evict(this.#withinBudget(lost))
    }
    this.#stopListening()
  }

  #note({ state, stamps }: Touched): void {
    const { parts, view } = this.#host
    const now = parts.effects.nowMonotonicMs()
    for (const host of stamps) {
      const seen = view.stamps().get(host)
      if (seen !== undefined) this.#watch = observe(this.#watch, { ...seen.stamp, revision: seen.revision }, now)
    }
    if (state && view.isConfigured) this.#watch = observeMembers(this.#watch, this.#host.state().members, now)
  }

  /** Never longer than a stamp interval: by its own punctuality this host knows whether it is well. */
  #sleepMs(): number {
    const look = this.#look()
    const toLossMs = (nextLossMs(this.#watch, look) ?? Number.POSITIVE_INFINITY) - look.nowMs
    // One more than needed, because lost is what is silent for longer than the expiry.
    return Math.min(Math.max(toLossMs, 0) + 1, look.timings.stampMs / 2)
  }

  /** A host that was stopped, or does not reach the database, has not seen what the others did meanwhile: it begins to observe anew. */
  #isWell(): boolean {
    const { parts } = this.#host
    const nowMs = parts.effects.nowMonotonicMs()
    const signs = { lastTickMs: this.#lastTickMs, nowMs, lastStampSentMs: this.#deadline.lastStampSentMs }
    this.#lastTickMs = nowMs
    const health = ownHealth(signs, this.#host.timings())
    if (health.kind === 'well') return true
    this.#watch = restartObservation(this.#watch, nowMs, this.#host.timings())
    parts.log.write({ level: 'debug', message: `judges no other host now: ${health.reason}` })
    return false
  }

  #withinBudget(lost: readonly LostHost[]): readonly LostHost[] {
    const { parts } = this.#host
    const now = parts.effects.nowMonotonicMs()
    const { budgets } = this.#host.state().cluster
    const verdict = evictionVerdict(this.#evictionsMs, lost, now, budgets)
    const refused = verdict.refused.map(({ host }) => host).join(', ')
    if (refused !== '' && refused !== this.#refused) {
      parts.log.write({
        level: 'error',
        message: `${refused} gives no sign of life and is not given up: this host gave up ${budgets.evictionsMax} within ${budgets.evictionWindowMs / 1000} s already`,
      })
    }
    this.#refused = refused
    return verdict.allowed
  }

  async #evict(lost: readonly LostHost[]): Promise<void> {
    if (lost.length === 0) return
    const { parts, view, life } = this.#host
    const unchangedStamps = new Map(lost.map(({ host, stampRevision }) => [host, stampRevision]))
    const seenBy = (host: PhysicalHostName): { readonly seenRevision?: number } => {
      // Its stamp is unchanged, or the commit loses its race.
      const seenRevision = view.stamps().get(host)?.stamp.seenRevision
      return seenRevision === undefined ? {} : { seenRevision }
    }
    const isSilent = ({ host, incarnation, stampRevision }: LostHost): boolean =>
      view.stamps().get(host)?.revision === stampRevision &&
      this.#host.state().members.get(host)?.incarnation === incarnation &&
      // The timings may have been lengthened since, and the host may have read that before its last stamp.
      tardiness(this.#watch, host, parts.effects.nowMonotonicMs(), this.#host.timings()) === 'lost'
    try {
      const made = await this.#host.submit({
        cause: {
          kind: 'hosts-lost',
          hosts: lost.map(({ host, silentMs: ms }) => ({
            host,
            evidence: 'expired',
            silentMs: Math.round(ms),
            ...seenBy(host),
          })),
        },
        unchangedStamps,
        isWanted: () => !life.signal.aborted && lost.every(isSilent),
        also: () => lost.map(({ host, incarnation }) => lossOf(this.#host, host, incarnation)),
      })
      const now = parts.effects.nowMonotonicMs()
      const { budgets } = this.#host.state().cluster
      if (made !== null) this.#evictionsMs = evictionVerdict(this.#evictionsMs, lost, now, budgets).evictionsMs
    } catch (error) {
      if (!(error instanceof HaError)) throw error
      parts.log.write({ level: 'warn', message: `a lost host was not given up: ${describeError(error)}` })
    }
    this.#lastTickMs = parts.effects.nowMonotonicMs()
  }

  #look(): Look {
    const { parts } = this.#host
    const { members, physicalHosts, cluster } = this.#host.state()
    const order = [...physicalHosts.keys()].toSorted()
    return { members, me: parts.host, order, nowMs: parts.effects.nowMonotonicMs(), timings: cluster.timings }
  }
}
