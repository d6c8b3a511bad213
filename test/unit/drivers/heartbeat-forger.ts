import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  clusterId,
  type Datagram,
  isAuthentic,
  keyOfDirection,
  peek,
  seal,
} from '../../../src/framework/drivers/network/heartbeat-datagram.ts'
import { PeerSession } from '../../../src/framework/drivers/network/heartbeat-session.ts'

const NOTHING = new Uint8Array()

/** Where a forger sits, and whom it pretends to be. */
export interface ForgerPlace {
  readonly clusterKey: Uint8Array
  /** Own address and that of its victim. */
  readonly from: string
  readonly to: string
  readonly port: number
  readonly network: string
}

/** Speaks to alpha as beta does, by hand: it can hold datagrams back, repeat them, and send them from elsewhere. */
export class Forger {
  readonly heard: Buffer[] = []
  readonly peer: PeerSession
  readonly #place: ForgerPlace
  readonly #socket: Socket
  readonly #session: number
  #counter = 0

  private constructor(place: ForgerPlace, socket: Socket, session: number) {
    this.#place = place
    this.#socket = socket
    this.#session = session
    this.peer = new PeerSession(() => session + 1_000)
    socket.on('message', (bytes) => this.heard.push(bytes))
    // Nobody listens at the other end now and then.
    socket.on('error', () => undefined)
  }

  static async open(place: ForgerPlace, session: number): Promise<Forger> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    socket.bind({ address: place.from, port: place.port })
    await once(socket, 'listening')
    return new Forger(place, socket, session)
  }

  /** Makes the next heartbeat; `network`: the one that it is sealed for. */
  make(network = this.#place.network): Buffer {
    this.#counter += 1
    const { challenge, theirChallenge: echo } = this.peer
    const datagram: Datagram = {
      kind: 'heartbeat',
      session: this.#session,
      counter: this.#counter,
      challenge,
      echo,
      payload: NOTHING,
    }
    const key = keyOfDirection(this.#place.clusterKey, { cluster: 'demo', from: 'beta', to: 'alpha', network })
    return seal(key, clusterId('demo'), datagram)
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes, this.#place.port, this.#place.to)
  }

  /** Takes in what alpha said: after it, what is made echoes alpha's present challenge. */
  learn(): void {
    const { network, clusterKey } = this.#place
    const key = keyOfDirection(clusterKey, { cluster: 'demo', from: 'alpha', to: 'beta', network })
    for (const bytes of this.heard.splice(0)) {
      const datagram = peek(bytes, clusterId('demo'))
      if (typeof datagram === 'string' || !isAuthentic(key, bytes)) continue
      this.peer.take(datagram, network, this.peer.judge(datagram, network))
    }
  }

  async close(): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }
}
