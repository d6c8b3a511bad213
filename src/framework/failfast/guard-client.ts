import { readProcess } from '../../methods/proc.ts'
import { hostKey } from '../../methods/scope-names.ts'
import { describeError, HaError } from '../errors/ha-error.ts'
import { type Deadline, extendDeadline, isPassed, lookAtClocks, newDeadline } from '../membership/deadline.ts'
import type { Timings } from '../model/cluster-config.ts'
import type { Leftover } from '../model/step.ts'
import type { FormerLife, Guard, Holding } from '../ports/guard.ts'
import type { Log } from '../ports/log.ts'
import type { AbortHands } from './abort-holdings.ts'
import { abortFormer, lookAtFormer, refuseLiving } from './former-life.ts'
import { guardPlaces, makeGuardPlaces, readBootId } from './guard-files.ts'
import { type FoundGuard, GuardLine } from './guard-line.ts'
import type { ProcessIdentity } from './guard-orders.ts'
import { type GuardProgram, isSameProcess } from './guard-process.ts'
import { HoldingFiles } from './holding-files.ts'
import { endDaemon } from './kill-daemon.ts'
import { readClocks } from './read-clocks.ts'

/** What the daemon's side of the guard is made of. */
export interface GuardClientOptions extends GuardProgram {
  /** The present ones; asked whenever the deadline is extended. */
  readonly timings: () => Timings
  /** For the remains of a former life. */
  readonly hands: AbortHands
  readonly log: Log
}

/** Makes the guard of this process's physical host: starts, finds, arms and replaces failfastd. One per process. */
export function createGuardClient(options: GuardClientOptions): Guard {
  return new GuardClient(options)
}

/** Of a guard that is not armed. */
const NEVER = { deadlineMs: 0, aheadMs: 0 }

class GuardClient implements Guard {
  private readonly options: GuardClientOptions
  private readonly me: ProcessIdentity
  private readonly line: GuardLine
  private readonly files: HoldingFiles
  private readonly bootId = readBootId()
  private deadline: Deadline
  /** What changes the orders runs one after the other. */
  private last: Promise<unknown> = Promise.resolve()
  private isDisarmed = false
  /** The last change of the files that the guard was told of. */
  private toldChange = 0

  constructor(options: GuardClientOptions) {
    const me = readProcess(process.pid)
    if (me === undefined) throw new HaError('GUARD_LOST', 'there is no /proc on this machine')
    const places = guardPlaces(options.root)
    this.options = options
    this.me = { pid: me.pid, startTicks: me.startTicks }
    this.line = new GuardLine({ ...options, places, me: this.me, bootId: this.bootId, effects: options.hands.effects })
    this.files = new HoldingFiles(places)
    this.deadline = newDeadline(0, this.clocks())
  }

  formerLife(): Promise<FormerLife> {
    return this.inTurn(async () => lookAtFormer(await this.line.readFormer(), this.formerParts()))
  }

  abortRemains(): Promise<readonly Leftover[]> {
    return this.inTurn(async () => abortFormer(await this.line.readFormer(), this.formerParts()))
  }

  prepare(): Promise<void> {
    return this.inTurn(async () => this.line.prepare(await this.takeOver(), { ...NEVER, ...this.times() }))
  }

  arm(deadlineMonotonicMs: number): Promise<void> {
    return this.inTurn(async () => {
      const former = await this.takeOver()
      const now = this.clocks()
      this.deadline = newDeadline(former?.orders.incarnation ?? 0, now)
      await this.line.begin(former, {
        deadlineMs: deadlineMonotonicMs,
        aheadMs: this.deadline.aheadMs,
        ...this.times(),
      })
      this.deadline = { ...this.deadline, untilMs: deadlineMonotonicMs }
    })
  }

  live(incarnation: number): Promise<void> {
    return this.inTurn(async () => {
      await this.line.write({ incarnation })
      this.deadline = { ...this.deadline, incarnation }
    })
  }

  extend(deadlineMonotonicMs: number): Promise<void> {
    return this.inTurn(async () => {
      const times = this.times()
      const now = this.clocks()
      this.deadline = lookAtClocks(this.deadline, now, times)
      if (this.deadline.untilMs === Number.NEGATIVE_INFINITY) throw lost('the guard is not armed')
      if (isPassed(this.deadline, now)) {
        throw new HaError('DEADLINE_PASSED', 'the deadline of this host has passed: its guard is stopping everything')
      }
      const { incarnation } = this.deadline
      const sentMs = deadlineMonotonicMs - times.guardMs
      const extended = extendDeadline(this.deadline, { incarnation, sentMs }, now, times)
      if (extended.untilMs === this.deadline.untilMs) return
      await this.line.keepAlive()
      await this.line.write({ deadlineMs: extended.untilMs, aheadMs: extended.aheadMs, ...times })
      this.deadline = extended
    })
  }

  deadlineMs(): number {
    this.deadline = lookAtClocks(this.deadline, this.clocks(), this.options.timings())
    return this.deadline.proveAfterMs === undefined ? this.deadline.untilMs : Number.NEGATIVE_INFINITY
  }

  async hold(holdings: readonly Holding[]): Promise<void> {
    const change = await this.files.hold(holdings)
    // The guard takes them into memory at its next look; if it fires before, it reads the files anew.
    await this.inTurn(async () => {
      if (!this.line.isArmed() || change === this.toldChange) return
      await this.line.write({ holdNumber: this.line.holdNumber() + 1 })
      this.toldChange = change
    })
  }

  disarm(): Promise<void> {
    return this.inTurn(async () => {
      if (this.isDisarmed) return
      this.deadline = newDeadline(this.deadline.incarnation, this.clocks())
      await this.line.standDown()
      await this.files.hold([])
      this.isDisarmed = true
    })
  }

  fire(why: string): Promise<void> {
    return this.inTurn(async () => {
      this.deadline = newDeadline(this.deadline.incarnation, this.clocks())
      await this.line.keepAlive()
      await this.line.write({ fire: why })
      this.line.poke()
    })
  }

  /** Makes the files of the guard this clustd's, and returns what the one before it wrote. Throws `GUARD_LOST`, `CLUSTD_RUNNING`. */
  private async takeOver(): Promise<FoundGuard | undefined> {
    await makeGuardPlaces(guardPlaces(this.options.root)).catch((error: unknown) => {
      throw new HaError('GUARD_LOST', `the directories of the guard cannot be made: ${describeError(error)}`, {
        cause: error,
      })
    })
    const former = await this.line.readFormer()
    // What the clustd before this one had under way must have ended before this one begins anything.
    refuseLiving(former, this.me)
    if (former !== undefined && !isSameProcess(former.orders.clustd, this.me)) {
      await endDaemon(former.orders.clustd, hostKey(this.options), this.options.hands.effects)
    }
    return former
  }

  private formerParts() {
    const { root, hands, log, timings } = this.options
    const places = guardPlaces(root)
    return { root, places, hands, log, me: this.me, bootId: this.bootId, timings, hostKey: hostKey(this.options) }
  }

  private times(): Timings {
    const { stampMs, guardMs, abortMs, marginMs } = this.options.timings()
    return { stampMs, guardMs, abortMs, marginMs }
  }

  private clocks() {
    return readClocks(this.options.hands.effects)
  }

  private inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const mine = this.last.then(work)
    this.last = mine.catch(() => undefined) // Whoever asked is told; the next one has his own try.
    return mine
  }
}

function lost(why: string): HaError {
  return new HaError('GUARD_LOST', why)
}
