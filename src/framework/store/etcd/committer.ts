import type { ITxnResponse } from 'etcd3'
import type { CommitOutcome, Guard, Write } from '../../ports/cluster-database.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Asked } from './asking.ts'
import type { Endpoints } from './endpoints.ts'
import { EtcdFailure } from './failure.ts'
import type { Keyspace } from './keyspace.ts'
import { type CommitWait, type Lane, Lanes } from './lanes.ts'
import { makeTransaction, type Refusal, readRefusal } from './transaction.ts'

/** What one transaction asks for. */
interface Order {
  readonly guards: readonly Guard[]
  readonly writes: readonly Write[]
  /** Text of the lane after this commit; no other commit has it. */
  readonly id: string
}

/**
 * Commits exactly once, also when it has to ask several endpoints because one does not answer (decision note 0009).
 *
 * Each commit is one transaction that is guarded by, and rewrites, a *lane*: a key of this writer's own. So all attempts of one commit compare the lane with the same
 * revision, and at most one of them can ever win, however late it arrives. Whoever comes second finds the id of its own commit in the lane, and with it the answer.
 */
export class Committer {
  readonly #keyspace: Keyspace
  readonly #endpoints: Endpoints
  readonly #effects: Effects
  readonly #lanes: Lanes
  #commits = 0

  /** `writer` is a name that no other client uses, now or ever. */
  constructor(options: { keyspace: Keyspace; endpoints: Endpoints; effects: Effects; writer: string }) {
    this.#keyspace = options.keyspace
    this.#endpoints = options.endpoints
    this.#effects = options.effects
    this.#lanes = new Lanes((number) => options.keyspace.ofLane(options.writer, number), options.effects)
  }

  /** Rejects with an `EtcdFailure`; of kind `unreachable`, the commit may have happened, or still happen before the lane is used again. */
  commit(guards: readonly Guard[], writes: readonly Write[], wait: CommitWait): Promise<CommitOutcome> {
    return this.#lanes.with(wait, async (lane) => {
      for (;;) {
        if (lane.revision === 0) await this.#make(lane, wait)
        this.#commits += 1
        const outcome = await this.#try(lane, { guards, writes, id: String(this.#commits) }, wait)
        if (outcome !== 'lane-moved') return outcome
      }
    })
  }

  /** Makes the lane before its first commit, so that no commit is ever guarded by its absence: that could come back, a revision cannot. */
  async #make(lane: Lane, wait: CommitWait): Promise<void> {
    const asked = await this.#ask(lane, { guards: [], writes: [], id: '0' }, wait)
    lane.revision = asked.answer.succeeded ? revisionOf(asked.answer) : readRefusal(asked.answer).lane.revision
  }

  async #try(lane: Lane, order: Order, wait: CommitWait): Promise<CommitOutcome | 'lane-moved'> {
    const asked = await this.#ask(lane, order, wait)
    if (asked.answer.succeeded) return this.#committed(lane, revisionOf(asked.answer))
    const refusal = readRefusal(asked.answer)
    if (refusal.lane.revision !== lane.revision) return this.#settle(lane, order, refusal)
    const lost: CommitOutcome = { kind: 'lost-race', key: brokenGuard(order.guards, refusal) }
    if (asked.isOnly || isBrokenForGood(order.guards, refusal)) return lost
    // Another attempt may still arrive, at a moment in which all guards hold. What moves the lane keeps it from winning.
    const closed = await this.#ask(lane, { guards: [], writes: [], id: `${order.id}-lost` }, wait)
    if (!closed.answer.succeeded) {
      const outcome = this.#settle(lane, order, readRefusal(closed.answer))
      return outcome === 'lane-moved' ? lost : outcome
    }
    lane.revision = revisionOf(closed.answer)
    return lost
  }

  /** The lane was moved meanwhile: by another attempt of this commit, by one of a commit that was given up, or by whoever removes old lanes. */
  #settle(lane: Lane, { id }: Order, refusal: Refusal): CommitOutcome | 'lane-moved' {
    if (refusal.lane.id === id) return this.#committed(lane, refusal.lane.revision)
    lane.revision = refusal.lane.revision
    return 'lane-moved'
  }

  #committed(lane: Lane, revision: number): CommitOutcome {
    lane.revision = revision
    return { kind: 'committed', revision }
  }

  async #ask(lane: Lane, order: Order, { untilMs, signal }: CommitWait): Promise<Asked<ITxnResponse>> {
    const withinMs = untilMs - this.#effects.nowMonotonicMs()
    if (withinMs <= 0) throw new EtcdFailure('unreachable', 'the time was over before it was asked')
    const request = makeTransaction(this.#keyspace, { lane: lane.key, laneRevision: lane.revision, ...order })
    return this.#endpoints.ask((channel) => channel.call<ITxnResponse>('KV', 'txn', request), { withinMs, signal })
  }
}

function revisionOf({ header }: ITxnResponse): number {
  return Number(header.revision)
}

function holds(guard: Guard, revision: number | undefined): boolean {
  return revision === (guard.kind === 'absent' ? 0 : guard.revision)
}

function brokenGuard(guards: readonly Guard[], { guarded }: Refusal): string {
  const broken = guards.find((guard, index) => !holds(guard, guarded[index]))
  if (broken === undefined) throw new EtcdFailure('corrupt', 'etcd refused a transaction all of whose comparisons hold')
  return broken.key
}

/** A revision does not come back; what is there may be deleted. */
function isBrokenForGood(guards: readonly Guard[], { guarded }: Refusal): boolean {
  return guards.some((guard, index) => guard.kind === 'at' && !holds(guard, guarded[index]))
}
