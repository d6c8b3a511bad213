import { readFileSync } from 'node:fs'
import type { IOptions, IWatchRequest, IWatchResponse } from 'etcd3'
import { ConnectionPool } from 'etcd3/lib/connection-pool.js'
import type { EtcdLogin, EtcdTlsFiles } from '../../model/database-place.ts'
import { EtcdFailure, readFailure } from './failure.ts'
import { RECONNECT_MS, RECONNECT_MS_MAX } from './limits.ts'

/** How one member of etcd is reached. */
export interface ChannelOptions {
  readonly url: string
  readonly tls?: EtcdTlsFiles | undefined
  readonly login?: EtcdLogin | undefined
}

/** A call under way. `cancel` ends the waiting, and `answer` rejects; whether etcd does what it was asked is then unknown. */
export interface Call<Answer> {
  readonly answer: Promise<Answer>
  cancel(): void
}

/** Both directions of a watch. */
export interface WatchStream {
  write(request: Partial<IWatchRequest>): void
  cancel(): void
  on(event: 'data', take: (response: IWatchResponse) => void): void
  on(event: 'error', take: (error: unknown) => void): void
  on(event: 'end', take: () => void): void
}

type Service = 'KV' | 'Watch' | 'Maintenance' | 'Cluster' | 'Auth'

/** What gRPC makes of a service: a function for each call. */
type Client = Readonly<Record<string, (...given: readonly unknown[]) => WatchStream>>

interface Metadata {
  set(name: string, value: string): void
  clone(): Metadata
}

/** Lets every call through once: what is tried again, when and where, is for the engine to say, which knows the deadline. */
const noPolicy = { execute: (run: (context: object) => unknown) => run({}) }

/**
 * One connection to one member of etcd, for each service that is used. It tries nothing twice and waits for nothing: deadlines, other endpoints and attempts anew are
 * the business of `endpoints.ts`, which makes a new channel where this one is of no use any more. The library's part is the protocol.
 */
export class Channel {
  readonly #options: ChannelOptions
  readonly #pool: ConnectionPool
  readonly #clients = new Map<Service, Promise<{ readonly client: Client; readonly metadata: Metadata }>>()
  #token: Promise<string> | undefined

  /** Reads the files of TLS: certificates are renewed, and a new channel has to show the new ones. Throws a plain error when they cannot be read. */
  constructor(options: ChannelOptions) {
    this.#options = options
    this.#pool = new ConnectionPool({
      hosts: [options.url],
      grpcOptions: {
        'grpc.initial_reconnect_backoff_ms': RECONNECT_MS,
        'grpc.max_reconnect_backoff_ms': RECONNECT_MS_MAX,
        // Else a new channel is given the old connection, which may lead to a machine that is gone.
        'grpc.use_local_subchannel_pool': 1,
        'grpc.enable_http_proxy': 0,
        // A retry of the library would repeat a commit without our knowing.
        'grpc.enable_retries': 0,
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
      },
      faultHandling: { global: noPolicy, host: () => noPolicy } as unknown as NonNullable<IOptions['faultHandling']>,
      ...(options.url.startsWith('https:') && options.tls !== undefined && { credentials: readTls(options.tls) }),
    })
  }

  /** Calls a method once. Rejects with an `EtcdFailure`. */
  call<Answer>(service: Service, method: string, request: object): Call<Answer> {
    let cancelNow: (() => void) | undefined
    let isCancelled = false
    const run = async (): Promise<Answer> => {
      const { client, metadata } = await this.#client(service)
      const call = client[method]
      if (call === undefined) throw new EtcdFailure('unsupported', `the library has no ${service}.${method}`)
      const withToken = await this.#withToken(metadata, service)
      return new Promise((resolve, reject) => {
        if (isCancelled) return reject(new EtcdFailure('unreachable', 'given up before it began'))
        const begun = call.call(client, request, withToken, {}, (error: unknown, answer: Answer) =>
          error === null ? resolve(answer) : reject(this.#read(error)),
        )
        cancelNow = () => begun.cancel()
      })
    }
    return {
      answer: run().catch((error: unknown) => {
        throw readFailure(error)
      }),
      cancel: () => {
        isCancelled = true
        cancelNow?.()
      },
    }
  }

  /** Opens a watch. The member ends it by itself when it has no leader. Rejects with an `EtcdFailure`. */
  async watch(): Promise<WatchStream> {
    try {
      const { client, metadata } = await this.#client('Watch')
      const withToken = (await this.#withToken(metadata, 'Watch')).clone()
      // Else a member that is cut off from the others would go on as if nothing ever happened.
      withToken.set('hasleader', 'true')
      const stream = client['watch']?.(withToken, {})
      if (stream === undefined) throw new EtcdFailure('unsupported', 'the library has no Watch.watch')
      return stream
    } catch (error) {
      throw this.#read(error)
    }
  }

  close(): void {
    this.#pool.close()
  }

  #client(service: Service): Promise<{ readonly client: Client; readonly metadata: Metadata }> {
    const known = this.#clients.get(service)
    if (known !== undefined) return known
    const made = this.#pool.withConnection(service, ({ client, metadata }) => ({
      client: client as unknown as Client,
      metadata: metadata as Metadata,
    }))
    this.#clients.set(service, made)
    return made
  }

  async #withToken(metadata: Metadata, service: Service): Promise<Metadata> {
    const { login } = this.#options
    if (login === undefined || service === 'Auth') return metadata
    this.#token ??= this.#logIn(login)
    const token = await this.#token
    const own = metadata.clone()
    own.set('token', token)
    return own
  }

  async #logIn({ user, passwordFile }: EtcdLogin): Promise<string> {
    const password = readFileSync(passwordFile, 'utf8').split('\n', 1)[0]
    const call = this.call<{ readonly token: string }>('Auth', 'authenticate', { name: user, password })
    try {
      return (await call.answer).token
    } catch (error) {
      this.#token = undefined
      throw error
    }
  }

  #read(error: unknown): EtcdFailure {
    const failure = readFailure(error)
    if (failure.kind === 'token') this.#token = undefined
    return failure
  }
}

function readTls({ ca, certificate, key }: EtcdTlsFiles): NonNullable<IOptions['credentials']> {
  return {
    rootCertificate: readFileSync(ca),
    ...(certificate !== undefined && { certChain: readFileSync(certificate) }),
    ...(key !== undefined && { privateKey: readFileSync(key) }),
  }
}
