import type { Effects } from '../../ports/effects.ts'
import { makeSecret } from '../../ports/real-secrets.ts'
import { clusterId, NUMBER_MAX, PAYLOAD_BYTES_MAX } from './heartbeat-datagram.ts'
import { HeartbeatLine, type LineContext } from './heartbeat-line.ts'
import {
  type LineOrder,
  MESSAGES_WAITING_MAX,
  type Notice,
  type Order,
  TimeTable,
  type WorkerStart,
} from './heartbeat-orders.ts'
import { PeerSession } from './heartbeat-session.ts'
import { SilenceWatches } from './heartbeat-watches.ts'

/** Troubles are looked at and told this often. */
const TROUBLES_EVERY_MS = 1_000
/** The number of a message stands in front of it. */
const MESSAGE_NUMBER_BYTES = 6
/** Nothing to do: as long as it is not told otherwise. */
const IDLE_MS = 1_000

/** What the thread of the heartbeats does: all lines of this host, one clock, and the answers to clustd. It runs nothing else, so nothing else stalls it. */
export class HeartbeatStation {
  readonly #effects: Effects
  readonly #tell: (notice: Notice) => void
  readonly #tally: Int32Array
  readonly #context: LineContext
  readonly #counters = new Map<string, number>()
  readonly #watches = new SilenceWatches<HeartbeatLine>()
  #peers = new Map<string, PeerSession>()
  #lines: readonly HeartbeatLine[] = []
  #table = new TimeTable(TimeTable.memoryFor(0))
  #intervalMs = IDLE_MS
  #messages = 0
  #nextBeatMs = 0
  #troublesMs = 0
  #troubles: readonly string[] = []
  #wake = new AbortController()
  #isClosed = false

  constructor(start: WorkerStart, effects: Effects, tell: (notice: Notice) => void) {
    this.#effects = effects
    this.#tell = tell
    this.#tally = new Int32Array(start.tally)
    this.#context = {
      start,
      clusterId: clusterId(start.cluster),
      session: draw(),
      nowMs: () => effects.nowMonotonicMs(),
      countUp: (line) => this.#countUp(line),
    }
  }

  /** Does what clustd asks. */
  take(order: Order): void {
    switch (order.kind) {
      case 'configure':
        return this.#configure(order)
      case 'send':
        return this.#send(order.to, order.text)
      case 'watch': {
        this.#watches.add(order.id, order.silentMs)
        for (const line of this.#lines) if (line.heardMs > 0) this.#watches.heard(line)
        return this.#wake.abort()
      }
      case 'unwatch':
        return this.#watches.remove(order.id)
      case 'close':
        this.#isClosed = true
        for (const line of this.#lines) line.close()
        return this.#wake.abort()
    }
  }

  /** Sends heartbeats and looks for silence until it is closed. */
  async run(): Promise<void> {
    this.#table.listeningSinceMs = this.#effects.nowMonotonicMs()
    let plannedMs = this.#effects.nowMonotonicMs()
    while (!this.#isClosed) {
      const nowMs = this.#effects.nowMonotonicMs()
      // Woken late by more than an interval: what arrived meanwhile has not been read yet, and must not be taken for silence.
      if (nowMs - plannedMs > this.#intervalMs) this.#table.listeningSinceMs = nowMs
      this.#table.ranMs = nowMs
      if (nowMs >= this.#nextBeatMs) this.#beat(nowMs)
      const since = this.#table.listeningSinceMs
      this.#tellChanged(this.#watches.judge(nowMs, since))
      plannedMs = Math.min(this.#nextBeatMs, this.#watches.nextMs(since))
      this.#wake = new AbortController()
      await this.#effects.sleep(Math.max(0, plannedMs - nowMs), this.#wake.signal).catch(() => undefined)
    }
  }

  #beat(nowMs: number): void {
    for (const line of this.#lines) line.beat()
    // Never several at once to catch up: they would say nothing more than one.
    this.#nextBeatMs = Math.max(this.#nextBeatMs + this.#intervalMs, nowMs + this.#intervalMs / 2)
    if (nowMs >= this.#troublesMs) this.#tellTroubles(nowMs)
  }

  #configure({ id, intervalMs, lines, table }: Extract<Order, { kind: 'configure' }>): void {
    const former = new Map(this.#lines.map((line) => [nameOf(line.order), line]))
    const { ranMs, listeningSinceMs } = this.#table
    this.#table = new TimeTable(table)
    this.#table.ranMs = ranMs
    this.#table.listeningSinceMs = listeningSinceMs
    const peers = new Map(lines.map(({ host }) => [host, this.#peers.get(host) ?? new PeerSession(draw)]))
    this.#peers = peers
    this.#lines = lines.map((order, slot) => {
      const kept = former.get(nameOf(order))
      former.delete(nameOf(order))
      const line = kept ?? this.#openLine(order, peers)
      this.#table.setHeardMs(slot, line.heardMs)
      return line
    })
    for (const line of former.values()) line.close()
    this.#intervalMs = intervalMs
    this.#nextBeatMs = 0
    this.#troublesMs = 0
    this.#tell({ kind: 'configured', id })
    this.#tellChanged(this.#watches.keep(new Set(this.#lines)))
    this.#wake.abort()
  }

  #openLine(order: LineOrder, peers: ReadonlyMap<string, PeerSession>): HeartbeatLine {
    const peer = peers.get(order.host) ?? new PeerSession(draw)
    const line: HeartbeatLine = new HeartbeatLine(this.#context, order, peer, {
      onHeard: (atMs) => {
        // Its place may have changed since it was opened; a line that is no more has none.
        const slot = this.#lines.indexOf(line)
        if (slot < 0) return
        this.#table.setHeardMs(slot, atMs)
        this.#tellChanged(this.#watches.heard(line))
      },
      onVacant: (atMs) => {
        const slot = this.#lines.indexOf(line)
        if (slot >= 0) this.#table.setVacantMs(slot, atMs)
      },
      onMessage: (payload) => this.#deliver(order.host, peer, payload),
    })
    return line
  }

  #send(to: string, text: string): void {
    const body = Buffer.from(text, 'utf8')
    if (body.length + MESSAGE_NUMBER_BYTES > PAYLOAD_BYTES_MAX) return
    this.#messages += 1
    const payload = Buffer.alloc(MESSAGE_NUMBER_BYTES + body.length)
    payload.writeUIntBE(this.#messages, 0, MESSAGE_NUMBER_BYTES)
    payload.set(body, MESSAGE_NUMBER_BYTES)
    for (const line of this.#lines) if (line.order.host === to) line.sendMessage(payload)
  }

  #deliver(from: string, peer: PeerSession, payload: Uint8Array): void {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    if (bytes.length < MESSAGE_NUMBER_BYTES || !peer.isFirst(bytes.readUIntBE(0, MESSAGE_NUMBER_BYTES))) return
    if (Atomics.load(this.#tally, 0) >= MESSAGES_WAITING_MAX) return
    Atomics.add(this.#tally, 0, 1)
    this.#tell({ kind: 'message', from, text: bytes.toString('utf8', MESSAGE_NUMBER_BYTES) })
  }

  #countUp(line: LineOrder): number {
    const name = `${line.host}/${line.network}`
    const count = (this.#counters.get(name) ?? 0) + 1
    this.#counters.set(name, count)
    return count
  }

  #tellChanged(watches: readonly number[]): void {
    // One notice that waits for a stopped clustd says as much as many.
    for (const watch of watches) {
      if (Atomics.exchange(this.#tally, 1 + watch, 1) === 0) this.#tell({ kind: 'changed', watch })
    }
  }

  #tellTroubles(nowMs: number): void {
    this.#troublesMs = nowMs + TROUBLES_EVERY_MS
    const troubles = this.#lines.flatMap((line) => line.trouble(nowMs) ?? [])
    if (troubles.length === this.#troubles.length && troubles.every((one, index) => one === this.#troubles[index]))
      return
    this.#troubles = troubles
    this.#tell({ kind: 'troubles', troubles })
  }
}

function nameOf({ host, network, from, to }: LineOrder): string {
  return [host, network, from, to].join(' ')
}

function draw(): number {
  return (makeSecret(6).readUIntBE(0, 6) % (NUMBER_MAX - 1)) + 1
}
