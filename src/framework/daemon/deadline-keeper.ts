import type { Permit } from '../execute/execute-half.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import {
  type CommittedStamp,
  type Deadline,
  extendDeadline,
  leftMs,
  lookAtClocks,
  newDeadline,
} from '../membership/deadline.ts'
import type { Clocks } from '../membership/own-health.ts'
import type { Host } from './host.ts'

/** Knows until when this host may act, tells its guard, and ends this life when the time is over. Only a stamp that was committed extends it. */
export class DeadlineKeeper {
  readonly #host: Host
  #deadline: Deadline
  #provers: (() => void)[] = []
  #lastStampSentMs: number | undefined

  constructor(host: Host) {
    this.#host = host
    this.#deadline = newDeadline(0, this.#clocks())
  }

  /** When the last stamp that was committed was sent; own monotonic clock. */
  get lastStampSentMs(): number | undefined {
    return this.#lastStampSentMs
  }

  /** Begins with the first stamp of a life. Throws `GUARD_LOST`. */
  async begin(stamp: CommittedStamp): Promise<void> {
    const { guard } = this.#host.parts
    const now = this.#clocks()
    this.#deadline = extendDeadline(newDeadline(stamp.incarnation, now), stamp, now, this.#host.timings())
    this.#lastStampSentMs = stamp.sentMs
    await guard.arm(this.#deadline.untilMs)
    await guard.live(stamp.incarnation)
  }

  /** Takes a committed stamp in. Throws `GUARD_LOST`. */
  async extend(stamp: CommittedStamp): Promise<void> {
    const before = this.#deadline
    this.#deadline = extendDeadline(before, stamp, this.#clocks(), this.#host.timings())
    this.#lastStampSentMs = stamp.sentMs
    if (this.#deadline.untilMs > before.untilMs) await this.#host.parts.guard.extend(this.#deadline.untilMs)
    if (this.#deadline.proveAfterMs === undefined) this.#proved()
  }

  /** Tells whether a step may begin. After a jump of the wall clock it waits for the stamp that proves that this host is still a member. */
  async permit(): Promise<Permit> {
    this.#look()
    while (this.#deadline.proveAfterMs !== undefined && !this.#host.life.signal.aborted && this.#leftMs() > 0) {
      await new Promise<void>((resolve) => this.#provers.push(resolve))
    }
    if (this.#host.life.signal.aborted) return { kind: 'forbidden', message: String(this.#host.life.signal.reason) }
    if (this.#leftMs() > 0) return { kind: 'allowed' }
    return { kind: 'forbidden', message: 'the deadline of this host has passed' }
  }

  /** Ends the life when the deadline passes. */
  async watch(): Promise<void> {
    const { effects } = this.#host.parts
    const { signal } = this.#host.life
    while (!signal.aborted) {
      this.#look()
      const left = this.#leftMs()
      const unprovedMs = this.#unprovedMs()
      const { stampMs } = this.#host.timings()
      // Once this host has left it stands its guard down, and nothing is to be renewed any more. If that hangs, the guard ends it.
      if (this.#host.life.isDeparting) await sleepUntilAborted(effects, stampMs, signal)
      else if (left <= 0) this.#end('its stamp could not be renewed in time')
      else if (unprovedMs > stampMs * 2) this.#end('its wall clock jumped, and no stamp could be committed since')
      else await sleepUntilAborted(effects, Math.min(left, stampMs), signal)
    }
    this.#proved()
  }

  #end(why: string): void {
    this.#host.life.end({ kind: 'deadline-passed', why })
  }

  #look(): void {
    const before = this.#deadline.proveAfterMs
    this.#deadline = lookAtClocks(this.#deadline, this.#clocks(), this.#host.timings())
    if (before === this.#deadline.proveAfterMs) return
    this.#host.parts.log.write({
      level: 'warn',
      message: 'the wall clock jumped ahead; no step begins before the next stamp is committed',
    })
  }

  #proved(): void {
    const provers = this.#provers
    this.#provers = []
    for (const prover of provers) prover()
  }

  /** The guard decides in the end: while it has not taken the new deadline in, the old one counts. */
  #leftMs(): number {
    const now = this.#clocks()
    return Math.min(leftMs(this.#deadline, now), this.#host.parts.guard.deadlineMs() - now.monotonicMs)
  }

  #unprovedMs(): number {
    const { proveAfterMs } = this.#deadline
    return proveAfterMs === undefined ? 0 : this.#clocks().monotonicMs - proveAfterMs
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
