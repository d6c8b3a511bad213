import type { FenceDevice } from '../model/fencing.ts'
import type { FenceDeviceName, PhysicalHostName } from '../model/names.ts'

/** What confirmed that a host is off. */
export interface FenceConfirmed {
  /** All of the level; at least one. */
  readonly devices: readonly FenceDeviceName[]
  readonly tookMs: number
}

/** What a fence is asked of. */
export interface FenceOrder {
  readonly host: PhysicalHostName
  /** Devices by level, in order: the first level of which every device confirms ends it. Not empty. */
  readonly levels: readonly (readonly FenceDevice[])[]
}

/**
 * Makes sure from outside that a host cannot write any more. One implementation per kind of agent behind it; programs run outside of this process, with a
 * time limit, and are ended when it is over.
 */
export interface FenceAgents {
  /**
   * Resolves once a level has confirmed that the host is off (`status` says so, or the agent's contract does): only then may its logical hosts be taken
   * on. Repeating it is harmless. Throws `FENCE_FAILED` with what each device said, `ABORTED` (then nothing is known).
   */
  fence(order: FenceOrder, signal: AbortSignal): Promise<FenceConfirmed>
  /** Asks a device whether it works, without changing anything. Resolves with its complaint, or the empty string when it is well. Never rejects, bounded by the device's timeout. */
  probe(device: FenceDevice, signal: AbortSignal): Promise<string>
}
