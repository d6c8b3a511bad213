import type { DatabaseAway } from '../api/services.ts'
import { HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import {
  beginRound,
  givePromise,
  hostsToAsk,
  mayPromise,
  NO_PROMISES,
  type Promises,
  promisedSinceMs,
  promisedUntilMs,
  type Round,
  takePromise,
} from '../membership/promises.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { PeerMessage } from '../ports/peers.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import type { Host } from './host.ts'

/** A stamp that is so many intervals old was not renewed in time: one until the next, half for the commit. */
const LATE_STAMPS = 1.5
/** Questions are asked so many times in a stamp interval: some may be lost. */
const ROUNDS_PER_STAMP = 4

type Question = Extract<PeerMessage, { kind: 'ask-promise' }>
type Answer = Extract<PeerMessage, { kind: 'promise' }>

/**
 * Lets services run on while the cluster database is away: asks the others to take nothing over from this host, and gives them the same word. What a
 * promise is worth is decided in `membership/promises.ts`.
 */
export class Promiser {
  readonly #host: Host
  readonly #deadline: DeadlineKeeper
  #promises: Promises = NO_PROMISES
  #rounds: readonly Round[] = []
  /** Who has refused since this host began to ask; for people. */
  #refusals = new Set<PhysicalHostName>()
  #isAsking = false

  constructor(host: Host, deadline: DeadlineKeeper) {
    this.#host = host
    this.#deadline = deadline
  }

  /** Until when (own monotonic clock) this host takes nothing over from those of the hosts that are no members any more; undefined = it may. */
  heldBackUntilMs(hosts: readonly PhysicalHostName[]): number | undefined {
    const { members } = this.#host.state()
    // One that is a member again has cleaned up after the life that the promise was given to.
    const gone = hosts.filter((host) => !members.has(host))
    return promisedUntilMs(this.#promises, gone, this.#nowMs())
  }

  /** Whether the host asked this one a moment ago, and so lives: it is not given up for stamps that it cannot write. */
  isVouchedFor(host: PhysicalHostName): boolean {
    return promisedUntilMs(this.#promises, [host], this.#nowMs()) !== undefined
  }

  /** Tells since when the database takes no stamps of this host; undefined while it does. */
  databaseAway(): DatabaseAway | undefined {
    const { lastStampSentMs, untilMs } = this.#deadline
    if (lastStampSentMs === undefined || !this.#isLate()) return undefined
    const nowMs = this.#nowMs()
    const promisedBy = [...hostsToAsk(this.#host.state(), this.#host.parts.host)]
    return { awayForMs: nowMs - lastStampSentMs, actsForMs: Math.max(0, untilMs - nowMs), promisedBy }
  }

  /** Answers questions from now on, and asks whenever the stamp of this host is late, until the life ends. */
  async run(): Promise<void> {
    const { parts, life } = this.#host
    parts.peers.listen((from, message) => this.#hear(from, message))
    while (!life.signal.aborted) {
      const { stampMs } = this.#host.timings()
      if (this.#isLate()) await this.#ask()
      else this.#forgetRounds()
      await sleepUntilAborted(parts.effects, stampMs / ROUNDS_PER_STAMP, life.signal)
    }
  }

  #isLate(): boolean {
    const { lastStampSentMs } = this.#deadline
    if (lastStampSentMs === undefined || this.#host.life.isDeparting) return false
    return this.#nowMs() - lastStampSentMs > this.#host.timings().stampMs * LATE_STAMPS
  }

  async #ask(): Promise<void> {
    const { parts, incarnation } = this.#host
    const state = this.#host.state()
    const toAsk = hostsToAsk(state, parts.host)
    if (!this.#isAsking) this.#tellAsking(toAsk)
    this.#rounds = beginRound(this.#rounds, this.#nowMs())
    const round = this.#rounds.at(-1)?.round ?? 0
    const question: Question = { kind: 'ask-promise', incarnation, round, expiryMs: this.#deadline.promisedExpiryMs() }
    // Members that are no possible masters are asked as well: who has given its word does not give this host up for lost.
    const others = new Set([...toAsk, ...state.members.keys()])
    others.delete(parts.host)
    for (const host of others) parts.peers.send(host, question)
    // Nobody has to promise anything when nothing is held.
    if (toAsk.size === 0) await this.#extend()
  }

  #tellAsking(toAsk: ReadonlySet<PhysicalHostName>): void {
    this.#isAsking = true
    const asked = toAsk.size === 0 ? 'holds nothing that another host could take over' : `asks ${[...toAsk].join(', ')}`
    this.#host.parts.log.write({
      level: 'warn',
      message: `the cluster database does not take this host's stamps; it ${asked} and goes on as long as all of them promise to take nothing over`,
    })
  }

  #forgetRounds(): void {
    if (this.#isAsking) {
      this.#host.parts.log.write({ level: 'info', message: 'the cluster database takes stamps again' })
      this.#isAsking = false
    }
    this.#rounds = this.#rounds.slice(-1).map((last) => ({ ...last, given: new Set() }))
    this.#refusals = new Set()
  }

  #hear(from: PhysicalHostName, message: PeerMessage): void {
    if (this.#host.life.signal.aborted) return
    if (message.kind === 'ask-promise') this.#answer(from, message)
    else if (message.kind === 'promise') void this.#takeAnswer(from, message)
  }

  #answer(from: PhysicalHostName, { incarnation, round, expiryMs: theirExpiryMs }: Question): void {
    const { parts } = this.#host
    // Only a member can give its word: one that is not would wait one expiry after joining, and needs no word.
    if (this.#host.ownMember() === undefined || this.#host.life.isDeparting) return
    const question = { from, incarnation, expiryMs: theirExpiryMs }
    const isGiven = mayPromise(this.#host.state(), question)
    if (isGiven) this.#promises = givePromise(this.#promises, question, this.#nowMs(), this.#host.timings())
    parts.peers.send(from, { kind: 'promise', incarnation: this.#host.incarnation, round, isGiven })
  }

  async #takeAnswer(from: PhysicalHostName, { round, isGiven }: Answer): Promise<void> {
    if (!isGiven) return this.#tellRefusal(from)
    this.#rounds = takePromise(this.#rounds, from, round)
    await this.#extend()
  }

  #tellRefusal(from: PhysicalHostName): void {
    if (this.#refusals.has(from) || !this.#isAsking) return
    this.#refusals.add(from)
    const message = `${from} does not promise to take nothing over: to it, this host is no member any more`
    this.#host.parts.log.write({ level: 'warn', message })
  }

  /** Who has to promise is asked now, not when the round began: what came to this host since is part of it. */
  async #extend(): Promise<void> {
    const { parts, life } = this.#host
    if (!this.#isLate()) return
    const sinceMs = promisedSinceMs(this.#rounds, hostsToAsk(this.#host.state(), parts.host))
    if (sinceMs === undefined || life.signal.aborted) return
    try {
      await this.#deadline.extendByPromise(sinceMs)
    } catch (error) {
      // The guard has fired, or cannot be reached: the deadline stands as it is, and whoever watches it ends this life.
      if (!(error instanceof HaError)) throw error
    }
  }

  #nowMs(): number {
    return this.#host.parts.effects.nowMonotonicMs()
  }
}
