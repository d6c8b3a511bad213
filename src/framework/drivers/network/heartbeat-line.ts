import type { KeyObject } from 'node:crypto'
import { type Datagram, isAuthentic, keyOfDirection, peek, seal } from './heartbeat-datagram.ts'
import type { LineOrder, WorkerStart } from './heartbeat-orders.ts'
import type { PeerSession } from './heartbeat-session.ts'
import { HeartbeatSocket } from './heartbeat-socket.ts'

/** Seals that are checked for one line between two heartbeats: ten times what is ever sent, and too few to be kept busy with. */
const CHECKS_MAX = 64
/** Answers to handshakes of one line between two heartbeats; a handshake needs two. */
const ANSWERS_MAX = 4
/** A line that has heard nothing for so long tells why. */
const SILENT_MS = 2_000

/** What all lines of a host share. */
export interface LineContext {
  readonly start: WorkerStart
  readonly clusterId: Uint8Array
  /** Of this life of the channel. */
  readonly session: number
  nowMs(): number
  /** Returns the next number of what this host says over that line; it rises for the whole life, also over a new line of the same name. */
  countUp(line: LineOrder): number
}

/** What is told of a line. */
export interface LineEvents {
  onHeard(atMs: number): void
  /** The other machine says that nobody listens there. */
  onVacant(atMs: number): void
  onMessage(payload: Uint8Array): void
}

/** One host heard over one network: sends heartbeats and messages, and counts only what was proved to come from there now. */
export class HeartbeatLine {
  readonly order: LineOrder
  heardMs = 0
  readonly #context: LineContext
  readonly #peer: PeerSession
  readonly #events: LineEvents
  readonly #socket: HeartbeatSocket
  readonly #outKey: KeyObject
  readonly #inKey: KeyObject
  #checksLeft = CHECKS_MAX
  #answersLeft = ANSWERS_MAX
  #refusedWhy = ''
  #refusedMs = Number.NEGATIVE_INFINITY

  constructor(context: LineContext, order: LineOrder, peer: PeerSession, events: LineEvents) {
    this.order = order
    this.#context = context
    this.#peer = peer
    this.#events = events
    const { clusterKey, cluster, me, port } = context.start
    const { host, network, from, to } = order
    this.#outKey = keyOfDirection(clusterKey, { cluster, from: me, to: host, network })
    this.#inKey = keyOfDirection(clusterKey, { cluster, from: host, to: me, network })
    this.#socket = new HeartbeatSocket(
      { from, to, port },
      {
        onDatagram: (bytes) => this.#take(bytes),
        onVacant: () => events.onVacant(context.nowMs()),
      },
    )
  }

  /** Sends a heartbeat, and what else is to be done once in an interval. */
  beat(): void {
    this.#checksLeft = CHECKS_MAX
    this.#answersLeft = ANSWERS_MAX
    this.#socket.tend(this.#context.nowMs())
    this.#send('heartbeat', NOTHING)
  }

  sendMessage(payload: Uint8Array): void {
    this.#send('message', payload)
  }

  /** Says what is wrong with it; undefined = nothing. */
  trouble(nowMs: number): string | undefined {
    const { host, network, from, to } = this.order
    const what = `heartbeats between ${from} and ${to} (${host}, over ${network})`
    if (this.#socket.trouble !== undefined) return `${what} cannot be sent: ${this.#socket.trouble}`
    const isSilent = nowMs - this.heardMs > SILENT_MS
    return isSilent && nowMs - this.#refusedMs < SILENT_MS ? `${what} are refused: ${this.#refusedWhy}` : undefined
  }

  close(): void {
    this.#socket.close()
  }

  #send(kind: Datagram['kind'], payload: Uint8Array): void {
    const { clusterId, session } = this.#context
    const { challenge, theirChallenge: echo } = this.#peer
    const counter = this.#context.countUp(this.order)
    this.#socket.send(seal(this.#outKey, clusterId, { kind, session, counter, challenge, echo, payload }))
  }

  #take(bytes: Buffer): void {
    const { network } = this.order
    const datagram = peek(bytes, this.#context.clusterId)
    if (typeof datagram === 'string') return this.#refuse(WHY[datagram])
    const verdict = this.#peer.judge(datagram, network)
    if (verdict === 'repeated') return
    this.#checksLeft -= 1
    if (this.#checksLeft < 0) return this.#refuse('there are too many to check')
    if (!isAuthentic(this.#inKey, bytes)) return this.#refuse('they are sealed with another key')
    const counts = this.#peer.take(datagram, network, verdict)
    if (verdict !== 'fresh') this.#answer()
    if (!counts) return
    this.heardMs = this.#context.nowMs()
    this.#events.onHeard(this.heardMs)
    if (datagram.kind === 'message') this.#events.onMessage(datagram.payload)
  }

  /** What proves each side to the other goes to and fro at once instead of with the next heartbeats. */
  #answer(): void {
    this.#answersLeft -= 1
    if (this.#answersLeft >= 0) this.#send('heartbeat', NOTHING)
  }

  #refuse(why: string): void {
    this.#refusedWhy = why
    this.#refusedMs = this.#context.nowMs()
  }
}

const NOTHING = new Uint8Array()

const WHY = {
  garbage: 'they are no heartbeats',
  'other-version': 'they come from another version of Haven',
  'other-cluster': 'they come from another cluster',
} as const
