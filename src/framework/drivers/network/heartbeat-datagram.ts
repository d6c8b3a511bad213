import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

/*
 * A datagram, all numbers big endian (docs/decisions/0012-heartbeats.md says what each is for):
 *
 *   0  2  "HV"
 *   2  1  version of this layout
 *   3  1  kind: 0 heartbeat, 1 message
 *   4  2  bytes of the payload
 *   6  8  id of the cluster
 *  14  6  session of the sender
 *  20  6  counter of the sender for this receiver and network
 *  26  6  challenge: what the receiver has to echo
 *  32  6  echo of the receiver's challenge; 0 = not known
 *  38  n  payload
 * 38+n 16 HMAC-SHA256 of all before it, cut to 16 bytes, with the key of this sender, receiver and network
 */
const VERSION = 1
const HEADER_BYTES = 38
const MAC_BYTES = 16
const KINDS = ['heartbeat', 'message'] as const

/** Bytes of one payload: a message is a line of JSON, and all of it fits into one Ethernet frame. */
export const PAYLOAD_BYTES_MAX = 1_024
/** Sessions, counters and challenges are whole numbers from 1 to below this; 0 stands for none. */
export const NUMBER_MAX = 2 ** 48

/** What one datagram says. */
export interface Datagram {
  readonly kind: (typeof KINDS)[number]
  /** Tells one life of the sender's channel from another. */
  readonly session: number
  readonly counter: number
  readonly challenge: number
  readonly echo: number
  readonly payload: Uint8Array
}

/** Why bytes are no datagram for this cluster. */
export type Malformed = 'garbage' | 'other-version' | 'other-cluster'

/** Makes the short id of a cluster out of its name; it only tells clusters apart that share a network, the key proves. */
export function clusterId(cluster: string): Buffer {
  return createHash('sha256').update(`haven cluster ${cluster}`).digest().subarray(0, 8)
}

/** Who says something to whom, and over which network. */
export interface Direction {
  readonly cluster: string
  readonly from: string
  readonly to: string
  readonly network: string
}

/** Derives the key of one direction of one line: a datagram that is carried to another host, back, or into another network does not fit there. */
export function keyOfDirection(clusterKey: Uint8Array, { cluster, from, to, network }: Direction): KeyObject {
  const text = ['haven heartbeat', cluster, from, to, network].join('\0')
  return createSecretKey(createHmac('sha256', clusterKey).update(text).digest())
}

/** Writes a datagram and seals it. */
export function seal(key: KeyObject, cluster: Uint8Array, datagram: Datagram): Buffer {
  const { kind, session, counter, challenge, echo, payload } = datagram
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length + MAC_BYTES)
  bytes.write('HV', 0, 'latin1')
  bytes[2] = VERSION
  bytes[3] = KINDS.indexOf(kind)
  bytes.writeUInt16BE(payload.length, 4)
  bytes.set(cluster, 6)
  bytes.writeUIntBE(session, 14, 6)
  bytes.writeUIntBE(counter, 20, 6)
  bytes.writeUIntBE(challenge, 26, 6)
  bytes.writeUIntBE(echo, 32, 6)
  bytes.set(payload, HEADER_BYTES)
  bytes.set(macOf(key, bytes).subarray(0, MAC_BYTES), HEADER_BYTES + payload.length)
  return bytes
}

/** Reads what bytes say, without proof: cheap, so that garbage costs next to nothing. */
export function peek(bytes: Buffer, cluster: Uint8Array): Datagram | Malformed {
  if (bytes.length < HEADER_BYTES + MAC_BYTES || bytes[0] !== 0x48 || bytes[1] !== 0x56) return 'garbage'
  if (bytes[2] !== VERSION) return 'other-version'
  const kind = KINDS[bytes[3] ?? KINDS.length]
  const payloadBytes = bytes.readUInt16BE(4)
  if (kind === undefined || payloadBytes > PAYLOAD_BYTES_MAX) return 'garbage'
  if (bytes.length !== HEADER_BYTES + payloadBytes + MAC_BYTES) return 'garbage'
  if (bytes.compare(cluster, 0, 8, 6, 14) !== 0) return 'other-cluster'
  return {
    kind,
    session: bytes.readUIntBE(14, 6),
    counter: bytes.readUIntBE(20, 6),
    challenge: bytes.readUIntBE(26, 6),
    echo: bytes.readUIntBE(32, 6),
    payload: bytes.subarray(HEADER_BYTES, HEADER_BYTES + payloadBytes),
  }
}

/** Tells whether the holder of the key sealed these bytes; they must have been peeked at. */
export function isAuthentic(key: KeyObject, bytes: Buffer): boolean {
  return timingSafeEqual(macOf(key, bytes).subarray(0, MAC_BYTES), bytes.subarray(bytes.length - MAC_BYTES))
}

function macOf(key: KeyObject, bytes: Buffer): Buffer {
  return createHmac('sha256', key)
    .update(bytes.subarray(0, bytes.length - MAC_BYTES))
    .digest()
}
