import type { ICompactionResponse, IRangeResponse, ITxnResponse } from 'etcd3'
import { describeError } from '../../errors/ha-error.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Endpoints } from './endpoints.ts'
import { readFailure } from './failure.ts'
import type { Keyspace } from './keyspace.ts'
import { LANES_REMOVED_MAX } from './limits.ts'

/** What a compactor is made of. */
export interface CompactorOptions {
  readonly keyspace: Keyspace
  readonly endpoints: Endpoints
  readonly effects: Effects
  readonly everyMs: number
  readonly log: (message: string) => void
}

/**
 * Drops the history that etcd would else keep for ever, and the lanes of clients that are gone. Every member does it; etcd takes a second time as done already.
 * What is dropped is at least `everyMs` old on this client's clock: watches that were cut off resume within that.
 */
export class Compactor {
  readonly #options: CompactorOptions
  readonly #closed = new AbortController()

  /** Begins at once, and goes on until closed. */
  constructor(options: CompactorOptions) {
    this.#options = options
    void this.#run()
  }

  close(): void {
    this.#closed.abort('closed')
  }

  async #run(): Promise<void> {
    const { effects, everyMs, log } = this.#options
    const { signal } = this.#closed
    for (let before: number | undefined; ; ) {
      try {
        const { revision, lanes } = await this.#look()
        if (before !== undefined) {
          await this.#removeLanes(before, lanes)
          await this.#compact(before)
        }
        before = revision
      } catch (error) {
        if (!signal.aborted) log(`the history of etcd was not compacted: ${describeError(error)}`)
      }
      // Not all members at the same moment.
      await effects.sleep(everyMs * (1 + effects.random() / 10), signal).catch(() => undefined)
      if (signal.aborted) return
    }
  }

  async #look(): Promise<{ readonly revision: number; readonly lanes: IRangeResponse['kvs'] }> {
    const { keyspace, endpoints } = this.#options
    const request = { ...keyspace.lanes, keys_only: true }
    const { answer } = await endpoints.ask((channel) => channel.call<IRangeResponse>('KV', 'range', request))
    return { revision: Number(answer.header.revision), lanes: answer.kvs }
  }

  /** A client that lives and finds its lane gone makes it again (`committer.ts`). */
  async #removeLanes(before: number, lanes: IRangeResponse['kvs']): Promise<void> {
    const old = lanes.filter(({ mod_revision: revision }) => Number(revision) < before).slice(0, LANES_REMOVED_MAX)
    if (old.length === 0) return
    const request = {
      compare: old.map(({ key, mod_revision }) => ({ key, target: 'Mod', result: 'Equal', mod_revision })),
      success: old.map(({ key }) => ({ request_delete_range: { key } })),
    }
    await this.#options.endpoints.ask((channel) => channel.call<ITxnResponse>('KV', 'txn', request))
  }

  async #compact(revision: number): Promise<void> {
    try {
      await this.#options.endpoints.ask((channel) => channel.call<ICompactionResponse>('KV', 'compact', { revision }))
    } catch (error) {
      // Another member was first.
      if (readFailure(error).kind !== 'compacted') throw error
    }
  }
}
