import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { describeError } from '../../errors/ha-error.ts'

/** An address that is not there, or a network without a route, is tried again this often. */
export const REOPEN_MS = 250
/** Datagrams in a row that could not be sent, after which the socket is made anew. */
const SEND_FAILURES_MAX = 20

/** From where to where. */
export interface SocketPlace {
  readonly from: string
  readonly to: string
  readonly port: number
}

/**
 * A socket for one line, bound to the own address and connected to that of the other host: so the kernel throws away what comes from anybody else, at no
 * cost to us. It is opened again whenever it cannot be used.
 */
export class HeartbeatSocket {
  /** Why nothing goes out; absent = it does, or was not tried yet. */
  trouble: string | undefined
  readonly #place: SocketPlace
  readonly #onDatagram: (bytes: Buffer) => void
  readonly #onVacant: () => void
  #socket: Socket | undefined
  #isConnected = false
  #triedMs = Number.NEGATIVE_INFINITY
  #failures = 0

  constructor(place: SocketPlace, events: { onDatagram(bytes: Buffer): void; onVacant(): void }) {
    this.#place = place
    this.#onDatagram = (bytes) => events.onDatagram(bytes)
    this.#onVacant = () => events.onVacant()
  }

  /** Opens it when it is closed and it is time to try. */
  tend(nowMs: number): void {
    if (this.#socket !== undefined || nowMs - this.#triedMs < REOPEN_MS) return
    this.#triedMs = nowMs
    this.#open()
  }

  /** Sends, or does not: whoever wants to know hears of it by `trouble`. */
  send(bytes: Buffer): void {
    if (this.#socket === undefined || !this.#isConnected) return
    this.#socket.send(bytes, this.#onSent)
  }

  close(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#isConnected = false
    socket?.close()
  }

  #open(): void {
    const { from, to, port } = this.#place
    const type = isIPv6(from) ? 'udp6' : 'udp4'
    // Several lines share the own address and port. A foreign process that did the same would get nothing: the kernel prefers a connected socket.
    const socket = createSocket({ type, reuseAddr: true })
    this.#socket = socket
    const fail = (error: unknown): void => {
      if (this.#socket !== socket) return
      this.trouble = describeError(error)
      this.close()
    }
    socket.on('error', (error) => {
      if (!this.#isConnected) fail(error)
      else if (isRefusal(error)) this.#onVacant()
    })
    let other = to
    socket.on('message', (bytes, { address }) => {
      // Before it was connected anybody may have sent something.
      if (this.#isConnected && address === other) this.#onDatagram(bytes)
    })
    socket.bind({ address: from, port, exclusive: true }, () => {
      if (this.#socket !== socket) return
      try {
        // What a router has passed on says nothing about this network.
        socket.setTTL(1)
        socket.connect(port, to, () => {
          if (this.#socket !== socket) return
          // An IPv6 address can be written in many ways, and senders are named in one.
          other = socket.remoteAddress().address
          this.#isConnected = true
          this.#failures = 0
          this.trouble = undefined
        })
      } catch (error) {
        fail(error)
      }
    })
  }

  readonly #onSent = (error: Error | null): void => {
    const isVacant = isRefusal(error)
    if (isVacant) this.#onVacant()
    if (error === null || isVacant) {
      this.#failures = 0
      this.trouble = undefined
      return
    }
    this.#failures += 1
    this.trouble = describeError(error)
    if (this.#failures >= SEND_FAILURES_MAX) this.close()
  }
}

/** What the kernel of the other machine says (ICMP port unreachable) while nobody listens there. */
function isRefusal(error: Error | null): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ECONNREFUSED'
}
