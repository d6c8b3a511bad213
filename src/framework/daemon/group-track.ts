import type { PublicGroupSeen } from '../api/services.ts'
import type { GroupSight, ProbeAnswer } from '../model/network.ts'
import {
  type AdapterHistory,
  type AdapterVerdict,
  adapterVerdict,
  lookAtAdapter,
  mustAsk,
  newAdapter,
  tookAnswer,
} from '../supervise/adapter-verdict.ts'
import { groupVerdict } from '../supervise/group-verdict.ts'
import type { PublicGroup } from '../supervise/public-groups.ts'

/** What is seen of a group in one look. */
export interface TrackLook {
  readonly nowMs: number
  readonly links: ReadonlyMap<string, AdapterHistory['link']>
  readonly received: ReadonlyMap<string, number | undefined>
  /** States of the groups of the other members on the network. */
  readonly others: readonly GroupSight['state'][]
  /** Nobody hears the heartbeats of this host over the network, while others hear each other. */
  readonly isUnheard: boolean
}

/** Keeps what is known of one group from look to look. It decides nothing itself: that is done in `supervise/`. */
export class GroupTrack {
  readonly group: PublicGroup
  readonly #histories: Map<string, AdapterHistory>
  readonly #asked = new Set<string>()
  #active: string
  #state: GroupSight['state']
  #faulty: readonly string[]
  #allBadSinceMs: number | undefined
  #switchedMs: number | undefined
  #doubtedAtMs: number
  #others: readonly GroupSight['state'][] = []
  #isUnheard = false
  /** Adapters that addresses may still be on although they belong on the active one. */
  readonly #movesFrom: Set<string>

  constructor(
    group: PublicGroup,
    known: { readonly active: string; readonly nowMs: number; readonly before: GroupTrack | undefined },
  ) {
    const { active, nowMs, before } = known
    this.group = group
    const isStillThere = group.adapters.includes(active)
    this.#active = isStillThere ? active : (group.adapters[0] ?? active)
    // The adapter that carried the addresses was taken out of the group: they go to one that is in it.
    this.#movesFrom = new Set([...(before?.movesFrom ?? []), ...(isStillThere ? [] : [active])])
    this.#state = before?.sight().state ?? 'ok'
    this.#faulty = (before?.sight().faulty ?? []).filter((adapter) => group.adapters.includes(adapter))
    this.#switchedMs = before === undefined ? undefined : before.#switchedMs
    this.#doubtedAtMs = before === undefined ? Number.NEGATIVE_INFINITY : before.#doubtedAtMs
    const histories = before === undefined ? undefined : before.#histories
    this.#histories = new Map(group.adapters.map((adapter) => [adapter, histories?.get(adapter) ?? newAdapter(nowMs)]))
  }

  get active(): string {
    return this.#active
  }

  /** Adapters that addresses may still be on although they belong on the active one; empty when all is done. */
  get movesFrom(): readonly string[] {
    return [...this.#movesFrom]
  }

  sight(): GroupSight {
    return { name: this.group.name, active: this.#active, state: this.#state, faulty: this.#faulty }
  }

  seen(nowMs: number): PublicGroupSeen {
    return {
      sight: this.sight(),
      tests: new Map(this.group.adapters.map((adapter) => [adapter, this.#verdictOf(adapter, nowMs)])),
      secondsSinceMoved: this.#switchedMs === undefined ? null : Math.floor((nowMs - this.#switchedMs) / 1_000),
    }
  }

  /** Takes a look in. */
  look({ nowMs, links, received, others, isUnheard }: TrackLook): void {
    for (const [adapter, history] of this.#histories) {
      // An adapter that can no longer send goes on hearing the others: only answers show that it works.
      const seen = {
        nowMs,
        link: links.get(adapter) ?? 'unknown',
        received: isUnheard ? undefined : received.get(adapter),
        doubtedAtMs: this.#doubtedAtMs,
      }
      this.#histories.set(adapter, lookAtAdapter(history, seen, this.group.tests))
    }
    // Somebody else doubts the network: what was heard before says nothing about it.
    const countOf = (states: readonly GroupSight['state'][]): number =>
      states.filter((state) => state === 'doubtful').length
    if (countOf(others) > countOf(this.#others) || (isUnheard && !this.#isUnheard)) this.#doubtedAtMs = nowMs
    this.#others = others
    this.#isUnheard = isUnheard
  }

  /** Lists the adapters over which is to be asked now, and takes them for asked. */
  toAsk(nowMs: number): readonly string[] {
    const due = [...this.#histories].filter(([adapter, history]) => {
      return !this.#asked.has(adapter) && mustAsk(history, { nowMs, doubtedAtMs: this.#doubtedAtMs }, this.group.tests)
    })
    for (const [adapter] of due) this.#asked.add(adapter)
    return due.map(([adapter]) => adapter)
  }

  tookAnswer(adapter: string, answer: ProbeAnswer, nowMs: number): void {
    this.#asked.delete(adapter)
    const history = this.#histories.get(adapter)
    if (history === undefined) return
    // The first question without an answer makes the other adapters of the group prove themselves as well.
    if (answer === 'unanswered' && history.unanswered === 0) this.#doubtedAtMs = nowMs
    this.#histories.set(adapter, tookAnswer(history, { answer, nowMs }, this.group.tests))
  }

  /** Judges the group; returns what was said of it before, and what is said now. */
  judge(nowMs: number): { readonly from: GroupSight; readonly to: GroupSight } {
    const from = this.sight()
    const verdict = groupVerdict(
      {
        nowMs,
        active: this.#active,
        adapters: this.group.adapters.map((name) => ({ name, verdict: this.#verdictOf(name, nowMs) })),
        others: this.#others,
        before: this.#state,
        allBadSinceMs: this.#allBadSinceMs,
      },
      this.group.tests,
    )
    this.#state = verdict.state
    this.#faulty = verdict.faulty
    this.#allBadSinceMs = verdict.allBadSinceMs
    this.#goTo(verdict.active, nowMs)
    return { from, to: this.sight() }
  }

  /** An operator chooses the active adapter; false when it is faulty, and nothing changes. */
  choose(adapter: string, nowMs: number): boolean {
    const verdict = this.#verdictOf(adapter, nowMs)
    if (verdict === 'link-down' || verdict === 'silent') return false
    this.#goTo(adapter, nowMs)
    return true
  }

  /** Nothing is on this adapter any more that belongs on the active one. */
  moved(from: string): void {
    this.#movesFrom.delete(from)
  }

  /** Says why an adapter was left. */
  whyBad(adapter: string): string {
    return this.#histories.get(adapter)?.link === 'down'
      ? `the link of ${adapter} is down`
      : `nothing comes in over ${adapter}, and nobody answers`
  }

  #verdictOf(adapter: string, nowMs: number): AdapterVerdict {
    const history = this.#histories.get(adapter) ?? newAdapter(nowMs)
    return adapterVerdict(history, { nowMs, doubtedAtMs: this.#doubtedAtMs }, this.group.tests)
  }

  #goTo(adapter: string, nowMs: number): void {
    if (adapter === this.#active) return
    this.#switchedMs = nowMs
    this.#movesFrom.add(this.#active)
    this.#movesFrom.delete(adapter)
    this.#active = adapter
  }
}
