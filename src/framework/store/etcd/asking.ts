import assert from 'node:assert/strict'
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
  /** Milliseconds that one endpoint is waited for before the next is asked beside it. */
  readonly shareMs: number
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

/** One call of one endpoint. */
interface Attempt<Answer> {
  readonly endpoint: Endpoint
  readonly call: Call<Answer>
}

interface Result<Answer> {
  readonly attempt: Attempt<Answer>
  readonly outcome: { readonly answer: Answer } | { readonly failure: EtcdFailure }
}

const NEWS = 'news'

/**
 * Asks one endpoint; when it fails, the next one at once; when it is silent for its share of the time, the next one beside it. After the last comes the first again, until the time is over:
 * etcd itself loses what it is asked while it has no leader, and may answer the same question a moment later. Each round is twice as patient.
 * Rejects with an `EtcdFailure`: of kind `unreachable` when nobody answered in time, else what etcd refused.
 */
export function ask<Answer extends Answered>(question: Question<Answer>): Promise<Asked<Answer>> {
  return new Asking(question).run()
}

class Asking<Answer extends Answered> {
  readonly #question: Question<Answer>
  /** In the order in which they were begun. */
  readonly #running = new Set<Attempt<Answer>>()
  readonly #failures = new Map<Endpoint, string>()
  #results: Result<Answer>[] = []
  #attempts = 0
  #next = 0
  #shareMs: number
  /** When the next attempt is begun. */
  #dueMs = Number.NEGATIVE_INFINITY
  #latest: Attempt<Answer> | undefined
  #wake: () => void = () => undefined

  constructor(question: Question<Answer>) {
    this.#question = question
    this.#shareMs = question.shareMs
  }

  async run(): Promise<Asked<Answer>> {
    const { effects, withinMs, signals } = this.#question
    const untilMs = effects.nowMonotonicMs() + withinMs
    const stop = (): void => this.#wake()
    for (const signal of signals) signal.addEventListener('abort', stop)
    try {
      for (;;) {
        const asked = this.#takeResults()
        if (asked !== undefined) return asked
        const now = effects.nowMonotonicMs()
        if (signals.some(({ aborted }) => aborted)) throw new EtcdFailure('unreachable', 'the wait was given up')
        if (now >= untilMs) throw this.#outOfTime()
        if (now >= this.#dueMs) this.#begin(now)
        await this.#news(Math.min(this.#dueMs, untilMs) - now)
      }
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', stop)
      for (const { call } of this.#running) call.cancel()
    }
  }

  #begin(now: number): void {
    const { order, begin } = this.#question
    if (this.#next === order.length) {
      this.#next = 0
      if (this.#running.size > 0) this.#shareMs *= 2
    }
    const endpoint = order[this.#next]
    assert.ok(endpoint !== undefined, 'there is an endpoint')
    this.#next += 1
    this.#attempts += 1
    this.#dueMs = now + this.#shareMs
    const attempt = { endpoint, call: endpoint.call(begin) }
    this.#latest = attempt
    this.#running.add(attempt)
    const note = (outcome: Result<Answer>['outcome']): void => {
      this.#results.push({ attempt, outcome })
      this.#wake()
    }
    attempt.call.answer.then(
      (answer) => note({ answer }),
      (error: unknown) => note({ failure: readFailure(error) }),
    )
  }

  /** Takes in who has answered; returns the first answer, throws what makes all further asking vain. */
  #takeResults(): Asked<Answer> | undefined {
    const results = this.#results
    this.#results = []
    for (const { attempt, outcome } of results) {
      const { endpoint } = attempt
      if ('answer' in outcome) {
        this.#doubt((running) => running !== endpoint, 'it was overtaken', attempt)
        return { answer: outcome.answer, endpoint, isOnly: this.#attempts === 1 }
      }
      this.#running.delete(attempt)
      const { kind, message } = outcome.failure
      if (kind !== 'unreachable' && kind !== 'foreign' && kind !== 'token') throw outcome.failure
      this.#failures.set(endpoint, message)
      if (kind !== 'token') this.#question.onDoubt(endpoint, message)
      if (attempt === this.#latest) this.#hurry()
    }
    return undefined
  }

  /** The next one at once; after the last, the first one in a moment, unless somebody may still answer. */
  #hurry(): void {
    const { effects, order } = this.#question
    if (this.#next < order.length) this.#dueMs = Number.NEGATIVE_INFINITY
    else if (this.#running.size === 0) this.#dueMs = effects.nowMonotonicMs() + ROUND_PAUSE_MS
  }

  #outOfTime(): EtcdFailure {
    this.#doubt(() => true, 'it does not answer')
    const lines = [...this.#failures].map(([{ url }, message]) => `${url}: ${message}`)
    return new EtcdFailure('unreachable', lines.join('; '))
  }

  /** Brings those into doubt that were asked before `until`, and have not answered. */
  #doubt(isMeant: (endpoint: Endpoint) => boolean, why: string, until?: Attempt<Answer>): void {
    for (const attempt of this.#running) {
      if (attempt === until) return
      if (!isMeant(attempt.endpoint)) continue
      // What it said when it did answer tells more.
      if (!this.#failures.has(attempt.endpoint)) this.#failures.set(attempt.endpoint, why)
      this.#question.onDoubt(attempt.endpoint, why)
    }
  }

  /** Waits for an answer, at most `ms`. After that one turn more: a process that was stalled finds its timers before its answers. */
  async #news(ms: number): Promise<void> {
    const { effects } = this.#question
    if (this.#results.length > 0 || ms <= 0) return
    const waiting = new AbortController()
    this.#wake = () => waiting.abort(NEWS)
    await effects.sleep(ms, waiting.signal).then(
      () => effects.sleep(0),
      () => undefined,
    )
  }
}
