import { createHash } from 'node:crypto'

/**
 * Reads and writes the keys by which hosts are registered with a SCSI disk. A key is 64 bits and names its owner:
 *
 * | bits | hexadecimal digits | what |
 * | --- | --- | --- |
 * | 63-48 | 4 | the cluster: the beginning of the SHA-256 of its name |
 * | 47-24 | 6 | the physical host: likewise |
 * | 23-20 | 1 | `a`: the host has the disk imported; `f`: it has let it go, and keeps it reserved for whoever comes next |
 * | 19-0 | 5 | the life of the host: the last digits of its incarnation |
 *
 * So each host and each of its lives has a key of its own, none is zero, and `sg_persist` shows whose a key is to whoever knows the names.
 */
export interface ReservationKey {
  readonly clusterNumber: number
  readonly hostNumber: number
  readonly state: 'held' | 'free'
  readonly life: number
}

const STATE = { held: 0xan, free: 0xfn } as const
/** Lives are told apart modulo this; a registration that is a million lives old would be taken for one of this life. */
const LIVES = 2 ** 20

/** Makes the key of a host. `life`: its incarnation, any whole number from 0. */
export function reservationKey(made: {
  readonly cluster: string
  readonly physicalHost: string
  readonly state: 'held' | 'free'
  readonly life: number
}): bigint {
  const { cluster, physicalHost, state, life } = made
  const host = (BigInt(clusterNumber(cluster)) << 48n) | (BigInt(hostNumber(physicalHost)) << 24n)
  return host | (STATE[state] << 20n) | BigInt(life % LIVES)
}

/** Takes a key apart; undefined when it is not made by `reservationKey`, as far as that can be seen. */
export function parseReservationKey(key: bigint): ReservationKey | undefined {
  const digit = (key >> 20n) & 0xfn
  const state = digit === STATE.held ? 'held' : digit === STATE.free ? 'free' : undefined
  if (state === undefined) return undefined
  return {
    clusterNumber: Number(key >> 48n),
    hostNumber: Number((key >> 24n) & 0xffffffn),
    state,
    life: Number(key & 0xfffffn),
  }
}

/** The number of a cluster in keys, 16 bits. */
export function clusterNumber(cluster: string): number {
  return createHash('sha256').update(`cluster ${cluster}`).digest().readUInt16BE(0)
}

/** The number of a physical host in keys, 24 bits. That two of 64 hosts share one is as likely as 1 in 8,000; `findSharedNumber` looks. */
export function hostNumber(physicalHost: string): number {
  return createHash('sha256').update(`physical host ${physicalHost}`).digest().readUIntBE(0, 3)
}

/** Finds two hosts that keys cannot tell apart; undefined = there are none. */
export function findSharedNumber(physicalHosts: readonly string[]): readonly [string, string] | undefined {
  const seen = new Map<number, string>()
  for (const name of new Set(physicalHosts)) {
    const other = seen.get(hostNumber(name))
    if (other !== undefined) return [other, name]
    seen.set(hostNumber(name), name)
  }
  return undefined
}

/** Writes a key as `sg_persist` does: `0x` and the digits. */
export function writeKey(key: bigint): string {
  return `0x${key.toString(16)}`
}
