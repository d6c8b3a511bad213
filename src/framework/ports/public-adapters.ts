import type { LogicalAddress } from '../model/cluster-config.ts'
import type { ProbeAnswer } from '../model/network.ts'
import type { Links } from './links.ts'

/** Adapters that stand in for each other on this host, and the one that carries the addresses. */
export interface GroupPlace {
  /** What logical addresses call it: the name of a backup group, or of the only adapter. */
  readonly name: string
  readonly active: string
  /** In order of preference, `active` among them. */
  readonly adapters: readonly string[]
}

/** Addresses that go from one adapter of this host to another one. */
export interface AddressMove {
  readonly group: string
  readonly from: string
  readonly to: string
  /** Logical addresses that are to be on `to` afterwards, wherever they are now, and that this host may have. */
  readonly addresses: readonly LogicalAddress[]
  /** Logical addresses that are moved only if they are on `from` now: a step that brings them up or takes them down has just ended, or begins soon. */
  readonly ifThere: readonly LogicalAddress[]
  /** All logical addresses of the cluster: whatever else is on `from` is this host's own and goes along, with its routes. */
  readonly logical: readonly LogicalAddress[]
}

/** What came of a move. */
export interface AddressMoved {
  /** Addresses that are on `to` now, as text. */
  readonly moved: readonly string[]
  /** Addresses that should be and are not, with the reason. */
  readonly failed: readonly string[]
  /** A step works on these right now; whoever asked asks again. */
  readonly busy: readonly string[]
}

/**
 * The public adapters of this host: tests of them, and where a backup group has its addresses. The drivers of logical addresses ask it which adapter stands
 * behind the name of a group.
 */
export interface PublicAdapters {
  readonly links: Links
  /** Says which groups there are; the drivers wait for the first call of it when they meet a name that is no adapter. */
  setGroups(groups: readonly GroupPlace[]): void
  /** Finds the one of these adapters that has most of the addresses now; undefined when none has any, or that cannot be known. */
  findCarrier(addresses: readonly string[], adapters: readonly string[]): Promise<string | undefined>
  /** Asks for the addresses over the adapter, whether or not it has an address itself. Resolves within `waitMs` and a little; never rejects. */
  ask(adapter: string, addresses: readonly string[], waitMs: number): Promise<ProbeAnswer>
  /** Makes the kernel answer for an address only over the adapter that has it; else a client learns the adapter that stands by. Never rejects. */
  separate(adapters: readonly string[]): Promise<void>
  /** Remembers what is this host's own on the adapter, because an adapter that is switched off or removed loses its addresses and routes. Never rejects. */
  remember(adapter: string, logical: readonly LogicalAddress[]): Promise<void>
  /** Moves addresses and announces them. Idempotent, never rejects; may be cut anywhere, and asked for again. */
  move(order: AddressMove, signal: AbortSignal): Promise<AddressMoved>
  /** Ends everything in the background, the watch of the links with it. */
  close(): Promise<void>
}
