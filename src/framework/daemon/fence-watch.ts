import { answerMs, type FenceLook, lastSignMs, nextSuspicionMs, type Suspect, suspects } from '../membership/fencing.ts'
import { ownHealth } from '../membership/own-health.ts'
import { masterOf } from '../model/mastery.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { Heard } from '../ports/peers.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import { fenceMsMax, levelsOf } from './fence-orders.ts'
import type { Host } from './host.ts'
import type { Observer } from './observer.ts'

/** Collects all that says whether the other members live, and whether this host may judge them. What follows is decided in `membership/fencing.ts`. */
export class FenceWatch {
  readonly #host: Host
  readonly #deadline: DeadlineKeeper
  readonly #observer: Observer
  #wellSinceMs: number
  #wakesAtMs: number
  /** The record of each fence as it was seen, and when. */
  readonly #fencesSeen = new Map<PhysicalHostName, { readonly record: unknown; readonly atMs: number }>()

  constructor(host: Host, deadline: DeadlineKeeper, observer: Observer) {
    this.#host = host
    this.#deadline = deadline
    this.#observer = observer
    this.#wellSinceMs = host.parts.effects.nowMonotonicMs()
    this.#wakesAtMs = this.#wellSinceMs
  }

  /** Returns how long to sleep until somebody may have to be suspected; to be followed by `isWell`. */
  sleepMs(): number {
    const look = this.look()
    const dueMs = nextSuspicionMs(look) ?? Number.POSITIVE_INFINITY
    const { intervalMs } = look.heartbeats
    // What is due already is under way, or must not be: looked at again soon, but not all the time.
    const sleepMs = dueMs <= look.nowMs ? intervalMs : dueMs - look.nowMs + 1
    const ms = Math.min(sleepMs, look.timings.stampMs)
    this.#wakesAtMs = look.nowMs + ms
    return ms
  }

  /** A host that was stopped itself, or does not reach the database, has not seen what the others did meanwhile: all silence begins anew for it. */
  isWell(): boolean {
    const { parts } = this.#host
    const nowMs = parts.effects.nowMonotonicMs()
    const { heartbeats, timings } = this.#host.state().cluster
    const lateMs = nowMs - this.#wakesAtMs
    this.#wakesAtMs = nowMs
    const health = ownHealth({ lastTickMs: nowMs, nowMs, lastStampSentMs: this.#deadline.lastStampSentMs }, timings)
    if (health.kind === 'well' && lateMs < heartbeats.suspectMs / 2) return true
    this.#wellSinceMs = nowMs
    return false
  }

  suspects(): readonly Suspect[] {
    return suspects(this.look())
  }

  /** How long a suspect has for its answer, milliseconds. */
  answerMs(): number {
    return answerMs(this.#host.state().cluster)
  }

  /** Tells whether nothing at all was seen of the host since it became suspect. */
  isStillSilent({ host, incarnation, stampRevision }: Suspect, sinceMs: number): boolean {
    const { view, life } = this.#host
    return (
      !life.signal.aborted &&
      this.#host.ownMember() !== undefined &&
      this.#host.state().members.get(host)?.incarnation === incarnation &&
      view.stamps().get(host)?.revision === stampRevision &&
      lastSignMs(this.look(), host) <= sinceMs
    )
  }

  /** Milliseconds since anything was seen or heard of a host; undefined = never, or it is no member and was not heard. */
  silentMs(host: PhysicalHostName): number | undefined {
    const look = this.look()
    const stampedMs = look.members.has(host) ? look.watch.sightings.get(host)?.seenMs : undefined
    const signs = [look.heardMs.get(host), stampedMs].flatMap((atMs) => atMs ?? [])
    return signs.length === 0 ? undefined : look.nowMs - Math.max(...signs)
  }

  look(): FenceLook {
    const { parts, view } = this.#host
    const state = this.#host.state()
    const { members, physicalHosts, cluster } = state
    const nowMs = parts.effects.nowMonotonicMs()
    const fences = view.fencing.fences()
    return {
      me: parts.host,
      members,
      order: [...physicalHosts.keys()].toSorted(),
      masters: mastersOf(state.states),
      fenceable: new Map(
        [...physicalHosts.keys()].flatMap((host) => {
          const levels = levelsOf(state, host)
          return levels.length === 0 ? [] : [[host, fenceMsMax(levels)] as const]
        }),
      ),
      watch: this.#observer.watch,
      heardMs: this.#latest(({ atMs }) => atMs),
      vacantMs: this.#latest(({ vacantMs }) => vacantMs),
      wellSinceMs: Math.max(this.#wellSinceMs, this.#listeningSinceMs()),
      nowMs,
      nowWallMs: parts.effects.nowWallMs(),
      timings: cluster.timings,
      heartbeats: cluster.heartbeats,
      limits: cluster.fencing,
      fences,
      fencesSeenMs: this.#noteFences(fences, nowMs),
    }
  }

  /** The latest time of each host over all networks. */
  #latest(timeOf: (heard: Heard) => number | null): ReadonlyMap<PhysicalHostName, number> {
    const latest = new Map<PhysicalHostName, number>()
    for (const heard of this.#host.parts.peers.heard()) {
      const atMs = timeOf(heard)
      if (atMs !== null) latest.set(heard.host, Math.max(latest.get(heard.host) ?? Number.NEGATIVE_INFINITY, atMs))
    }
    return latest
  }

  /** A host that does not listen at all goes by stamps, and those it sees all the same. */
  #listeningSinceMs(): number {
    const sinceMs = this.#host.parts.peers.listeningSinceMs()
    return Number.isFinite(sinceMs) ? sinceMs : Number.NEGATIVE_INFINITY
  }

  #noteFences(
    fences: ReturnType<Host['view']['fencing']['fences']>,
    nowMs: number,
  ): ReadonlyMap<PhysicalHostName, number> {
    for (const [host, record] of fences) {
      if (this.#fencesSeen.get(host)?.record !== record) this.#fencesSeen.set(host, { record, atMs: nowMs })
    }
    return new Map([...this.#fencesSeen].map(([host, { atMs }]) => [host, atMs]))
  }
}

function mastersOf(states: ReturnType<Host['state']>['states']): ReadonlyMap<PhysicalHostName, number> {
  const masters = new Map<PhysicalHostName, number>()
  for (const { mastery } of states.values()) {
    const by = masterOf(mastery)
    if (by !== undefined) masters.set(by, (masters.get(by) ?? 0) + 1)
  }
  return masters
}
