import { setMaxListeners } from 'node:events'
import { describeError } from '../../errors/ha-error.ts'
import type { EtcdPlace } from '../../model/database-place.ts'
import type { Effects } from '../../ports/effects.ts'
import { type Asked, ask } from './asking.ts'
import type { Call, Channel } from './channel.ts'
import { type Answered, Endpoint, Identity } from './endpoint.ts'
import { EtcdFailure } from './failure.ts'
import { REVIVE_MS, REVIVE_MS_MAX, SHARE_MS_MAX } from './limits.ts'

/** What the endpoints of one client are made of. */
export interface EndpointsOptions {
  readonly place: Pick<EtcdPlace, 'endpoints' | 'tls' | 'login'>
  readonly effects: Effects
  /** Milliseconds that one question may take, at the moment. */
  readonly callMs: () => number
  /** A small question whose answer needs a leader and a majority. */
  readonly probe: (channel: Channel) => Call<Answered>
  readonly log: (message: string) => void
}

/** How long one question may take, and who gives it up before. */
export interface AskOptions {
  readonly withinMs?: number
  readonly signal?: AbortSignal | undefined
}

const OVER = 'over'

/**
 * The members of etcd as this client sees them. The one that answered last is asked first; one that failed or was overtaken is in doubt: it is asked after all
 * others, and tried beside the work over a new connection until it answers. No list of healthy members, no circuit breaker: only who answers now counts.
 */
export class Endpoints {
  #all: readonly Endpoint[]
  readonly #identity = new Identity()
  readonly #options: EndpointsOptions
  readonly #closed = new AbortController()
  readonly #listeners = new Set<(endpoint: Endpoint) => void>()
  #first: Endpoint | undefined

  constructor(options: EndpointsOptions) {
    // One for each call and each endpoint that is tried again: more than node takes for a leak.
    setMaxListeners(0, this.#closed.signal)
    this.#options = options
    this.#all = options.place.endpoints.map((url) => this.#make(url))
  }

  get all(): readonly Endpoint[] {
    return this.#all
  }

  /** Asks these as well from now on. Those that are not named any more are asked as long as they answer. */
  add(urls: readonly string[]): void {
    const news = urls.filter((url) => !this.#all.some((known) => known.url === url))
    if (!this.isClosed) this.#all = [...this.#all, ...news.map((url) => this.#make(url))]
  }

  #make(url: string): Endpoint {
    const { tls, login } = this.#options.place
    return new Endpoint({ url, tls, login }, this.#identity)
  }

  get callMs(): number {
    return this.#options.callMs()
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  /** The endpoints, best first. */
  order(): readonly Endpoint[] {
    const rank = (endpoint: Endpoint): number =>
      (endpoint.doubt === undefined ? 0 : 2) + (endpoint === this.#first ? 0 : 1)
    return this.all.toSorted((a, b) => rank(a) - rank(b))
  }

  /** Asks whoever answers first. What is asked may reach several members, and may still be done after this has given up. Rejects with an `EtcdFailure`. */
  async ask<Answer extends Answered>(
    begin: (channel: Channel) => Call<Answer>,
    { withinMs = this.callMs, signal }: AskOptions = {},
  ): Promise<Asked<Answer>> {
    if (this.isClosed) throw new EtcdFailure('unreachable', 'the connection is closed')
    const order = this.order()
    const asked = await ask({
      effects: this.#options.effects,
      order,
      withinMs,
      shareMs: Math.min(this.callMs / order.length, SHARE_MS_MAX),
      begin,
      // Not one signal made of both: the one that lives as long as this client would keep each of them in mind.
      signals: signal === undefined ? [this.#closed.signal] : [signal, this.#closed.signal],
      onDoubt: (endpoint, why) => this.doubt(endpoint, why),
    })
    this.#first = asked.endpoint
    asked.endpoint.doubt = undefined
    return asked
  }

  /** Notes that an endpoint is of no use at the moment, and begins to try it beside the work. */
  doubt(endpoint: Endpoint, why: string): void {
    if (endpoint.doubt !== undefined || this.isClosed) return
    endpoint.doubt = why
    for (const listener of this.#listeners) listener(endpoint)
    void this.#revive(endpoint)
  }

  /** Calls `listener` with each endpoint that comes into doubt, until the returned function is called. */
  onDoubt(listener: (endpoint: Endpoint) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Waits for the answer of one call, `callMs` at most. Rejects with an `EtcdFailure`. */
  async answerOf<Answer>(call: Call<Answer>): Promise<Answer> {
    const { callMs } = this
    const { effects } = this.#options
    const over = new AbortController()
    const end = (): void => over.abort(OVER)
    this.#closed.signal.addEventListener('abort', end)
    const outOfTime = effects.sleep(callMs, over.signal).then(
      () => true,
      () => this.isClosed,
    )
    const late = outOfTime.then((isLate) =>
      isLate ? Promise.reject(new EtcdFailure('unreachable', `no answer within ${callMs} ms`)) : call.answer,
    )
    try {
      return await Promise.race([call.answer, late])
    } finally {
      this.#closed.signal.removeEventListener('abort', end)
      end()
      call.cancel()
    }
  }

  close(): void {
    this.#closed.abort(OVER)
    for (const endpoint of this.all) endpoint.close()
  }

  /** What answers at the first attempt was slow for a moment, which is not worth a line. */
  async #revive(endpoint: Endpoint): Promise<void> {
    const { effects, probe, log } = this.#options
    const { signal } = this.#closed
    const { url, doubt: why } = endpoint
    for (let pauseMs = REVIVE_MS; ; pauseMs = Math.min(2 * pauseMs, REVIVE_MS_MAX)) {
      await effects.sleep(pauseMs, signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        // A question may have found out meanwhile that it answers again.
        if (endpoint.doubt !== undefined) await endpoint.callAnew(probe, (call) => this.answerOf(call))
        endpoint.doubt = undefined
        if (pauseMs > REVIVE_MS) log(`etcd at ${url} answers again`)
        return
      } catch (error) {
        if (pauseMs === REVIVE_MS && !signal.aborted)
          log(`etcd at ${url} is not used at the moment: ${why}; ${describeError(error)}`)
      }
    }
  }
}
