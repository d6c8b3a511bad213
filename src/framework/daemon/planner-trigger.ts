import { describeError, HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import type { Cause } from '../model/reconfiguration.ts'
import { isSameValue } from '../model/same-value.ts'
import { describeCause } from '../plan/describe.ts'
import { describeCutOff, describeSettling, needsSettling, nextInterfaceFailure } from '../plan/planner.ts'
import { Bell } from './bell.ts'
import type { Host } from './host.ts'

/** The first member in order plans what nobody asked for; each one after it waits this much longer, so that they do not race for nothing. */
const TURN_MS = 40
/** Breaks the tie of hosts that think they are in the same place. */
const JITTER_MS = 20
/** What is due because time has passed waits for seconds already. */
const LOOK_EVERY_MS = 5_000
/** Whatever made a plan fail is still there a moment later. */
const AGAIN_AFTER_MS = 1_000

/** Plans what nobody asked for: `settle` when something is at rest that is not where it should be, and moves away from failed public adapters. */
export class PlannerTrigger {
  readonly #host: Host
  readonly #bell = new Bell()
  #told: ReadonlySet<string> = new Set()

  constructor(host: Host) {
    this.#host = host
    host.knowledge.listen((touched) => {
      if (touched.state) this.#bell.ring()
    })
  }

  async run(): Promise<void> {
    const { parts, life } = this.#host
    this.#bell.ring()
    void this.#ringNowAndThen()
    for (;;) {
      await this.#bell.heard(life.signal)
      if (!life.signal.aborted) this.#tellWhatStays()
      if (!life.signal.aborted && this.#cause() === undefined) continue
      await sleepUntilAborted(parts.effects, this.#turnMs(), life.signal)
      if (life.signal.aborted) return
      const cause = this.#cause()
      if (cause !== undefined) await this.#plan(cause)
    }
  }

  /** Some things are due because time has passed, such as another try after a failed take-on. */
  async #ringNowAndThen(): Promise<void> {
    const { parts, life } = this.#host
    while (!life.signal.aborted) {
      await sleepUntilAborted(parts.effects, LOOK_EVERY_MS, life.signal)
      this.#bell.ring()
    }
  }

  /** What a plan is called for by; undefined when there is nothing to do. */
  #cause(): Cause | undefined {
    if (this.#host.ownMember() === undefined) return undefined
    const state = this.#host.state()
    const facts = { nowWallMs: this.#host.parts.effects.nowWallMs() }
    if (needsSettling(state, facts)) return { kind: 'settle', why: describeSettling(state, facts) }
    return nextInterfaceFailure(state, facts)
  }

  /** A logical host that no client reaches, and that stays where it is, is told once. */
  #tellWhatStays(): void {
    const { log, effects } = this.#host.parts
    const staying =
      this.#host.ownMember() === undefined ? [] : describeCutOff(this.#host.state(), { nowWallMs: effects.nowWallMs() })
    for (const message of staying) if (!this.#told.has(message)) log.write({ level: 'warn', message })
    this.#told = new Set(staying)
  }

  #turnMs(): number {
    const { effects, host } = this.#host.parts
    const members = [...this.#host.state().members.keys()].toSorted()
    return Math.max(0, members.indexOf(host)) * TURN_MS + effects.random() * JITTER_MS
  }

  async #plan(cause: Cause): Promise<void> {
    const { parts, life } = this.#host
    try {
      await this.#host.submit({ cause, isWanted: () => isStillCalledFor(this.#cause(), cause) })
    } catch (error) {
      if (!(error instanceof HaError)) throw error
      parts.log.write({
        level: 'warn',
        message: `${describeCause(cause)}: this could not be planned for: ${describeError(error)}`,
      })
      await sleepUntilAborted(parts.effects, AGAIN_AFTER_MS, life.signal)
      this.#bell.ring()
    }
  }
}

/** What is to be settled may have become more or less meanwhile; a settling is about all of it. */
function isStillCalledFor(now: Cause | undefined, then: Cause): boolean {
  return (now?.kind === 'settle' && then.kind === 'settle') || isSameValue(now, then)
}
