import type { ApiServices, StillTakenOn } from '../api/services.ts'
import { describeError, HaError } from '../errors/ha-error.ts'
import type { PhysicalHostName } from '../model/names.ts'
import { Actor } from './actor.ts'
import { AdmissionBook } from './admission/book.ts'
import { BackupGroups } from './backup-groups.ts'
import { DeadlineKeeper } from './deadline-keeper.ts'
import { Fencing } from './fencing.ts'
import { Holder } from './holder.ts'
import { Host } from './host.ts'
import { becomeMember, type StartWish } from './join.ts'
import { leaveCluster } from './leave.ts'
import { describeEnding, type Ending, logOfEnding, mustFire } from './life.ts'
import { NetworkWatch } from './network-watch.ts'
import { Observer } from './observer.ts'
import type { HostParts } from './parts.ts'
import { PlannerTrigger } from './planner-trigger.ts'
import { ProgramWatch } from './program-watch.ts'
import { Promiser } from './promiser.ts'
import { ReservationWatch } from './reservation-watch.ts'
import { createServices } from './services.ts'
import { Stamper } from './stamper.ts'

/** The daemon's loop of one host, for one life: know, decide, commit, act, show. */
export interface HostLoop {
  /** What the API asks. Usable once `start` has read the database; requests are refused until this host is a member. */
  readonly services: ApiServices
  /** Who belongs to the cluster. Usable as `services` are. */
  readonly book: AdmissionBook
  /** Becomes a member and begins to act. Rejects with why it cannot (`becomeMember` lists the codes); the loop is of no use then. */
  start(mode: StartWish): Promise<void>
  /** Gives everything up and leaves; `ended` follows. Asked again it returns the same, unless the first time failed. `by`: who asked. */
  leave(by: string): Promise<readonly StillTakenOn[]>
  /** Ends everything at once, gives nothing up, tells nobody: what a crash of the daemon is, for tests. The guard is left alone. */
  stop(): Promise<void>
  /** Ends this life although it may still hold something: the guard is fired. */
  fail(why: string): void
  /** Resolves with how this life ended, when the guard (if it must act) has been told and nothing of the loop runs any more. */
  readonly ended: Promise<Ending>
}

/** Whatever still waits for a database that does not answer is left behind after this long. */
const END_WAIT_MS = 1_000

/** Makes the loop of one host out of its parts. Nothing happens before `start`. */
export function createHostLoop(parts: HostParts): HostLoop {
  return new Loop(parts)
}

class Loop implements HostLoop {
  readonly services: ApiServices
  readonly book: AdmissionBook
  readonly ended: Promise<Ending>
  readonly #parts: HostParts
  readonly #host: Host
  readonly #deadline: DeadlineKeeper
  readonly #promiser: Promiser
  readonly #observer: Observer
  readonly #stamper: Stamper
  readonly #fencing: Fencing
  readonly #groups: BackupGroups
  readonly #networks: NetworkWatch
  readonly #tasks: Promise<void>[] = []
  #leaving: Promise<readonly StillTakenOn[]> | undefined

  constructor(parts: HostParts) {
    this.#parts = parts
    this.#host = new Host(parts)
    this.#deadline = new DeadlineKeeper(this.#host)
    this.#promiser = new Promiser(this.#host, this.#deadline)
    this.#observer = new Observer(this.#host, this.#deadline, this.#promiser)
    this.#stamper = new Stamper(this.#host, this.#deadline, () => void this.#leaveUnguarded())
    this.#fencing = new Fencing(this.#host, this.#deadline, this.#observer, this.#stamper)
    this.#groups = new BackupGroups(this.#host, this.#deadline, () => this.#observer.stampAges())
    this.#networks = new NetworkWatch(this.#host, {
      groups: () => this.#groups.groups(),
      onGroupsChange: (listener) => this.#groups.onChange(listener),
      stampAges: () => this.#observer.stampAges(),
    })
    this.services = createServices({
      host: this.#host,
      leave: (by) => this.leave(by),
      networks: () => this.#networks.verdicts(),
      groups: this.#groups,
      fencing: this.#fencing,
      stampAges: () => this.#stampAges(),
      databaseAway: () => this.#promiser.databaseAway(),
    })
    this.book = new AdmissionBook(this.#host)
    this.ended = this.#end()
  }

  async start(mode: StartWish): Promise<void> {
    const { knowledge, life } = this.#host
    try {
      await knowledge.open()
      this.#run(() => knowledge.followWatch())
      await becomeMember(this.#host, this.#stamper, mode)
    } catch (error) {
      life.end({ kind: 'stopped' })
      throw error
    }
    this.#observer.begin()
    const holder = new Holder(this.#host)
    const actor = new Actor(this.#host, this.#deadline, holder, this.#promiser)
    const trigger = new PlannerTrigger(this.#host)
    const programs = new ProgramWatch(this.#host)
    this.#endWhenEvicted()
    for (const part of [this.#stamper, this.#promiser, this.#observer, holder, actor, trigger, programs, this.#groups])
      this.#run(() => part.run())
    this.#run(() => new ReservationWatch(this.#host, this.#deadline).run())
    this.#run(() => this.#networks.run())
    this.#run(() => this.#fencing.run())
    this.#run(() => this.#deadline.watch())
    this.#run(() => knowledge.rereadNowAndThen())
  }

  leave(by: string): Promise<readonly StillTakenOn[]> {
    this.#leaving ??= leaveCluster(this.#host, by).catch((error: unknown) => {
      this.#leaving = undefined
      throw error
    })
    return this.#leaving
  }

  async stop(): Promise<void> {
    this.#host.life.end({ kind: 'stopped' })
    await this.ended
  }

  fail(why: string): void {
    this.#host.life.end({ kind: 'failed', why })
  }

  async #end(): Promise<Ending> {
    const { log, effects, database, peers } = this.#parts
    const ending = await this.#host.life.ended
    log.write(logOfEnding(ending))
    if (mustFire(ending)) await this.#fire(describeEnding(ending))
    await Promise.race([Promise.all(this.#tasks), effects.sleep(END_WAIT_MS)])
    await Promise.all([database.close(), peers.close()])
    return ending
  }

  /** What is thrown out of a part is a bug: this host stops, and the others take over. */
  #run(task: () => Promise<void>): void {
    this.#tasks.push(
      task().catch((error: unknown) => {
        const stack = error instanceof Error ? error.stack : undefined
        this.#parts.log.write({ level: 'error', message: describeError(error), facts: { stack } })
        this.fail(describeError(error))
      }),
    )
  }

  #endWhenEvicted(): void {
    const { knowledge, life } = this.#host
    knowledge.listen((touched) => {
      if (!touched.state || life.isDeparting || this.#host.ownMember() !== undefined) return
      life.end({ kind: 'evicted', why: 'the others gave it up as lost' })
    })
  }

  /** Without a guard this host may not stay: it leaves while its deadline still allows it. */
  async #leaveUnguarded(): Promise<void> {
    const why = 'its guard does not answer'
    this.#parts.log.write({ level: 'error', message: `this host leaves: ${why}` })
    try {
      await this.leave('')
    } catch (error) {
      this.fail(`${why}, and it could not leave: ${describeError(error)}`)
    }
  }

  async #fire(why: string): Promise<void> {
    try {
      await this.#parts.guard.fire(why)
    } catch (error) {
      // The guard has its own deadline, which nobody extends any more: it fires a little later by itself.
      if (!(error instanceof HaError)) throw error
      const message = `the guard could not be told to fire: ${describeError(error)}`
      this.#parts.log.write({ level: 'error', message })
    }
  }

  #stampAges(): ReadonlyMap<PhysicalHostName, number> {
    const ages = new Map(this.#observer.stampAges())
    const sentMs = this.#deadline.lastStampSentMs
    if (sentMs === undefined) return ages
    return ages.set(this.#parts.host, this.#parts.effects.nowMonotonicMs() - sentMs)
  }
}
