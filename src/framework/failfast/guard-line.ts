import { signalProcess } from '../../methods/proc.ts'
import { describeError, HaError } from '../errors/ha-error.ts'
import type { Effects } from '../ports/effects.ts'
import type { Log } from '../ports/log.ts'
import { type GuardPlaces, LineFile } from './guard-files.ts'
import type { GuardAck, GuardOrders, ProcessIdentity } from './guard-orders.ts'
import { conditionOf, type GuardProgram, isSameProcess, pokeGuard, startGuard } from './guard-process.ts'
import { within } from './within.ts'

/** What a line to a guard is made of. */
export interface GuardLineParts extends GuardProgram {
  readonly places: GuardPlaces
  readonly me: ProcessIdentity
  readonly bootId: string
  readonly effects: Effects
  readonly log: Log
}

/** What the files say of the guard of this host, in this boot. */
export interface FoundGuard {
  readonly orders: GuardOrders
  readonly ack: GuardAck | undefined
}

type Times = Pick<GuardOrders, 'deadlineMs' | 'aheadMs' | 'stampMs' | 'guardMs' | 'abortMs' | 'marginMs'>

/** A guard that runs answers within some milliseconds; one that does not in this time is replaced. */
const ANSWER_MS_MAX = 1000
/** Node.js starts in 40 ms, on a machine that has nothing else to do. */
const START_MS_MAX = 5000
/** A guard that was told to end, and does not, is killed after this long. */
const END_MS_MAX = 2000
const LOOK_EVERY_MS = 2

/** The line from clustd to its guard process: writes the orders, hears the answers, replaces a guard that is dead, stopped or deaf. */
export class GuardLine {
  private readonly parts: GuardLineParts
  private readonly file: LineFile<GuardOrders>
  private readonly ackFile: LineFile<GuardAck>
  private orders: GuardOrders | undefined

  constructor(parts: GuardLineParts) {
    this.parts = parts
    this.file = new LineFile(parts.places.orders)
    this.ackFile = new LineFile(parts.places.ack)
  }

  isArmed(): boolean {
    return this.orders?.state === 'armed'
  }

  holdNumber(): number {
    return this.orders?.holdNumber ?? 0
  }

  /** Reads what the clustd before this one (or this one) wrote; undefined when there is nothing, or from another boot. */
  async readFormer(): Promise<FoundGuard | undefined> {
    const orders = await this.file.read()
    if (orders === undefined || orders.bootId !== this.parts.bootId) return undefined
    return { orders, ack: await this.readAck(orders.guard) }
  }

  /** Starts a guard that waits to be armed, in place of the one that is there. Throws `GUARD_LOST`. */
  async prepare(former: FoundGuard | undefined, times: Times): Promise<void> {
    const guard = former?.orders.guard ?? null
    if (guard !== null) signalProcess(guard, 'SIGKILL')
    this.orders = { ...this.ordersAfter(former), ...times, state: 'idle', guard: null }
    await this.start()
  }

  /** Arms the guard that is there, or a new one, and waits for its answer. Throws `GUARD_LOST`. */
  async begin(former: FoundGuard | undefined, times: Times): Promise<void> {
    const guard = former?.orders.guard ?? null
    if (guard !== null && isUsable(former)) {
      this.orders = { ...this.ordersAfter(former), ...times, state: 'armed', guard }
      await this.write({})
      this.poke()
      if (await this.isObeyed(guard, ANSWER_MS_MAX)) return
      this.warn(`the guard (process ${guard.pid}) does not answer and is replaced`)
    }
    await this.prepare(former, times)
    await this.write({ state: 'armed' })
    this.poke()
    if (!(await this.isObeyed(this.orders?.guard ?? null, ANSWER_MS_MAX)))
      throw lost('the guard was started but does not answer')
  }

  /** Writes changed orders. Resolves once the guard can read them. Throws `GUARD_LOST`. */
  async write(change: Partial<GuardOrders>): Promise<void> {
    if (this.orders === undefined) throw lost('the guard is not armed')
    const orders = { ...this.orders, ...change, write: this.orders.write + 1 }
    const { effects } = this.parts
    // A disk that hangs must not keep the loop: the deadline simply passes.
    const ending = await within(effects, effects.nowMonotonicMs() + orders.guardMs, () => this.file.write(orders))
    if (ending.kind === 'done') {
      this.orders = orders
      return
    }
    const why = ending.kind === 'failed' ? describeError(ending.error) : 'the disk does not answer'
    throw lost(`the orders of the guard cannot be written: ${why}`)
  }

  poke(): void {
    if (this.orders?.guard != null) pokeGuard(this.orders.guard)
  }

  /** Makes sure that the guard is alive and looks at its orders; replaces it if not. Throws `GUARD_LOST` when that fails or the guard has fired. */
  async keepAlive(): Promise<void> {
    const { orders } = this
    if (orders?.state !== 'armed') throw lost('the guard is not armed')
    const why = await this.whyUseless(orders)
    if (why === undefined) return
    this.warn(`the guard ${why} and is replaced`)
    if (orders.guard !== null) signalProcess(orders.guard, 'SIGKILL')
    this.orders = { ...orders, guard: null }
    await this.start()
  }

  /** Disarms, for good, and waits until the guard has ended; kills it if it does not. */
  async standDown(): Promise<void> {
    const guard = this.orders?.guard ?? null
    if (this.orders !== undefined) {
      await this.write({ state: 'disarmed' })
      this.poke()
    }
    if (guard !== null && !(await this.eventually(END_MS_MAX, () => conditionOf(guard) === 'gone'))) {
      signalProcess(guard, 'SIGKILL')
    }
    await Promise.all([this.file.close(), this.ackFile.close()])
    this.orders = undefined
  }

  /** What is the same in all orders of this clustd. */
  private ordersAfter(former: FoundGuard | undefined): Omit<GuardOrders, keyof Times | 'state' | 'guard'> {
    const { write = 0, incarnation = 0, holdNumber = 0 } = former?.orders ?? {}
    const { me: clustd, bootId } = this.parts
    const lastWrite = Math.max(write, this.orders?.write ?? 0)
    return { write: lastWrite, incarnation, holdNumber: holdNumber + 1, clustd, bootId, fire: null }
  }

  private async whyUseless({ guard, guardMs }: GuardOrders): Promise<string | undefined> {
    const condition = guard === null ? 'gone' : conditionOf(guard)
    if (condition !== 'running') return `(process ${guard?.pid}) is ${condition}`
    const ack = await this.readAck(guard)
    if (ack === undefined) return undefined // It wrote one before it was armed: this one is being written right now.
    if (ack.state !== 'watching') throw lost('the guard has fired')
    const silentMs = this.parts.effects.nowMonotonicMs() - ack.lookedMs
    return silentMs > guardMs / 2 ? `(process ${guard?.pid}) has not looked for ${Math.round(silentMs)} ms` : undefined
  }

  /** Starts a guard under the present orders, waits until it has read them, and puts it in charge. */
  private async start(): Promise<void> {
    await this.write({ guard: null })
    // Somebody may have removed the file: the new guard makes it anew.
    await this.ackFile.close()
    const guard = startGuard(this.parts, this.parts.places)
    if (guard === undefined || !(await this.isObeyed(guard, START_MS_MAX))) {
      if (guard !== undefined) signalProcess(guard, 'SIGKILL')
      throw lost(`failfastd does not start; ${this.parts.places.log} may say why`)
    }
    await this.write({ guard })
  }

  /** Waits until the guard has read the present orders. Throws `GUARD_LOST` when it has fired. */
  private async isObeyed(guard: ProcessIdentity | null, withinMs: number): Promise<boolean> {
    const write = this.orders?.write ?? 0
    let isObeyed = false
    await this.eventually(withinMs, async () => {
      const isGone = guard === null || conditionOf(guard) === 'gone'
      const ack = await this.readAck(guard)
      if (ack !== undefined && ack.state !== 'watching') throw lost('the guard has fired')
      isObeyed = ack !== undefined && ack.sawWrite >= write && !isGone
      return isObeyed || isGone
    })
    return isObeyed
  }

  private async eventually(withinMs: number, probe: () => boolean | Promise<boolean>): Promise<boolean> {
    const { effects } = this.parts
    const untilMs = effects.nowMonotonicMs() + withinMs
    while (!(await probe())) {
      if (effects.nowMonotonicMs() >= untilMs) return false
      await effects.sleep(LOOK_EVERY_MS)
    }
    return true
  }

  private async readAck(guard: ProcessIdentity | null): Promise<GuardAck | undefined> {
    const ack = await this.ackFile.read()
    return ack !== undefined && guard !== null && isSameProcess(ack.guard, guard) ? ack : undefined
  }

  private warn(message: string): void {
    this.parts.log.write({ level: 'warn', message })
  }
}

/** Whether the guard can be given new orders: it was started, and neither stopped nor fired. */
function isUsable(former: FoundGuard | undefined): boolean {
  if (former === undefined || former.orders.state === 'disarmed' || former.orders.guard === null) return false
  return former.ack?.state === 'watching' && conditionOf(former.orders.guard) === 'running'
}

function lost(why: string): HaError {
  return new HaError('GUARD_LOST', why, {
    hint: 'The host leaves, because nobody would stop it if it hung. Look into var/log/haven/failfastd.log and after the disk of run/haven.',
  })
}
