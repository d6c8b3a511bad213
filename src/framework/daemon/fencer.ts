import { describeError, HaError, isHaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import { fenceVerdict, lastSignMs, type Suspect } from '../membership/fencing.ts'
import type { Fence } from '../model/fencing.ts'
import type { PhysicalHostName } from '../model/names.ts'
import { isSameValue } from '../model/same-value.ts'
import type { FenceAgents, FenceConfirmed } from '../ports/fence-agents.ts'
import { putFence, putQuestion } from '../records/encode.ts'
import { keyOf } from '../records/keys.ts'
import { commitDrafts, describeOutcome, levelsOf, lossOf } from './fence-orders.ts'
import type { FenceWatch } from './fence-watch.ts'
import type { Host } from './host.ts'

/** A commit that lost a race is decided anew so often: each time somebody else wrote about a fence or about the suspect. */
const TRIES_MAX = 5
/** An answer is a change that is told, a look at it, and a commit there: as slow as so many commits here, at most. */
const ANSWER_COMMITS = 5
/** What a device has confirmed is committed as soon as the database takes it. */
const COMMIT_AGAIN_MS = 200

/** What came of a fence that was confirmed. */
export interface Fenced {
  readonly confirmed: FenceConfirmed
  /** The reconfiguration that gave the host up; null = it was no member any more. */
  readonly reconfiguration: number | null
}

/**
 * Makes sure from outside that a silent member is off, so that nobody has to wait until it must have stopped by itself. First the host is asked whether it
 * lives, then the fence is committed, guarded on its unchanged stamp, and only then is the device asked. Whom to fence is decided in `membership/fencing.ts`.
 */
export class Fencer {
  readonly #host: Host
  readonly #watch: FenceWatch
  readonly #agents: FenceAgents
  readonly #pursued = new Set<PhysicalHostName>()
  #refused = ''

  constructor(host: Host, watch: FenceWatch, agents: FenceAgents) {
    this.#host = host
    this.#watch = watch
    this.#agents = agents
  }

  /** Pursues whoever is silent, until the life ends. */
  async run(): Promise<void> {
    const { parts, life } = this.#host
    while (!life.signal.aborted) {
      await sleepUntilAborted(parts.effects, this.#watch.sleepMs(), life.signal)
      if (life.signal.aborted || !this.#watch.isWell()) continue
      for (const suspect of this.#watch.suspects()) void this.#pursueOnce(suspect)
    }
  }

  /** Carries out a fence that was committed as asked for. Resolves when it is confirmed and that is committed. Throws `FENCE_FAILED`, `ABORTED`. */
  async carryOut(fence: Fence, silentMs: number | undefined): Promise<Fenced> {
    const { parts, life } = this.#host
    const { host } = fence
    const levels = levelsOf(this.#host.state(), host)
    const names = levels.map((devices) => devices.map(({ name }) => name).join('+')).join(', then ')
    parts.log.write({ level: 'warn', message: `fences ${host} with ${names}: ${fence.why}` })
    const startedMs = parts.effects.nowMonotonicMs()
    const ender = this.#endWhenBack(fence)
    try {
      const confirmed = await this.#agents.fence({ host, levels }, AbortSignal.any([life.signal, ender.signal]))
      return { confirmed, reconfiguration: await this.#commitConfirmed(fence, confirmed, silentMs) }
    } catch (error) {
      if (isHaError(error, 'FENCE_FAILED')) {
        await this.#commitFailed(fence, error, Math.round(parts.effects.nowMonotonicMs() - startedMs))
      }
      throw error
    } finally {
      ender.stop()
    }
  }

  async #pursueOnce(suspect: Suspect): Promise<void> {
    if (this.#pursued.has(suspect.host)) return
    this.#pursued.add(suspect.host)
    try {
      await this.#pursue(suspect)
    } catch (error) {
      this.#tellFailure(suspect, error)
    } finally {
      this.#pursued.delete(suspect.host)
    }
  }

  /** Whatever is not expected is a bug: this host stops, and the others take over. */
  #tellFailure({ host }: Suspect, error: unknown): void {
    const { parts, life } = this.#host
    if (!(error instanceof HaError)) life.end({ kind: 'failed', why: describeError(error) })
    else if (!life.signal.aborted) {
      const message = `${host} was not fenced: ${describeError(error)}`
      parts.log.write({ level: 'error', message })
    }
  }

  async #pursue(suspect: Suspect): Promise<void> {
    if (!this.#mayFence(suspect)) return
    const sinceMs = lastSignMs(this.#watch.look(), suspect.host)
    const askedMs = this.#nowMs()
    await this.#question(suspect)
    // Where this host's own commits are slow, on a busy machine or a busy database, the answer is as well.
    const waitMs = Math.max(this.#watch.answerMs(), (this.#nowMs() - askedMs) * ANSWER_COMMITS)
    await sleepUntilAborted(this.#host.parts.effects, waitMs, this.#host.life.signal)
    const fence = await this.#commitAsked(suspect, sinceMs)
    if (fence === undefined) this.#tellAlive(suspect)
    else await this.carryOut(fence, suspect.silentMs)
  }

  #tellAlive({ host, incarnation, stampRevision }: Suspect): void {
    const { parts, view } = this.#host
    const stamp = view.stamps().get(host)
    if (stamp?.stamp.incarnation !== incarnation || stamp.revision === stampRevision) return
    parts.log.write({ level: 'info', message: `${host} is not heard and lives: it has stamped when it was asked` })
  }

  #mayFence(suspect: Suspect): boolean {
    const verdict = fenceVerdict(this.#watch.look(), suspect)
    const refusal = verdict.kind === 'refused' ? `${suspect.host} is silent and is not fenced: ${verdict.why}` : ''
    if (refusal !== '' && refusal !== this.#refused) this.#host.parts.log.write({ level: 'error', message: refusal })
    this.#refused = refusal
    return verdict.kind === 'may-fence'
  }

  /** Whoever lives and reaches the database stamps at once when it reads this. */
  async #question({ host, incarnation }: Suspect): Promise<void> {
    const { parts, view } = this.#host
    const question = { host, incarnation, by: parts.host, atWallMs: parts.effects.nowWallMs() }
    const guards = [view.guardOf(keyOf.member(host)), view.guardOf(keyOf.member(parts.host))]
    await commitDrafts(this.#host, guards, [putQuestion(question)], 'volatile')
  }

  /** Commits that a fence is asked for: that takes the database's majority, and the stamp of the host as it was when it fell silent. */
  async #commitAsked(suspect: Suspect, sinceMs: number): Promise<Fence | undefined> {
    const { parts, view } = this.#host
    const { host, incarnation, stampRevision } = suspect
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (!this.#watch.isStillSilent(suspect, sinceMs) || !this.#mayFence(suspect)) return undefined
      const fence: Fence = {
        host,
        incarnation,
        by: parts.host,
        operator: '',
        why: `no sign of life for ${Math.round(this.#nowMs() - sinceMs)} ms`,
        atWallMs: parts.effects.nowWallMs(),
        byItselfWallMs: parts.effects.nowWallMs(),
        outcome: { kind: 'asked' },
      }
      const stamp = keyOf.stamp(host)
      const guards = [
        stampRevision === undefined
          ? ({ kind: 'absent', key: stamp } as const)
          : ({ kind: 'at', key: stamp, revision: stampRevision } as const),
        view.guardOf(keyOf.member(host)),
        view.guardOf(keyOf.member(parts.host)),
        // The share of hosts, and that nobody fences whom he is fenced by, hold only as long as no other fence is committed meanwhile.
        ...[...this.#host.state().physicalHosts.keys()].map((name) => view.guardOf(keyOf.fence(name))),
      ]
      if (await commitDrafts(this.#host, guards, [putFence(fence)], 'durable')) return fence
    }
    return undefined
  }

  /** The loss and the end of the fence are one commit. Its guard is the life that was ended; no stamp is needed, because nothing that is off stamps. */
  async #commitConfirmed(
    fence: Fence,
    confirmed: FenceConfirmed,
    silentMs: number | undefined,
  ): Promise<number | null> {
    const { parts, life } = this.#host
    const { host, incarnation } = fence
    const { devices, tookMs } = confirmed
    const done = (): Fence => this.#ended(fence, { kind: 'confirmed', devices, tookMs })
    parts.log.write({ level: 'warn', message: `the fence of ${host} is ${describeOutcome(done())}` })
    const asked = fence.operator === '' ? {} : { operator: fence.operator }
    const loss = { host, evidence: 'fenced', provedBy: devices.join('+'), tookMs, ...asked } as const
    while (!life.signal.aborted) {
      try {
        const made = await this.#host.submit({
          cause: {
            kind: 'hosts-lost',
            hosts: [{ ...loss, ...(silentMs !== undefined && { silentMs: Math.round(silentMs) }) }],
          },
          isWanted: () =>
            !life.signal.aborted && (this.#host.state().members.get(host)?.incarnation ?? 0) === incarnation,
          alsoGuards: [keyOf.fence(host), keyOf.member(host)],
          also: () => [putFence(done()), ...(incarnation === 0 ? [] : [lossOf(this.#host, host, incarnation)])],
        })
        if (made === null) await this.#commitEnd(done)
        return made?.plan.number ?? null
      } catch (error) {
        if (!(error instanceof HaError)) throw error
        parts.log.write({ level: 'warn', message: `the loss of ${host} is not committed: ${describeError(error)}` })
        await sleepUntilAborted(parts.effects, COMMIT_AGAIN_MS, life.signal)
      }
    }
    return null
  }

  async #commitFailed(fence: Fence, error: HaError, tookMs: number): Promise<void> {
    const message = [error.message, ...error.details].join('; ')
    // Somebody else may have asked for another fence of the host meanwhile: that says more than this one's failure.
    if (!isSameValue(this.#host.view.fencing.fences().get(fence.host), fence)) return
    try {
      await this.#commitEnd(() => this.#ended(fence, { kind: 'failed', message, tookMs }))
    } catch (why) {
      // Then it stays as asked for, and whoever looks at it believes so until its time is over.
      if (!(why instanceof HaError)) throw why
    }
  }

  async #commitEnd(end: () => Fence): Promise<void> {
    const { host } = end()
    await commitDrafts(this.#host, [this.#host.view.guardOf(keyOf.fence(host))], [putFence(end())], 'durable')
  }

  /** What Haven asked for by itself counts, whoever asked for something else of the same host meanwhile. */
  #ended(fence: Fence, outcome: Fence['outcome']): Fence {
    const present = this.#host.view.fencing.fences().get(fence.host)?.byItselfWallMs ?? null
    const own = fence.byItselfWallMs
    return {
      ...fence,
      outcome,
      byItselfWallMs: own === null || present === null ? (own ?? present) : Math.max(own, present),
    }
  }

  /** A host that is a member again in a new life was off long enough, and must not lose its power now. */
  #endWhenBack({ host, incarnation }: Fence): { readonly signal: AbortSignal; stop(): void } {
    const ender = new AbortController()
    const look = (): void => {
      const now = this.#host.state().members.get(host)?.incarnation ?? 0
      if (now > incarnation) ender.abort(`${host} is a member again`)
    }
    const stop = this.#host.knowledge.listen(({ state }) => (state ? look() : undefined))
    return { signal: ender.signal, stop }
  }

  #nowMs(): number {
    return this.#host.parts.effects.nowMonotonicMs()
  }
}
