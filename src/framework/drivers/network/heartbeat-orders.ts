/** One line: this host and another one over one network. */
export interface LineOrder {
  readonly host: string
  readonly network: string
  /** Own address, and that of the other host; both IPv4 or both IPv6. */
  readonly from: string
  readonly to: string
}

/** What the thread of the heartbeats starts with. */
export interface WorkerStart {
  readonly clusterKey: Uint8Array
  readonly cluster: string
  readonly me: string
  readonly port: number
  /** `TALLY_WORDS` words that both threads see, for the life of the thread. */
  readonly tally: SharedArrayBuffer
}

/** What clustd tells the thread. */
export type Order =
  | {
      readonly kind: 'configure'
      readonly id: number
      readonly intervalMs: number
      /** In the order of their slots in the table. */
      readonly lines: readonly LineOrder[]
      readonly table: SharedArrayBuffer
    }
  | { readonly kind: 'send'; readonly to: string; readonly text: string }
  | { readonly kind: 'watch'; readonly id: number; readonly silentMs: number }
  | { readonly kind: 'unwatch'; readonly id: number }
  | { readonly kind: 'close' }

/** What the thread tells clustd. */
export type Notice =
  | { readonly kind: 'configured'; readonly id: number }
  | { readonly kind: 'message'; readonly from: string; readonly text: string }
  | { readonly kind: 'changed'; readonly watch: number }
  | { readonly kind: 'troubles'; readonly troubles: readonly string[] }

/** Messages that wait for clustd at most; a stopped clustd misses the rest, as it would on a network. */
export const MESSAGES_WAITING_MAX = 256
/** Silences that may be asked about at a time. */
export const WATCHES_MAX = 8
/** Messages that wait, then for each watch whether a notice of it waits. */
export const TALLY_WORDS = 1 + WATCHES_MAX

/**
 * Times that the thread writes and clustd reads without waiting for one another: when the thread ran last, since when it has listened without a gap, and
 * of each line when it was last heard, and when its machine last said that nobody listens there. Own monotonic clock, milliseconds; 0 = never.
 */
export class TimeTable {
  readonly #words: BigInt64Array<SharedArrayBuffer>

  constructor(memory: SharedArrayBuffer) {
    this.#words = new BigInt64Array(memory)
  }

  static memoryFor(slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer((RAN + LISTENING + 2 * slots) * 8)
  }

  get ranMs(): number {
    return this.#read(0)
  }
  set ranMs(atMs: number) {
    this.#write(0, atMs)
  }
  get listeningSinceMs(): number {
    return this.#read(RAN)
  }
  set listeningSinceMs(atMs: number) {
    this.#write(RAN, atMs)
  }
  heardMs(slot: number): number {
    return this.#read(RAN + LISTENING + 2 * slot)
  }
  setHeardMs(slot: number, atMs: number): void {
    this.#write(RAN + LISTENING + 2 * slot, atMs)
  }
  vacantMs(slot: number): number {
    return this.#read(RAN + LISTENING + 2 * slot + 1)
  }
  setVacantMs(slot: number, atMs: number): void {
    this.#write(RAN + LISTENING + 2 * slot + 1, atMs)
  }

  // Microseconds in 64-bit integers: the only numbers that another thread never sees half written.
  #read(word: number): number {
    return Number(Atomics.load(this.#words, word)) / 1_000
  }
  #write(word: number, atMs: number): void {
    Atomics.store(this.#words, word, BigInt(Math.round(atMs * 1_000)))
  }
}

const RAN = 1
const LISTENING = 1
