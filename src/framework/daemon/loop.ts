import type { ApiServices } from '../api/services.ts'
import { describeError, HaError } from '../errors/ha-error.ts'
import { Actor } from './actor.ts'
import { DeadlineKeeper } from './deadline-keeper.ts'
import { Holder } from './holder.ts'
import { Host } from './host.ts'
import { becomeMember, type StartMode } from './join.ts'
import { leaveCluster } from './leave.ts'
import { describeEnding, type Ending, logOfEnding, mustFire } from './life.ts'
import { Observer } from './observer.ts'
import type { HostParts } from './parts.ts'
import { PlannerTrigger } from './planner-trigger.ts'
import { createServices } from './services.ts'
import { Stamper } from './stamper.ts'

/** The daemon's loop of one host, for one life: know, decide, commit, act, show. */
export interface HostLoop {
  /** What the API asks. Usable once `start` has read the database; requests are refused until this host is a member. */
  readonly services: ApiServices
  /** Becomes a member and begins to act. Rejects with why it cannot (`becomeMember` lists the codes); the loop is of no use then. */
  start(mode: StartMode): Promise<void>
  /** Gives everything up and leaves; `ended` follows. Asked again it returns the same, unless the first time failed. `by`: who asked. */
  leave(by: string): Promise<void>
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
  const host = new Host(parts)
  const deadline = new DeadlineKeeper(host)
  const observer = new Observer(host, deadline)
  const stamper = new Stamper(host, deadline, () => void giveUpByForce('the guard does not answer'))
  const tasks: Promise<void>[] = []
  let leaving: Promise<void> | undefined

  const services = createServices({
    host,
    leave: (by) => leave(by),
    stampAges: () => {
      const ages = new Map(observer.stampAges())
      const sentMs = deadline.lastStampSentMs
      return sentMs === undefined ? ages : ages.set(parts.host, parts.effects.nowMonotonicMs() - sentMs)
    },
  })

  const ended = (async (): Promise<Ending> => {
    const ending = await host.life.ended
    parts.log.write(logOfEnding(ending))
    if (mustFire(ending)) await fire(describeEnding(ending))
    await Promise.race([Promise.all(tasks), parts.effects.sleep(END_WAIT_MS)])
    await parts.database.close()
    return ending
  })()

  return { services, start, leave, stop, fail, ended }

  async function start(mode: StartMode): Promise<void> {
    try {
      await host.knowledge.open()
      run(() => host.knowledge.followWatch())
      await becomeMember(host, stamper, mode)
    } catch (error) {
      host.life.end({ kind: 'stopped' })
      throw error
    }
    observer.begin()
    const holder = new Holder(host)
    const actor = new Actor(host, deadline, holder)
    const trigger = new PlannerTrigger(host)
    endWhenEvicted()
    for (const part of [stamper, observer, holder, actor, trigger]) run(() => part.run())
    run(() => deadline.watch())
    run(() => host.knowledge.rereadNowAndThen())
  }

  /** What is thrown out of a part is a bug: this host stops, and the others take over. */
  function run(task: () => Promise<void>): void {
    tasks.push(
      task().catch((error: unknown) => {
        const stack = error instanceof Error ? error.stack : undefined
        parts.log.write({ level: 'error', message: describeError(error), facts: { stack } })
        fail(describeError(error))
      }),
    )
  }

  function endWhenEvicted(): void {
    host.knowledge.listen((touched) => {
      if (!touched.state || host.life.isDeparting || host.ownMember() !== undefined) return
      host.life.end({ kind: 'evicted', why: 'the others gave it up as lost' })
    })
  }

  function leave(by: string): Promise<void> {
    leaving ??= leaveCluster(host, by).catch((error: unknown) => {
      leaving = undefined
      throw error
    })
    return leaving
  }

  /** Without a guard this host may not stay: it leaves while its deadline still allows it. */
  async function giveUpByForce(why: string): Promise<void> {
    parts.log.write({ level: 'error', message: `this host leaves: ${why}` })
    try {
      await leave('')
    } catch (error) {
      fail(`${why}, and it could not leave: ${describeError(error)}`)
    }
  }

  async function stop(): Promise<void> {
    host.life.end({ kind: 'stopped' })
    await ended
  }

  function fail(why: string): void {
    host.life.end({ kind: 'failed', why })
  }

  async function fire(why: string): Promise<void> {
    try {
      await parts.guard.fire(why)
    } catch (error) {
      // The guard has its own deadline, which nobody extends any more: it fires a little later by itself.
      if (!(error instanceof HaError)) throw error
      parts.log.write({ level: 'error', message: `the guard could not be told to fire: ${describeError(error)}` })
    }
  }
}
