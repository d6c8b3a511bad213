import type { LogicalAddress } from '../model/cluster-config.ts'
import type { Leftover } from '../model/step.ts'

/** One address on one adapter of this host. */
export interface AddressCall {
  readonly address: LogicalAddress
  /** Adapter of this host, such as `eth0`; empty for kind `local`. */
  readonly adapter: string
  /** Its last holder has just proved that it let go of it: `up` need not look for others. Absent = not so. */
  readonly isReleased?: boolean
  readonly signal: AbortSignal
}

/**
 * Floating addresses of one kind on one physical host. All calls are idempotent and may be cut anywhere. Calls for one address never overlap.
 */
export interface AddressDriver {
  readonly kind: LogicalAddress['kind']
  /** Whether the address is up on that adapter of this host. */
  isUp(call: AddressCall): Promise<boolean>
  /**
   * Brings it up after a look for others who have it (none when it `isReleased`), then announces it (and again in the background, without delaying the answer).
   * Already up here: announces and succeeds. Throws `ADDRESS_IN_USE` with who has it (hardware address, host), `ADDRESS_UNUSABLE` when the adapter is missing, down or refuses.
   */
  up(call: AddressCall): Promise<void>
  /** Takes it down, on whichever adapter of this host it is, and stops announcing. Not there: success. */
  down(call: AddressCall): Promise<void>
  /** Lists the address if any adapter of this host still has it; empty = provably gone. */
  leftovers(call: AddressCall): Promise<readonly Leftover[]>
  /** Addresses will be moved soon: what takes time to start may be started. Never waits, never throws. Absent: nothing does. */
  expect?(): void
  /** Stops background announcements, without touching addresses. Idempotent. */
  close(): Promise<void>
}
