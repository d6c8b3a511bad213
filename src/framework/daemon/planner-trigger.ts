import { describeError, HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import { describeSettling, needsSettling } from '../plan/planner.ts'
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

/** Plans `settle` when something is at rest that is not where it should be. */
export class PlannerTrigger {
  readonly #host: Host
  readonly #bell = new Bell()

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
      if (!life.signal.aborted && !this.#isCalledFor()) continue
      await sleepUntilAborted(parts.effects, this.#turnMs(), life.signal)
      if (life.signal.aborted) return
      if (this.#isCalledFor()) await this.#settle()
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

  #isCalledFor(): boolean {
    return (
      this.#host.ownMember() !== undefined &&
      needsSettling(this.#host.state(), { nowWallMs: this.#host.parts.effects.nowWallMs() })
    )
  }

  #turnMs(): number {
    const { effects, host } = this.#host.parts
    const members = [...this.#host.state().members.keys()].toSorted()
    return Math.max(0, members.indexOf(host)) * TURN_MS + effects.random() * JITTER_MS
  }

  async #settle(): Promise<void> {
    const { parts, life } = this.#host
    try {
      const why = describeSettling(this.#host.state(), { nowWallMs: parts.effects.nowWallMs() })
      await this.#host.submit({ cause: { kind: 'settle', why }, isWanted: () => this.#isCalledFor() })
    } catch (error) {
      if (!(error instanceof HaError)) throw error
      parts.log.write({ level: 'warn', message: `settling was not possible: ${describeError(error)}` })
      await sleepUntilAborted(parts.effects, AGAIN_AFTER_MS, life.signal)
      this.#bell.ring()
    }
  }
}
