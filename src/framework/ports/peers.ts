import type { PhysicalHostName } from '../model/names.ts'

/** What hosts say to each other beside their heartbeats. Small, authenticated, each meaningful by itself: any of them may be lost, repeated or late. */
export type PeerMessage =
  /** `from` cannot reach the database and asks for the promise to take nothing over from it. See `membership/promises.ts`. */
  | {
      readonly kind: 'ask-promise'
      /** The life of the host that asks. */
      readonly incarnation: number
      /** Counts up; the answer names it. */
      readonly round: number
      /** How long whatever `from` may do by this promise takes to run out at most, milliseconds. */
      readonly expiryMs: number
    }
  | {
      readonly kind: 'promise'
      /** The life of the host that promises. */
      readonly incarnation: number
      readonly round: number
      readonly isGiven: boolean
    }

/** One host with where it can be reached. */
export interface PeerPlace {
  readonly host: PhysicalHostName
  /** Its own addresses on the networks that carry heartbeats, with the name of the network; at most one per network. */
  readonly addresses: readonly { readonly network: string; readonly address: string }[]
}

/** Where this host and the others are, and how often they tell that they live. */
export interface PeerSetting {
  readonly me: PeerPlace
  /** Without this host. */
  readonly others: readonly PeerPlace[]
  readonly intervalMs: number
}

/** When something of a host was last heard over one network. */
export interface Heard {
  readonly host: PhysicalHostName
  readonly network: string
  /** Own monotonic clock, milliseconds. */
  readonly atMs: number
  /**
   * When its machine last said that nobody listens there: it runs, and its clustd does not. Own monotonic clock; null = never. Anybody on the network
   * could say so: to be used only for patience.
   */
  readonly vacantMs: number | null
}

/**
 * The datagrams between hosts: heartbeats over every network that carries them, sent and received by a thread that nothing else can stall, and small
 * messages over all of these networks at once. Everything is authenticated with the cluster's key, and what was recorded earlier is refused.
 *
 * Promises: what is delivered was sent by a host of this cluster in its present or a later life of the channel, each message at most once. Nothing is
 * promised about its arrival. Nothing here ever decides that a host is lost.
 */
export interface Peers {
  /** Begins, or goes on with other places and intervals. Idempotent; resolves when it is in effect. */
  configure(setting: PeerSetting): Promise<void>
  /** Sends over every network; never waits, never throws. */
  send(to: PhysicalHostName, message: PeerMessage): void
  /** Calls `onMessage` for each message that arrives, until `close`. At most one listener. */
  listen(onMessage: (from: PhysicalHostName, message: PeerMessage) => void): void
  /** When anything was last heard of each host over each network; hosts and networks that were never heard of are not in it. */
  heard(): readonly Heard[]
  /**
   * Since when this host has listened without a gap, own monotonic clock, milliseconds; `Infinity` = it does not listen. A silence is one of the other
   * host only as far as it lies after this: who was stopped for two seconds has heard nobody. `membership/heartbeats.ts` reckons with it.
   */
  listeningSinceMs(): number
  /**
   * Calls `listener` (at most once per change) when a host falls silent over one network for `silentMs`, or is heard there again; also after
   * `configure`. Returns what ends that. At most 8 at a time.
   */
  onChange(silentMs: number, listener: () => void): () => void
  /** Says what keeps heartbeats from going out or coming in, one sentence each, for the operator; empty = nothing. */
  troubles(): readonly string[]
  close(): Promise<void>
}
