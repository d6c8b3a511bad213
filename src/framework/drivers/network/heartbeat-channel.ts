import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { describeError } from '../../errors/ha-error.ts'
import type { ClusterName, PhysicalHostName } from '../../model/names.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Heard, PeerMessage, PeerSetting, Peers } from '../../ports/peers.ts'
import {
  type LineOrder,
  type Notice,
  type Order,
  TALLY_WORDS,
  TimeTable,
  WATCHES_MAX,
  type WorkerStart,
} from './heartbeat-orders.ts'

/** UDP port of the heartbeats. */
export const HEARTBEAT_PORT = 7411
/** A thread that has died is started again after this long. */
const RESTART_MS = 1_000
/** A thread that was told to end is ended by force after this long. */
const CLOSE_MS = 500

/** What a channel is made of. */
export interface HeartbeatChannelOptions {
  /** Absolute path of the program of the thread: `dist/heartbeat-worker.mjs`. */
  readonly program: string
  readonly clusterKey: Uint8Array
  readonly cluster: ClusterName
  readonly effects: Effects
  readonly warn: (message: string) => void
  /** Default `HEARTBEAT_PORT`. */
  readonly port?: number
}

/** Makes the channel of this host. Its thread starts with the first setting that has anybody to talk to. */
export function openHeartbeatChannel(options: HeartbeatChannelOptions): Peers {
  return new HeartbeatChannel(options)
}

const messageShape: z.ZodType<PeerMessage> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ask-promise'), incarnation: z.int(), round: z.int(), expiryMs: z.number() }),
  z.object({ kind: z.literal('promise'), incarnation: z.int(), round: z.int(), isGiven: z.boolean() }),
])

interface Setup {
  readonly id: number
  readonly setting: PeerSetting
  readonly lines: readonly (LineOrder & { readonly host: PhysicalHostName })[]
  readonly memory: SharedArrayBuffer
}

interface Watch {
  readonly silentMs: number
  readonly listener: () => void
}

class HeartbeatChannel implements Peers {
  readonly #options: HeartbeatChannelOptions
  readonly #tally = new SharedArrayBuffer(TALLY_WORDS * 4)
  readonly #tallyWords = new Int32Array(this.#tally)
  readonly #watches = new Map<number, Watch>()
  readonly #waiting = new Map<number, () => void>()
  readonly #closing = new AbortController()
  #worker: Worker | undefined
  #ended: Promise<void> = Promise.resolve()
  #orders = 0
  /** What was asked for last, and what is in effect. */
  #wanted: Setup | undefined
  #setup: Setup | undefined
  #troubles: readonly string[] = []
  #onMessage: ((from: PhysicalHostName, message: PeerMessage) => void) | undefined

  constructor(options: HeartbeatChannelOptions) {
    this.#options = options
  }

  async configure(setting: PeerSetting): Promise<void> {
    const lines = linesOf(setting)
    if (this.#closing.signal.aborted || (this.#wanted === undefined && lines.length === 0)) return
    this.#orders += 1
    const wanted: Setup = { id: this.#orders, setting, lines, memory: TimeTable.memoryFor(lines.length) }
    const inEffect = new Promise<void>((resolve) => this.#waiting.set(wanted.id, resolve))
    const isFirst = this.#wanted === undefined
    this.#wanted = wanted
    // A thread that has died is started anew by itself, with what is wanted then.
    if (isFirst) this.#start()
    else this.#order(orderOf(wanted))
    this.#worker?.ref()
    await inEffect
  }

  send(to: PhysicalHostName, message: PeerMessage): void {
    this.#order({ kind: 'send', to, text: JSON.stringify(message) })
  }

  listen(onMessage: (from: PhysicalHostName, message: PeerMessage) => void): void {
    this.#onMessage = onMessage
  }

  heard(): readonly Heard[] {
    if (this.#setup === undefined) return []
    const table = new TimeTable(this.#setup.memory)
    return this.#setup.lines.flatMap(({ host, network }, slot) => {
      const atMs = table.heardMs(slot)
      const vacantMs = table.vacantMs(slot)
      return atMs === 0 ? [] : [{ host, network, atMs, vacantMs: vacantMs === 0 ? null : vacantMs }]
    })
  }

  listeningSinceMs(): number {
    if (this.#setup === undefined) return Number.POSITIVE_INFINITY
    const { ranMs, listeningSinceMs } = new TimeTable(this.#setup.memory)
    const nowMs = this.#options.effects.nowMonotonicMs()
    // The whole process was stopped, and the thread has not run since: it does not know yet that it missed something.
    return nowMs - ranMs > 2 * this.#setup.setting.intervalMs ? nowMs : listeningSinceMs
  }

  onChange(silentMs: number, listener: () => void): () => void {
    const id = Array.from({ length: WATCHES_MAX }, (_, index) => index).find((index) => !this.#watches.has(index))
    assert(id !== undefined, `at most ${WATCHES_MAX} silences are watched at a time`)
    this.#watches.set(id, { silentMs, listener })
    this.#order({ kind: 'watch', id, silentMs })
    return () => {
      this.#watches.delete(id)
      this.#order({ kind: 'unwatch', id })
    }
  }

  troubles(): readonly string[] {
    return this.#troubles
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closed'))
    const worker = this.#worker
    worker?.ref()
    this.#order({ kind: 'close' })
    this.#setup = undefined
    for (const resolve of this.#waiting.values()) resolve()
    const { effects } = this.#options
    const isOver = new AbortController()
    const force = effects.sleep(CLOSE_MS, isOver.signal).then(
      () => worker?.terminate(),
      () => undefined,
    )
    await Promise.race([this.#ended, force])
    isOver.abort(new Error('closed'))
  }

  #order(order: Order): void {
    this.#worker?.postMessage(order)
  }

  #start(): void {
    if (this.#wanted === undefined || this.#closing.signal.aborted) return
    const { program, clusterKey, cluster, port = HEARTBEAT_PORT, warn } = this.#options
    const { me } = this.#wanted.setting
    this.#tallyWords.fill(0)
    const start: WorkerStart = { clusterKey, cluster, me: me.host, port, tally: this.#tally }
    const worker = new Worker(program, { workerData: start, name: 'heartbeats', resourceLimits: LIMITS })
    this.#worker = worker
    worker.on('message', (notice: Notice) => this.#take(notice))
    worker.on('error', (error) => warn(`the thread of the heartbeats has failed: ${describeError(error)}`))
    this.#ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#worker = undefined
        this.#setup = undefined
        resolve()
        void this.#restart()
      })
    })
    for (const [id, { silentMs }] of this.#watches) this.#order({ kind: 'watch', id, silentMs })
    this.#order(orderOf(this.#wanted))
  }

  async #restart(): Promise<void> {
    await this.#options.effects.sleep(RESTART_MS, this.#closing.signal).catch(() => undefined)
    this.#start()
  }

  #take(notice: Notice): void {
    switch (notice.kind) {
      case 'configured': {
        if (this.#wanted?.id !== notice.id) return
        this.#setup = this.#wanted
        for (const [id, resolve] of this.#waiting) {
          if (id > notice.id) continue
          this.#waiting.delete(id)
          resolve()
        }
        // Heartbeats keep nobody from ending: a daemon that is done does not stay for them.
        this.#worker?.unref()
        return
      }
      case 'message':
        Atomics.sub(this.#tallyWords, 0, 1)
        return this.#deliver(notice.from, notice.text)
      case 'changed':
        // Before it is told: what changes from now on is news.
        Atomics.store(this.#tallyWords, 1 + notice.watch, 0)
        return this.#watches.get(notice.watch)?.listener()
      case 'troubles':
        for (const trouble of notice.troubles) if (!this.#troubles.includes(trouble)) this.#options.warn(trouble)
        this.#troubles = notice.troubles
    }
  }

  #deliver(from: string, text: string): void {
    const host = this.#setup?.setting.others.find((other) => other.host === from)?.host
    const parsed = messageShape.safeParse(parseJson(text))
    // A later version may say more than this one knows; it means nothing here.
    if (host !== undefined && parsed.success && !this.#closing.signal.aborted) this.#onMessage?.(host, parsed.data)
  }
}

/** The thread has one small heap: what it holds does not grow with time. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 } as const

function orderOf({ id, setting, lines, memory }: Setup): Order {
  return { kind: 'configure', id, intervalMs: setting.intervalMs, lines, table: memory }
}

/** Pairs the addresses of this host with those of the others, network by network. */
function linesOf({ me, others }: PeerSetting): Setup['lines'] {
  return others.flatMap(({ host, addresses }) =>
    addresses.flatMap(({ network, address: to }) => {
      const from = me.addresses.find((own) => own.network === network)?.address
      return from === undefined || isIPv6(from) !== isIPv6(to) ? [] : [{ host, network, from, to }]
    }),
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not what a host of this version sends: as good as nothing.
    return undefined
  }
}
