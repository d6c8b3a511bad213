import { isAlive } from '../../methods/proc.ts'
import { assertNever } from '../errors/assert-never.ts'
import { describeError } from '../errors/ha-error.ts'
import { leftMs } from '../membership/deadline.ts'
import type { Holding } from '../ports/guard.ts'
import { type AbortHands, abortHoldings } from './abort-holdings.ts'
import { decideGuard, type GuardMemory, newGuardMemory } from './guard-decision.ts'
import { type GuardPlaces, LineFile, readHoldings, removeHolding } from './guard-files.ts'
import type { GuardAck, GuardOrders, ProcessIdentity } from './guard-orders.ts'
import { writeGuardReport } from './guard-reports.ts'
import { endDaemon } from './kill-daemon.ts'
import { readClocks } from './read-clocks.ts'
import { within } from './within.ts'

/** What a guard process is made of. */
export interface GuardWatchParts {
  readonly root: string
  readonly places: GuardPlaces
  /** Begins the tags of this host's processes. */
  readonly hostKey: string
  readonly me: ProcessIdentity
  readonly bootId: string
  readonly hands: AbortHands
  /** Runs the command that reboots this machine; undefined: it is not rebooted. */
  readonly reboot: (() => void) | undefined
  readonly log: (sentence: string) => void
}

/** A look at the orders takes at most this long while there is time, ... */
const READ_MS_MAX = 250
/** ... and this long at the deadline: a dead disk must not keep the guard from firing. */
const READ_MS_MIN = 20
/** For each of the small files of the end, which matter to nobody's safety. */
const NOTE_MS = 1000
/** What will not be exported within this time is left for the next clustd, or for the operator. */
const FORCE_MS = 10_000

/** The loop of failfastd: looks at its orders, waits, fires. */
export class GuardWatch {
  private readonly parts: GuardWatchParts
  private readonly ackFile: LineFile<GuardAck>
  private readonly ordersFile: LineFile<GuardOrders>
  private memory: GuardMemory
  /** The last good ones, in memory: when the guard fires, the disk may be gone. */
  private holdings: readonly Holding[] = []
  private holdNumber = -1
  private waiting = new AbortController()
  private reading: Promise<GuardOrders | undefined> | undefined
  private acking: Promise<void> | undefined
  private isTold = false

  constructor(parts: GuardWatchParts) {
    this.parts = parts
    this.ackFile = new LineFile(parts.places.ack)
    this.ordersFile = new LineFile(parts.places.orders)
    this.memory = newGuardMemory(parts.me, parts.bootId, readClocks(parts.hands.effects))
  }

  /** Makes it look at once. */
  poke(): void {
    this.waiting.abort()
  }

  /** Ends it, unless it is armed: who is armed hears of nothing but its orders. */
  tellToEnd(): void {
    this.isTold = true
    this.poke()
  }

  /** Resolves when there is nothing to guard any more: disarmed, replaced, or fired and done. */
  async run(): Promise<void> {
    for (;;) {
      this.waiting = new AbortController()
      const orders = await this.readOrders()
      const isClustdAlive = orders?.state !== 'idle' || isAlive(orders.clustd)
      const clocks = readClocks(this.parts.hands.effects)
      const { decision, memory } = decideGuard(this.memory, { orders, clocks, isClustdAlive })
      this.memory = memory
      switch (decision.kind) {
        case 'fire':
          return this.fire(decision.why)
        case 'end':
          return this.end(decision.why)
        case 'wait': {
          if (this.isTold && memory.orders?.state !== 'armed') return this.end('told to')
          await this.learnHoldings()
          this.acknowledge('watching', clocks.monotonicMs)
          await this.waitUntil(decision.untilMs)
          break
        }
        default:
          assertNever(decision)
      }
    }
  }

  /** Undefined when there are none, or when the disk does not answer in time: then the read goes on, and the next look takes its result. */
  private async readOrders(): Promise<GuardOrders | undefined> {
    this.reading ??= this.ordersFile.read().finally(() => {
      this.reading = undefined
    })
    const { reading } = this
    const { effects } = this.parts.hands
    const boundMs = Math.min(READ_MS_MAX, Math.max(READ_MS_MIN, this.leftMs()))
    const ending = await within(effects, effects.nowMonotonicMs() + boundMs, () => reading)
    return ending.kind === 'done' ? ending.value : undefined
  }

  private leftMs(): number {
    const { orders } = this.memory
    if (orders?.state !== 'armed') return Number.POSITIVE_INFINITY
    const clocks = readClocks(this.parts.hands.effects)
    return leftMs({ untilMs: orders.deadlineMs, aheadMs: orders.aheadMs }, clocks)
  }

  /** Takes the holdings into memory when the orders say that they have changed. */
  private async learnHoldings(): Promise<void> {
    const { orders } = this.memory
    if (orders === undefined || orders.holdNumber === this.holdNumber) return
    if (await this.readHoldings(Math.max(READ_MS_MIN, Math.min(READ_MS_MAX, this.leftMs())))) {
      this.holdNumber = orders.holdNumber
    }
  }

  private async readHoldings(boundMs: number): Promise<boolean> {
    const { places, hands } = this.parts
    const untilMs = hands.effects.nowMonotonicMs() + boundMs
    const ending = await within(hands.effects, untilMs, () => readHoldings(places, this.holdings))
    if (ending.kind === 'done') this.holdings = ending.value
    return ending.kind === 'done'
  }

  /** Not waited for: what clustd reads there is a courtesy, and a disk that is full or hangs must not keep the guard. */
  private acknowledge(state: GuardAck['state'], lookedMs: number): void {
    const { me: guard, bootId } = this.parts
    const ack = { bootId, guard, state, lookedMs, sawWrite: this.memory.orders?.write ?? 0 }
    // One at a time; the one that is left out is followed by another, the last two states excepted: they wait their turn.
    if (this.acking !== undefined && state === 'watching') return
    const acking = (this.acking ?? Promise.resolve())
      .then(() => this.ackFile.write(ack))
      .catch((error: unknown) => this.parts.log(`cannot write ${this.parts.places.ack}: ${describeError(error)}`))
      .finally(() => {
        if (this.acking === acking) this.acking = undefined
      })
    this.acking = acking
  }

  private async waitUntil(untilMs: number): Promise<void> {
    const { effects } = this.parts.hands
    const forMs = Math.max(0, untilMs - effects.nowMonotonicMs())
    await effects.sleep(forMs, this.waiting.signal).catch(() => undefined) // Poked: look at once.
  }

  private async end(why: string): Promise<void> {
    this.parts.log(`ends: ${why}`)
    this.acknowledge('done', this.memory.seen.monotonicMs)
    await this.settle(() => this.acking ?? Promise.resolve())
  }

  private async fire(why: string): Promise<void> {
    const { hands, hostKey, log, reboot } = this.parts
    const { orders } = this.memory
    if (orders === undefined) throw new TypeError('a guard without orders cannot fire')
    const now = hands.effects.nowMonotonicMs()
    // Late already? Then the others are as near to taking over: the methods have what is left of their time.
    const methodsEndMs = now + Math.min(0, this.leftMs()) + orders.abortMs
    this.acknowledge('fired', now)
    log(`fires: ${why}`)
    const killed = await endDaemon(orders.clustd, hostKey, hands.effects)
    // clustd is dead: what it wrote last, perhaps a moment ago, is what there is to stop.
    await this.readHoldings(READ_MS_MIN)
    const aborting = abortHoldings(this.holdings, { why, methodsEndMs, forceMs: FORCE_MS }, hands)
    if (reboot !== undefined) await this.rebootAfter(aborting, methodsEndMs + orders.marginMs / 2, reboot)
    const { report, released } = await aborting
    const whole = { ...report, stopped: [...killed, ...report.stopped] }
    for (const line of [...whole.stopped, ...whole.leftovers.map((left) => `LEFT: ${left}`)]) log(line)
    await this.settle(() => writeGuardReport(this.parts.root, whole))
    await this.settle(() => Promise.all(released.map((host) => removeHolding(this.parts.places, host))))
    await this.end(`fired, ${report.leftovers.length} left over, ${report.tookMs} ms`)
  }

  /** Where it is configured the machine is rebooted in any case, at the latest before the others may take over. */
  private async rebootAfter(aborting: Promise<unknown>, latestMs: number, reboot: () => void): Promise<void> {
    await within(this.parts.hands.effects, latestMs, () => aborting)
    this.parts.log('reboots this machine')
    reboot()
  }

  private async settle(note: () => Promise<unknown>): Promise<void> {
    const { effects } = this.parts.hands
    const ending = await within(effects, effects.nowMonotonicMs() + NOTE_MS, note)
    if (ending.kind !== 'done') this.parts.log('could not write down what it did')
  }
}
