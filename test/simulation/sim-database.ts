import { HaError } from '../../src/framework/errors/ha-error.ts'
import type {
  ClusterDatabase,
  CommitOptions,
  CommitOutcome,
  Guard,
  Snapshot,
  Watch,
  WatchEvent,
  Write,
} from '../../src/framework/ports/cluster-database.ts'
import type { MemoryDatabaseCore } from '../../src/framework/store/memory.ts'
import type { Chances } from './chances.ts'
import type { Process } from './machine.ts'
import type { SimNetwork } from './sim-network.ts'

// Longer than an answer ever takes, shorter than a stamp interval of the default profile: a lost answer must not cost the deadline by itself.
const ANSWER_TIMEOUT_MS = 300

/** The memory engine as one process sees it: requests and answers take their time and may be lost, hints may be late, repeated or missing. */
export class SimDatabase implements ClusterDatabase {
  readonly #core: MemoryDatabaseCore
  readonly #process: Process
  readonly #network: SimNetwork
  readonly #chances: () => Chances

  constructor(core: MemoryDatabaseCore, process: Process, network: SimNetwork, chances: () => Chances) {
    this.#core = core
    this.#process = process
    this.#network = network
    this.#chances = chances
  }

  read(): Promise<Snapshot> {
    return this.#ask(() => this.#core.snapshot(), undefined)
  }

  commit(guards: readonly Guard[], writes: readonly Write[], options: CommitOptions): Promise<CommitOutcome> {
    return this.#ask(() => this.#core.commit(guards, writes), options.signal)
  }

  watch(fromRevision: number, onEvent: (event: WatchEvent) => void): Watch {
    const { time, random } = this.#process.machine
    let lastMs = 0
    let isMissed = false
    const inner = this.#core.connect(this.#process.name).watch(fromRevision, (event) => {
      const { watchGap, watchRepeats, watchLate } = this.#chances()
      const lateMs = random.chance(watchLate) ? random.between(5, 400) : random.between(0.1, 2)
      // Hints may be late, but one watch never tells the later before the earlier.
      lastMs = Math.max(lastMs, time.nowMs + lateMs)
      // What happens while the way is cut is not told later; that something did is.
      const told = isMissed || random.chance(watchGap) ? ({ kind: 'gap' } as const) : event
      isMissed = this.#isCut()
      if (isMissed) return
      const deliver = (): void => this.#process.post(0, () => onEvent(told))
      time.after(lastMs - time.nowMs, deliver)
      if (random.chance(watchRepeats)) time.after(lastMs - time.nowMs, deliver)
    })
    return inner
  }

  async close(): Promise<void> {}

  #isCut(): boolean {
    return this.#network.isDatabaseCut(this.#process.machine.name)
  }

  /** Sends a request and waits for its answer; either may be lost, and then nobody knows whether it was carried out. */
  #ask<T>(carryOut: () => T, signal: AbortSignal | undefined): Promise<T> {
    const { time, random } = this.#process.machine
    const { requestLost, answerLost } = this.#chances()
    return new Promise((resolve, reject) => {
      const giveUp = (error: unknown): void => reject(error)
      signal?.addEventListener('abort', () => giveUp(new HaError('ABORTED', 'the commit was given up')), { once: true })
      const isRequestLost = random.chance(requestLost) || this.#isCut()
      const isAnswerLost = random.chance(answerLost)
      this.#process.post(ANSWER_TIMEOUT_MS, () =>
        giveUp(new HaError('DATABASE_UNAVAILABLE', 'the cluster database did not answer')),
      )
      // What was sent arrives, even if the sender is gone by then.
      if (isRequestLost) return
      time.after(random.between(0.1, 1.5), () => {
        const answer = attempt(carryOut)
        if (!isAnswerLost && !this.#isCut())
          this.#process.post(random.between(0.1, 1.5), () => (answer.ok ? resolve(answer.value) : giveUp(answer.error)))
      })
    })
  }
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

function attempt<T>(carryOut: () => T): Attempt<T> {
  try {
    return { ok: true, value: carryOut() }
  } catch (error) {
    return { ok: false, error }
  }
}
