import { describeError, isHaError } from '../errors/ha-error.ts'
import { CALLED_OFF, sleepUntilAborted } from '../execute/run-within.ts'
import { type Draft, putStamp, toWrite } from '../records/encode.ts'
import { keyOf } from '../records/keys.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import type { Host } from './host.ts'

/** What one stamp came to. */
type Stamped = 'committed' | 'failed' | 'ended'

/** Renews this host's stamp, and with it the deadline. One commit is in flight at most; the next is sent `stampMs` after the last was sent, or at once when late. */
export class Stamper {
  readonly #host: Host
  readonly #deadline: DeadlineKeeper
  readonly #onGuardLost: () => void
  #sequence = 0
  #wake = new AbortController()

  constructor(host: Host, deadline: DeadlineKeeper, onGuardLost: () => void) {
    this.#host = host
    this.#deadline = deadline
    this.#onGuardLost = onGuardLost
  }

  /** Drafts the next stamp, to be committed with the record that makes this host a member. */
  draft(incarnation: number): Draft {
    this.#sequence += 1
    return putStamp({
      host: this.#host.parts.host,
      incarnation,
      sequence: this.#sequence,
      expiryMs: this.#deadline.expiryMs(),
      seenRevision: this.#host.view.revision,
    })
  }

  /** Begins a life whose first stamp was committed already; `sentMs`: right before that. Throws `GUARD_LOST`. */
  async begin(sentMs: number): Promise<void> {
    await this.#deadline.begin({ incarnation: this.#host.incarnation, sentMs })
  }

  /** Carries a life on, which the guard watches until `deadlineMs`, with a stamp of its own. False when it is over. Throws `DATABASE_*`, `GUARD_LOST`. */
  async carryOn(lastSequence: number, deadlineMs: number): Promise<boolean> {
    this.#sequence = lastSequence
    this.#deadline.inherit(deadlineMs)
    const sentMs = this.#host.parts.effects.nowMonotonicMs()
    if (!(await this.#commit())) return false
    await this.begin(sentMs)
    return true
  }

  /** Stamps at once, or as soon as the stamp that is under way is committed: somebody has asked whether this host lives. */
  stampNow(): void {
    this.#wake.abort(CALLED_OFF)
  }

  async run(): Promise<void> {
    const { effects } = this.#host.parts
    const { signal } = this.#host.life
    let sentMs = this.#deadline.lastStampSentMs ?? effects.nowMonotonicMs()
    let isFailing = false
    if (signal.aborted) return
    signal.addEventListener('abort', () => this.stampNow(), { once: true })
    for (;;) {
      const { stampMs } = this.#host.timings()
      const waitMs = isFailing ? stampMs / 4 : sentMs + stampMs - effects.nowMonotonicMs()
      if (waitMs > 0) await sleepUntilAborted(effects, waitMs, this.#wake.signal)
      if (signal.aborted) return
      this.#wake = new AbortController()
      sentMs = effects.nowMonotonicMs()
      const stamped = await this.#stamp(sentMs, isFailing)
      if (stamped === 'ended') return
      isFailing = stamped === 'failed'
    }
  }

  async #stamp(sentMs: number, wasFailing: boolean): Promise<Stamped> {
    try {
      if (await this.#commit()) {
        await this.#deadline.extend({ incarnation: this.#host.incarnation, sentMs })
        return 'committed'
      }
      if (!this.#host.life.isDeparting) this.#evicted()
      return 'ended'
    } catch (error) {
      if (this.#host.life.signal.aborted) return 'ended'
      if (isHaError(error, 'GUARD_LOST')) this.#onGuardLost()
      // Each failure would be a line; the first says it, the deadline says the rest.
      if (!wasFailing) {
        this.#host.parts.log.write({ level: 'warn', message: `the stamp was not renewed: ${describeError(error)}` })
      }
      return 'failed'
    }
  }

  /** Commits a stamp as long as this host is a member in this life; false when it is not any more. Throws `DATABASE_*`. */
  async #commit(): Promise<boolean> {
    const { host, database } = this.#host.parts
    const { view, incarnation } = this.#host
    for (;;) {
      if (this.#host.ownMember() === undefined) return false
      const guard = view.guardOf(keyOf.member(host))
      const write = toWrite(this.draft(incarnation))
      const outcome = await database.commit([guard], [write], { durability: 'volatile' })
      if (outcome.kind === 'committed') return true
      // Somebody wrote this host's member record: it is leaving, or it is gone.
      await this.#host.readAgain()
      if (this.#host.life.signal.aborted) return false
    }
  }

  #evicted(): void {
    this.#host.life.end({ kind: 'evicted', why: 'the others gave it up as lost' })
  }
}
