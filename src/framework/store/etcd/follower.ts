import type { IEvent, IWatchResponse } from 'etcd3'
import { describeError } from '../../errors/ha-error.ts'
import type { Change } from '../../ports/cluster-database.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Watchers } from '../watchers.ts'
import type { WatchStream } from './channel.ts'
import type { Endpoint } from './endpoint.ts'
import type { Endpoints } from './endpoints.ts'
import type { Keyspace } from './keyspace.ts'
import { SILENT_TICKS_MAX, WATCH_RETRY_MS } from './limits.ts'
import type { Reader } from './reader.ts'

/** What a follower is made of. */
export interface FollowerOptions {
  readonly keyspace: Keyspace
  readonly endpoints: Endpoints
  readonly effects: Effects
  readonly reader: Reader
  readonly watchers: Watchers
  readonly log: (message: string) => void
}

/** How a watch at one endpoint ended. */
type WatchEnd =
  | { readonly kind: 'closed' }
  /** Changes up to before that revision are no longer to be had. */
  | { readonly kind: 'compacted'; readonly revision: number }
  | { readonly kind: 'failed'; readonly why: string }

/** One watch at one endpoint. */
interface Life {
  ticksSinceWord: number
  readonly signal: AbortSignal
  end(end: WatchEnd): void
}

/**
 * Follows all changes after a revision, at one endpoint at a time. It moves to another one, from where it was, when the watch ends or fails, when its endpoint comes into doubt,
 * does not answer a sign of life, or does not tell of what this client was answered as committed.
 */
export class Follower {
  readonly #options: FollowerOptions
  /** Everything up to it was told. */
  #revision: number
  /** The highest revision of own commits: the watch has to get there. */
  #expected = 0
  #isClosed = false
  /** Where the present watch is. */
  #at: Endpoint | undefined
  #end: (end: WatchEnd) => void = () => undefined

  constructor(fromRevision: number, options: FollowerOptions) {
    this.#options = options
    this.#revision = fromRevision
  }

  /** Notes what this client was answered. */
  expect(revision: number): void {
    this.#expected = Math.max(this.#expected, revision)
  }

  /** Follows until closed. Never rejects. */
  async run(): Promise<void> {
    const { endpoints, effects, watchers } = this.#options
    const stopListening = endpoints.onDoubt((endpoint) => {
      if (endpoint === this.#at) this.#end({ kind: 'failed', why: 'the endpoint came into doubt' })
    })
    while (!this.#isClosed) {
      const [endpoint] = endpoints.order()
      if (endpoint === undefined) break
      const before = this.#revision
      const end = await this.#followAt(endpoint)
      if (end.kind === 'compacted') {
        // Told from there on again, so what is read after the gap and what is told overlap.
        this.#revision = end.revision - 1
        watchers.publishGap(this.#revision)
      }
      if (end.kind !== 'failed') continue
      endpoints.doubt(endpoint, `watch: ${end.why}`)
      const hasOther = endpoints.order()[0] !== endpoint
      if (!hasOther || this.#revision === before) await effects.sleep(WATCH_RETRY_MS)
    }
    stopListening()
  }

  close(): void {
    this.#isClosed = true
    this.#end({ kind: 'closed' })
  }

  async #followAt(endpoint: Endpoint): Promise<WatchEnd> {
    const over = new AbortController()
    let end: (end: WatchEnd) => void = () => undefined
    const ended = new Promise<WatchEnd>((resolve) => {
      end = resolve
    })
    this.#end = end
    this.#at = endpoint
    let stream: WatchStream | undefined
    try {
      stream = await endpoint.watch()
      if (this.#isClosed) return { kind: 'closed' }
      const life: Life = { ticksSinceWord: 0, signal: over.signal, end }
      stream.on('data', (response) => {
        life.ticksSinceWord = 0
        // What comes from a watch that was left meanwhile would be told twice.
        if (!life.signal.aborted) this.#take(endpoint, response, end)
      })
      stream.on('error', (error) => end({ kind: 'failed', why: describeError(error) }))
      stream.on('end', () => end({ kind: 'failed', why: 'it ended the watch' }))
      stream.write({ create_request: { ...this.#options.keyspace.whole, start_revision: this.#revision + 1 } })
      void this.#tick(stream, life)
      return await ended
    } catch (error) {
      return { kind: 'failed', why: describeError(error) }
    } finally {
      this.#at = undefined
      over.abort('over')
      stream?.cancel()
    }
  }

  /** Asks for a sign of life when there was none since the last tick, and ends the watch when there was none since several, or it lags behind what was committed. */
  async #tick(stream: WatchStream, life: Life): Promise<void> {
    const { effects, endpoints } = this.#options
    for (let behind = 0; ; ) {
      const expected = this.#expected
      const tickMs = endpoints.callMs / (SILENT_TICKS_MAX + 1)
      await effects.sleep(tickMs, life.signal).catch(() => undefined)
      if (life.signal.aborted) return
      if (life.ticksSinceWord > 0) stream.write({ progress_request: {} })
      life.ticksSinceWord += 1
      behind = this.#revision < expected ? behind + 1 : 0
      if (life.ticksSinceWord > SILENT_TICKS_MAX) life.end({ kind: 'failed', why: 'it is silent' })
      if (behind > SILENT_TICKS_MAX) life.end({ kind: 'failed', why: 'it does not tell of what was committed' })
    }
  }

  #take(endpoint: Endpoint, response: IWatchResponse, end: (end: WatchEnd) => void): void {
    try {
      endpoint.check(response.header)
    } catch (error) {
      end({ kind: 'failed', why: describeError(error) })
      return
    }
    if (!response.canceled) {
      this.#publish(response.events)
      return
    }
    const compacted = Number(response.compact_revision)
    if (compacted > 0) end({ kind: 'compacted', revision: compacted })
    else end({ kind: 'failed', why: response.cancel_reason || 'it ended the watch' })
  }

  /** One answer holds whole revisions, in order. */
  #publish(events: readonly IEvent[]): void {
    const { keyspace, watchers, reader, log } = this.#options
    const commits = new Map<number, Change[]>()
    try {
      for (const { type, kv } of events) {
        const revision = Number(kv.mod_revision)
        if (revision <= this.#revision) continue
        const changes = commits.get(revision) ?? []
        commits.set(revision, changes)
        const key = keyspace.recordOf(kv.key)
        if (key === undefined) continue
        changes.push(
          type === 'Put' ? { kind: 'put', record: reader.parse(key, kv) } : { kind: 'delete', key, revision },
        )
      }
    } catch (error) {
      // Whoever reads is told what is wrong; the changes themselves cannot be told.
      log(describeError(error))
      this.#revision = Number(events.at(-1)?.kv.mod_revision ?? this.#revision)
      watchers.publishGap(this.#revision)
      return
    }
    for (const [revision, changes] of commits) {
      this.#revision = revision
      watchers.publish(revision, changes)
    }
  }
}
