import type { Permit } from '../execute/execute-half.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import { expiryMs } from '../membership/check-timings.ts'
import {
  type CommittedStamp,
  type Deadline,
  extendDeadline,
  isPassed,
  leftMs,
  lookAtClocks,
  mayAct,
  newDeadline,
} from '../membership/deadline.ts'
import type { Clocks } from '../membership/own-health.ts'
import type { Host } from './host.ts'

/** Intervals in which a stamp must be committed after the clocks jumped: one until the next, one for the commit. */
const PROOF_STAMPS = 2

/** Knows until when this host may act, tells its guard, and ends this life when the time is over. Only a stamp that was committed extends it. */
export class DeadlineKeeper {
  readonly #host: Host
  #deadline: Deadline
  /** Since when neither the deadline has passed nor may anything be begun; own monotonic clock. */
  #unprovedSinceMs: number | undefined
  #provers: (() => void)[] = []
  #lastStampSentMs: number | undefined
  #restsOnPromises = false
  /** The timings by which the last stamp was committed. */
  #stampedGuardMs = 0
  #stampedExpiryMs = 0
  /** When all that the guard was ever allowed has run out for the others; own monotonic clock. */
  #runsOutMs = Number.NEGATIVE_INFINITY

  constructor(host: Host) {
    this.#host = host
    this.#deadline = newDeadline(0, this.#clocks())
  }

  /** When the last stamp that was committed was sent; own monotonic clock. */
  get lastStampSentMs(): number | undefined {
    return this.#lastStampSentMs
  }

  /**
   * Milliseconds from now until all has run out that this host may do by a stamp which is sent now, and by those before it: a deadline never moves back,
   * so after the timings were shortened one that the longer timings made is still ahead.
   */
  expiryMs(): number {
    return Math.max(expiryMs(this.#host.timings()), this.#runsOutMs - this.#host.parts.effects.nowMonotonicMs())
  }

  /** Takes in the deadline that the guard of a killed clustd goes by, before this one stamps for the same life. */
  inherit(deadlineMs: number): void {
    const { guardMs } = this.#host.timings()
    this.#allow(deadlineMs - guardMs)
  }

  /** Begins with the first stamp of a life. Throws `GUARD_LOST`. */
  async begin(stamp: CommittedStamp): Promise<void> {
    const { guard } = this.#host.parts
    const now = this.#clocks()
    this.#deadline = extendDeadline(newDeadline(stamp.incarnation, now), stamp, now, this.#host.timings())
    this.#stamped(stamp.sentMs)
    await guard.arm(this.#deadline.untilMs)
    await guard.live(stamp.incarnation)
  }

  /** Takes a committed stamp in. Throws `GUARD_LOST`, `DEADLINE_PASSED`. */
  async extend(stamp: CommittedStamp): Promise<void> {
    const before = this.#deadline
    this.#deadline = extendDeadline(before, stamp, this.#clocks(), this.#host.timings())
    this.#stamped(stamp.sentMs)
    if (this.#deadline.untilMs > before.untilMs) {
      this.#restsOnPromises = false
      await this.#host.parts.guard.extend(this.#deadline.untilMs)
    }
    this.#look()
  }

  /** Takes in that everybody who could take over promised at questions sent at `sentMs` not to. Throws `GUARD_LOST`, `DEADLINE_PASSED`. */
  async extendByPromise(sentMs: number): Promise<void> {
    const before = this.#deadline
    const timings = this.#promisedTimings()
    this.#deadline = extendDeadline(before, { incarnation: before.incarnation, sentMs }, this.#clocks(), timings)
    if (this.#deadline.untilMs <= before.untilMs) return
    this.#restsOnPromises = true
    this.#runsOutMs = Math.max(this.#runsOutMs, sentMs + this.promisedExpiryMs())
    await this.#host.parts.guard.extend(this.#deadline.untilMs)
    this.#look()
  }

  /** How long what this host may do by a promise takes to run out, milliseconds: by the present timings, and by those of its last stamp. */
  promisedExpiryMs(): number {
    return Math.max(expiryMs(this.#host.timings()), this.#stampedExpiryMs)
  }

  /** Whether this host acts by promises alone: then nothing new may come to it, as nobody was asked about that. */
  get restsOnPromises(): boolean {
    return this.#restsOnPromises
  }

  /** Until when this host may act as things are; own monotonic clock. */
  get untilMs(): number {
    return Math.min(this.#deadline.untilMs, this.#host.parts.guard.deadlineMs())
  }

  /** Tells whether a step may begin. After a jump of the clocks it waits for the stamp that proves that this host is still a member. */
  async permit(): Promise<Permit> {
    const { signal } = this.#host.life
    while (this.#look() === 'unproved' && !signal.aborted) {
      await new Promise<void>((resolve) => this.#provers.push(resolve))
    }
    if (signal.aborted) return { kind: 'forbidden', message: String(signal.reason) }
    if (this.#look() === 'may-act') return { kind: 'allowed' }
    return { kind: 'forbidden', message: 'the deadline of this host has passed' }
  }

  /** Ends the life when the deadline passes. */
  async watch(): Promise<void> {
    const { effects } = this.#host.parts
    const { signal } = this.#host.life
    while (!signal.aborted) {
      const { stampMs } = this.#host.timings()
      const verdict = this.#look()
      const unprovedMs = effects.nowMonotonicMs() - (this.#unprovedSinceMs ?? effects.nowMonotonicMs())
      // Once this host has left it stands its guard down, and nothing is to be renewed any more. If that hangs, the guard ends it.
      if (this.#host.life.isDeparting) await sleepUntilAborted(effects, stampMs, signal)
      else if (verdict === 'passed') this.#end('its stamp could not be renewed in time')
      else if (unprovedMs > stampMs * PROOF_STAMPS) this.#end('its clock jumped, and no stamp could be committed since')
      else await sleepUntilAborted(effects, Math.min(Math.max(this.#leftMs(), 1), stampMs), signal)
    }
    this.#wakeProvers()
  }

  /** A host that cannot stamp cannot tell which timings it goes by: it takes the shorter guard. */
  #promisedTimings(): { readonly guardMs: number } {
    return { guardMs: Math.min(this.#host.timings().guardMs, this.#stampedGuardMs) }
  }

  #stamped(sentMs: number): void {
    const timings = this.#host.timings()
    this.#lastStampSentMs = sentMs
    this.#stampedGuardMs = timings.guardMs
    this.#stampedExpiryMs = expiryMs(timings)
    this.#allow(sentMs)
  }

  #allow(sentMs: number): void {
    this.#runsOutMs = Math.max(this.#runsOutMs, sentMs + expiryMs(this.#host.timings()))
  }

  #end(why: string): void {
    this.#host.life.end({ kind: 'deadline-passed', why })
  }

  /** The guard has the last word: while it has not taken a new deadline in, its old one counts. */
  #look(): 'may-act' | 'unproved' | 'passed' {
    const { parts } = this.#host
    const now = this.#clocks()
    const timings = this.#host.timings()
    this.#deadline = lookAtClocks(this.#deadline, now, timings)
    const guardUntilMs = parts.guard.deadlineMs()
    if (isPassed(this.#deadline, now)) return 'passed'
    const isProved = mayAct(this.#deadline, now, timings) && guardUntilMs !== Number.NEGATIVE_INFINITY
    if (isProved) {
      this.#unprovedSinceMs = undefined
      this.#wakeProvers()
      return guardUntilMs > now.monotonicMs ? 'may-act' : 'passed'
    }
    if (this.#unprovedSinceMs === undefined && !this.#host.life.isDeparting) {
      parts.log.write({
        level: 'warn',
        message: 'the clock jumped ahead; no step begins before the next stamp is committed',
      })
    }
    this.#unprovedSinceMs ??= now.monotonicMs
    return 'unproved'
  }

  #wakeProvers(): void {
    const provers = this.#provers
    this.#provers = []
    for (const prover of provers) prover()
  }

  #leftMs(): number {
    const now = this.#clocks()
    return Math.min(leftMs(this.#deadline, now), this.#host.parts.guard.deadlineMs() - now.monotonicMs)
  }

  #clocks(): Clocks {
    const { effects } = this.#host.parts
    return {
      monotonicMs: effects.nowMonotonicMs(),
      bootMs: effects.nowBootMs(),
      wallMs: effects.nowWallMs(),
    }
  }
}
