import type { IResponseHeader } from 'etcd3'
import { describeError } from '../../errors/ha-error.ts'
import { type Call, Channel, type ChannelOptions, type WatchStream } from './channel.ts'
import { EtcdFailure, readFailure } from './failure.ts'

/** What every answer of etcd begins with. */
export interface Answered {
  /** Who answered; etcd leaves it out of its answer about alarms. */
  readonly header: IResponseHeader | null
}

/** Knows the etcd that answered first, so that an endpoint of another one is found out: two of them would be two truths. */
export class Identity {
  #clusterId: string | undefined

  /** Throws an `EtcdFailure` of kind `foreign`. */
  check(header: IResponseHeader | null): void {
    if (header === null) return
    const { cluster_id: id } = header
    this.#clusterId ??= id
    if (id === this.#clusterId) return
    throw new EtcdFailure(
      'foreign',
      `it is a member of another etcd (${hex(id)}) than the others (${hex(this.#clusterId)})`,
    )
  }
}

/** One member of etcd, as this client sees it. */
export class Endpoint {
  readonly url: string
  readonly #options: ChannelOptions
  readonly #identity: Identity
  #channel: Channel | undefined
  #isClosed = false
  /** Why it is not asked while there are others; undefined = nothing is known against it. */
  doubt: string | undefined

  constructor(options: ChannelOptions, identity: Identity) {
    this.url = options.url
    this.#options = options
    this.#identity = identity
  }

  /** Calls once. Rejects with an `EtcdFailure`, never throws. */
  call<Answer extends Answered>(begin: (channel: Channel) => Call<Answer>): Call<Answer> {
    try {
      const call = begin(this.#open())
      return { answer: this.#checked(call.answer), cancel: () => call.cancel() }
    } catch (error) {
      const answer = Promise.reject(readFailure(error))
      return { answer, cancel: () => undefined }
    }
  }

  /** Opens a watch. Rejects with an `EtcdFailure`. */
  async watch(): Promise<WatchStream> {
    return this.#open().watch()
  }

  /** Throws an `EtcdFailure` when the answer is from another etcd. */
  check(header: IResponseHeader | null): void {
    this.#identity.check(header)
  }

  /** Asks over a connection of its own, and goes on with that one if it answers: an old one may lead to a machine that is gone. */
  async callAnew<Answer extends Answered>(
    begin: (channel: Channel) => Call<Answer>,
    whileMs: (call: Call<Answer>) => Promise<Answer>,
  ): Promise<void> {
    const channel = new Channel(this.#options)
    try {
      const call = begin(channel)
      const { header } = await whileMs(call)
      this.#identity.check(header)
    } catch (error) {
      channel.close()
      throw readFailure(error)
    }
    this.#channel?.close()
    this.#channel = channel
    if (this.#isClosed) channel.close()
  }

  close(): void {
    this.#isClosed = true
    this.#channel?.close()
  }

  async #checked<Answer extends Answered>(answer: Promise<Answer>): Promise<Answer> {
    const answered = await answer
    this.#identity.check(answered.header)
    return answered
  }

  #open(): Channel {
    if (this.#isClosed) throw new EtcdFailure('unreachable', 'the connection is closed')
    try {
      this.#channel ??= new Channel(this.#options)
    } catch (error) {
      throw new EtcdFailure('unreachable', describeError(error), error)
    }
    return this.#channel
  }
}

function hex(id: string): string {
  return BigInt(id).toString(16)
}
