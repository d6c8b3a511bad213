import type { Effects } from '../../ports/effects.ts'
import type { Call, Channel } from './channel.ts'
import type { Answered, Endpoint } from './endpoint.ts'
import { EtcdFailure, readFailure } from './failure.ts'
import { ROUND_PAUSE_MS } from './limits.ts'

/** What is asked of whichever endpoint answers first. It is asked of several at the same time, so it must be such that twice is no more than once. */
export interface Question<Answer extends Answered> {
  readonly effects: Effects
  /** Endpoints in the order in which they are to be tried. */
  readonly order: readonly Endpoint[]
  /** Milliseconds for all of it. */
  readonly withinMs: number
  readonly begin: (channel: Channel) => Call<Answer>
  /** Each of them gives up waiting. */
  readonly signals: readonly AbortSignal[]
  /** Told of an endpoint that failed or was overtaken. */
  readonly onDoubt: (endpoint: Endpoint, why: string) => void
}

/** What came of it. */
export interface Asked<Answer> {
  readonly answer: Answer
  readonly endpoint: Endpoint
  /** Whether no other attempt was begun: then nothing of it can still happen. */
  readonly isOnly: boolean
}

interface Result<Answer> {
  readonly endpoint: Endpoint
  readonly outcome: { readonly answer: Answer } | { readonly failure: EtcdFailure }
}

const NEWS = 'news'

/**
 * Asks one endpoint; when it fails, the next one at once; when it is silent for its share of the time, the next one beside it. When all have refused, again from the
 * first, until the time is over. Rejects with an `EtcdFailure`: of kind `unreachable` when nobody answered in time, else what etcd refused.
 */
export function ask<Answer extends Answered>(question: Question<Answer>): Promise<Asked<Answer>> {
  return new Asking(question).run()
}

class Asking<Answer extends Answered> {
  readonly #question: Question<Answer>
  readonly #running = new Map<Endpoint, Call<Answer>>()
  readonly #failures = new Map<Endpoint, string>()
  #results: Result<Answer>[] = []
  #attempts = 0
  #wake: () => void = () => undefined

  constructor(question: Question<Answer>) {
    this.#question = question
  }

  async run(): Promise<Asked<Answer>> {
    const { effects, order, withinMs, signals } = this.#question
    const untilMs = effects.nowMonotonicMs() + withinMs
    const shareMs = withinMs / order.length
    const stop = (): void => this.#wake()
    for (const signal of signals) signal.addEventListener('abort', stop)
    try {
      for (let next = 0, begunMs = 0; ; ) {
        const asked = this.#takeResults()
        if (asked !== undefined) return asked
        const now = effects.nowMonotonicMs()
        if (now >= untilMs || signals.some(({ aborted }) => aborted)) throw this.#outOfTime()
        const endpoint = order[next]
        if (endpoint !== undefined && (this.#running.size === 0 || now >= begunMs + shareMs)) {
          this.#begin(endpoint)
          next += 1
          begunMs = now
        }
        const isRoundOver = next >= order.length && this.#running.size === 0
        const dueMs = isRoundOver ? now + ROUND_PAUSE_MS : next < order.length ? begunMs + shareMs : untilMs
        await this.#news(Math.min(dueMs, untilMs) - now)
        if (isRoundOver) next = 0
      }
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', stop)
      for (const call of this.#running.values()) call.cancel()
    }
  }

  #begin(endpoint: Endpoint): void {
    this.#attempts += 1
    const call = endpoint.call(this.#question.begin)
    this.#running.set(endpoint, call)
    const note = (outcome: Result<Answer>['outcome']): void => {
      this.#results.push({ endpoint, outcome })
      this.#wake()
    }
    call.answer.then(
      (answer) => note({ answer }),
      (error: unknown) => note({ failure: readFailure(error) }),
    )
  }

  /** Takes in who has answered; returns the first answer, throws what makes all further asking vain. */
  #takeResults(): Asked<Answer> | undefined {
    const results = this.#results
    this.#results = []
    for (const { endpoint, outcome } of results) {
      this.#running.delete(endpoint)
      if ('answer' in outcome) {
        this.#doubtRunning('it was overtaken')
        return { answer: outcome.answer, endpoint, isOnly: this.#attempts === 1 }
      }
      const { kind, message } = outcome.failure
      if (kind !== 'unreachable' && kind !== 'foreign' && kind !== 'token') throw outcome.failure
      this.#failures.set(endpoint, message)
      if (kind !== 'token') this.#question.onDoubt(endpoint, message)
    }
    return undefined
  }

  #outOfTime(): EtcdFailure {
    this.#doubtRunning('it does not answer')
    const lines = [...this.#failures].map(([{ url }, message]) => `${url}: ${message}`)
    return new EtcdFailure('unreachable', lines.join('; '))
  }

  #doubtRunning(why: string): void {
    for (const endpoint of this.#running.keys()) {
      this.#failures.set(endpoint, why)
      this.#question.onDoubt(endpoint, why)
    }
  }

  /** Waits for an answer, at most `ms`. After that one turn more: a process that was stalled finds its timers before its answers. */
  async #news(ms: number): Promise<void> {
    const { effects } = this.#question
    if (this.#results.length > 0) return
    const waiting = new AbortController()
    this.#wake = () => waiting.abort(NEWS)
    await effects.sleep(ms, waiting.signal).then(
      () => effects.sleep(0),
      () => undefined,
    )
  }
}
