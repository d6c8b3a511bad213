import { AssertionError } from 'node:assert/strict'
import { ERROR_CODES } from '../errors/codes.ts'
import { describeError, HaError } from '../errors/ha-error.ts'
import type { HalfCommitted } from '../execute/commit-half.ts'
import { executeHalf, type HalfContext, type Permit } from '../execute/execute-half.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import { Served } from '../execute/served.ts'
import { isProvedOff } from '../membership/fencing.ts'
import { mayTakeOnUncleanFrom, takeOnUncleanFromMs } from '../membership/join-wait.ts'
import { actorOf } from '../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { HalfKind } from '../model/step.ts'
import type { HalfRun, Progress } from '../model/timeline.ts'
import { type Due, dueHalves } from '../plan/due-halves.ts'
import { mountPointOf } from '../plan/steps.ts'
import { putProgress, toWrite } from '../records/encode.ts'
import { keyOf } from '../records/keys.ts'
import { Bell } from './bell.ts'
import type { DeadlineKeeper } from './deadline-keeper.ts'
import type { Holder } from './holder.ts'
import type { Host } from './host.ts'
import type { Promiser } from './promiser.ts'
import { ServiceLocks } from './service-locks.ts'

/** A half whose end could not be committed, or that was forbidden although it is due, is not begun again at once. */
const AGAIN_AFTER_MS = 500

/** A half that is being executed. */
interface Running {
  readonly kind: HalfKind
  readonly ender: AbortController
}

/** Executes what is due on this host: logical hosts in parallel, within bounds; the halves of one logical host in turn. */
export class Actor {
  readonly #host: Host
  readonly #deadline: DeadlineKeeper
  readonly #holder: Holder
  readonly #promiser: Promiser
  readonly #locks = new ServiceLocks()
  readonly #bell = new Bell()
  readonly #running = new Map<LogicalHostName, Running>()
  readonly #served: Served
  #isWaiting = false

  constructor(host: Host, deadline: DeadlineKeeper, holder: Holder, promiser: Promiser) {
    this.#host = host
    this.#promiser = promiser
    this.#deadline = deadline
    this.#holder = holder
    this.#served = new Served(host.state(), host.parts.host)
    host.knowledge.listen((touched) => {
      if (touched.state) this.#bell.ring()
    })
  }

  /** Begins whatever becomes due, until the life ends. */
  async run(): Promise<void> {
    const { signal } = this.#host.life
    this.#bell.ring()
    for (;;) {
      await this.#bell.heard(signal)
      if (signal.aborted) return
      if (this.#isInMotion()) this.#host.parts.expectCalls?.()
      for (const due of this.#startable()) this.#start(due)
    }
  }

  /** Whether a logical host is coming to this host, or changes on it. */
  #isInMotion(): boolean {
    const { host } = this.#host.parts
    return [...this.#host.state().states.values()].some(({ mastery }) => {
      if (mastery.kind === 'mastered' || mastery.kind === 'stuck') return false
      const heir =
        mastery.kind === 'givingUp' && mastery.destination.kind === 'to' ? mastery.destination.host : undefined
      return heir === host || actorOf(mastery) === host
    })
  }

  #startable(): readonly Due[] {
    const { view, parts } = this.#host
    const state = this.#host.state()
    const movesMax = state.cluster.budgets.parallelMovesMax
    let moves = [...this.#running.values()].filter(({ kind }) => !isWatch(kind)).length
    let watches = this.#running.size - moves
    const seen = new Set<LogicalHostName>()
    const startable: Due[] = []
    const all = dueHalves(state, view.reconfigurations(), parts.host, (...half) => this.#isDone(...half))
    for (const due of all) {
      const { logicalHost, kind } = due.half
      // Halves of one logical host come in order: only its first one may begin.
      if (seen.has(logicalHost)) continue
      seen.add(logicalHost)
      const running = this.#running.get(logicalHost)
      if (running !== undefined) {
        // Nobody waits for a fault monitor that takes its time to start: what is due instead cuts it short.
        if (running.kind === 'watch-start' && kind !== 'watch-start') running.ender.abort('its logical host moves on')
        continue
      }
      if ((isWatch(kind) ? watches : moves) >= movesMax || this.#mustWait(due)) continue
      if (isWatch(kind)) watches += 1
      else moves += 1
      startable.push(due)
    }
    return startable
  }

  /** Watch halves are run by each life of the host anew. */
  #isDone(reconfiguration: number, logicalHost: LogicalHostName, kind: HalfKind): boolean {
    const { view, parts, incarnation } = this.#host
    const run = view.halfRuns().get({ reconfiguration, logicalHost, host: parts.host, kind })
    return run !== undefined && (!isWatch(kind) || run.incarnation === incarnation)
  }

  /**
   * A member that has just joined lets one expiry pass before it takes on what a lost host may still hold; who has promised a host to take nothing over
   * keeps its word; and nothing comes to a host that acts by promises alone, because nobody was asked about that.
   */
  #mustWait({ half }: Due): boolean {
    const { parts, joinedAtMs, life } = this.#host
    const at = this.#host.state().states.get(half.logicalHost)
    if (half.kind !== 'take-on' || at?.mastery.kind !== 'takingOn') return false
    const now = parts.effects.nowMonotonicMs()
    const timings = this.#host.timings()
    // Of a host that was proved off since nothing has to run out.
    const others = at.mastery.uncleanOn.filter((host) => host !== parts.host && !this.#isProvedOff(host))
    const joinedMs = takeOnUncleanFromMs(joinedAtMs, timings)
    const untilMs = Math.max(
      others.length === 0 || mayTakeOnUncleanFrom(joinedAtMs, now, timings) ? 0 : joinedMs,
      this.#promiser.heldBackUntilMs(others) ?? 0,
      this.#deadline.restsOnPromises ? now + timings.stampMs : 0,
    )
    if (untilMs < now) return false
    if (this.#isWaiting) return true
    this.#isWaiting = true
    const waitMs = Math.max(0, untilMs - now) + 1
    void sleepUntilAborted(parts.effects, waitMs, life.signal).then(() => {
      this.#isWaiting = false
      this.#bell.ring()
    })
    return true
  }

  #isProvedOff(host: PhysicalHostName): boolean {
    const { fencing } = this.#host.view
    return isProvedOff(fencing.fences().get(host), fencing.rejoins().get(host)?.lostIncarnation)
  }

  #start(due: Due): void {
    const { logicalHost, kind } = due.half
    const ender = new AbortController()
    this.#running.set(logicalHost, { kind, ender })
    void this.#execute(due, AbortSignal.any([this.#host.life.signal, ender.signal]))
      .catch((error: unknown) => this.#failed(error))
      .then(() => {
        this.#running.delete(logicalHost)
        this.#bell.ring()
      })
  }

  /** A bug, as nothing that was expected is thrown this far: the host stops, and the others take over. */
  #failed(error: unknown): void {
    this.#host.life.end({ kind: 'failed', why: describeError(error) })
  }

  async #execute(due: Due, signal: AbortSignal): Promise<void> {
    const { half, reconfiguration } = due
    if (half.kind === 'take-on' || half.kind === 'adjust') {
      try {
        await this.#holder.cover(half.logicalHost, reconfiguration)
      } catch (error) {
        this.#warn(due, `the guard does not take the logical host in: ${describeError(error)}`)
        return await this.#pause()
      }
    }
    const progress = new ProgressWriter(this.#host)
    const run = await executeHalf(due, this.#host.parts.hands, this.#contextOf(due, progress, signal))
    await progress.settled()
    if (signal.aborted) return
    this.#log(due, run)
    await this.#commit(due, run)
  }

  async #commit(due: Due, run: HalfRun): Promise<void> {
    const { life } = this.#host
    while (!life.signal.aborted) {
      try {
        return await this.#committed(due, run, await this.#host.commitHalf(due, run))
      } catch (error) {
        if (error instanceof AssertionError || !(error instanceof HaError)) throw error
        this.#warn(due, `the end of ${due.half.kind} is not committed: ${describeError(error)}`)
        await this.#pause()
        if (!ERROR_CODES[error.code].retryable) return
      }
    }
  }

  async #committed(due: Due, { outcome }: HalfRun, committed: HalfCommitted): Promise<void> {
    if (committed.kind === 'abort-host') {
      this.#host.life.end({ kind: 'failed', why: committed.message })
      return
    }
    // A half that was overtaken is no longer due; one that still is would begin again at once, and perhaps end like this again.
    if (committed.kind === 'dropped' && this.#isCurrent(due)) await this.#pause()
    const { half } = due
    if (half.kind === 'give-up' && outcome.kind === 'done') this.#served.forget(half.logicalHost)
  }

  async #pause(): Promise<void> {
    await sleepUntilAborted(this.#host.parts.effects, AGAIN_AFTER_MS, this.#host.life.signal)
  }

  #contextOf(due: Due, progress: ProgressWriter, signal: AbortSignal): HalfContext {
    const { parts, incarnation } = this.#host
    return {
      effects: parts.effects,
      incarnation,
      served: this.#served,
      permit: () => this.#permit(due),
      state: () => this.#host.state(),
      diskGroup: (name) => {
        const state = this.#host.state()
        const diskGroup = state.diskGroups.get(name)
        const logicalHost = state.logicalHosts.get(due.half.logicalHost)
        if (diskGroup === undefined || logicalHost === undefined) return undefined
        return { diskGroup, mountPoint: mountPointOf(logicalHost, name) }
      },
      lock: (service, signal) => this.#locks.lock(service, signal),
      onProgress: (made) => progress.write(made),
      signal,
    }
  }

  /** The deadline is ahead, and the half is what its logical host calls for: main halves by generation, monitors by their plan. */
  async #permit(due: Due): Promise<Permit> {
    const permit = await this.#deadline.permit()
    if (permit.kind === 'forbidden' || this.#isCurrent(due)) return permit
    const { half } = due
    return { kind: 'forbidden', message: `${half.logicalHost} has moved on since this ${half.kind} half was planned` }
  }

  #isCurrent({ half, generation, reconfiguration }: Due): boolean {
    const at = this.#host.state().states.get(half.logicalHost)
    switch (half.kind) {
      case 'watch-stop':
        // Monitors are stopped for every plan that says so, also for one that was overtaken.
        return this.#host.view.reconfigurations().has(reconfiguration)
      case 'watch-start':
        return at?.reconfiguration === reconfiguration && at.mastery.kind === 'mastered'
      default:
        return at?.generation === generation
    }
  }

  #log({ half, reconfiguration }: Due, run: HalfRun): void {
    const { logicalHost, kind } = half
    const failed = run.steps.filter(({ outcome }) => outcome === 'failed' || outcome === 'timed-out')
    const isDone = run.outcome.kind === 'done'
    this.#host.parts.log.write({
      level: isDone && failed.length === 0 ? 'info' : 'warn',
      reconfiguration,
      logicalHost,
      message: `${kind} of ${logicalHost} ${run.outcome.kind} after ${Math.round(run.durationMs)} ms`,
      ...(failed.length === 0 ? {} : { facts: { failed: failed.map(({ message }) => message) } }),
    })
  }

  #warn({ half, reconfiguration }: Due, message: string): void {
    this.#host.parts.log.write({ level: 'warn', reconfiguration, logicalHost: half.logicalHost, message })
  }
}

/** Writes the progress of one half, one commit at a time; the newest one wins. */
class ProgressWriter {
  readonly #host: Host
  #last: Promise<void> = Promise.resolve()

  constructor(host: Host) {
    this.#host = host
  }

  write(progress: Progress): void {
    this.#last = this.#last.then(() => this.#commit(progress))
  }

  /** Resolves when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#last
  }

  async #commit(progress: Progress): Promise<void> {
    const { parts, view, knowledge } = this.#host
    const draft = putProgress(progress)
    const guards = [view.guardOf(keyOf.member(parts.host))]
    try {
      const outcome = await parts.database.commit(guards, [toWrite(draft)], { durability: 'volatile' })
      if (outcome.kind === 'committed') knowledge.take(view.committed(outcome.revision, [draft]))
    } catch (error) {
      // Progress is for people; whoever needs to know that the database is away reads it from the stamps.
      parts.log.write({ level: 'debug', message: `progress was not shown: ${describeError(error)}` })
    }
  }
}

function isWatch(kind: HalfKind): boolean {
  return kind === 'watch-start' || kind === 'watch-stop'
}
