import type { FenceAction, FenceAnswer, FenceCall } from './fence-program.ts'

/** Whether a host has power, as a device says. `not-told`: the agent has no action for it, so what `off` returned is all there is. */
export type PowerStatus =
  | { readonly kind: 'on' }
  | { readonly kind: 'off' }
  | { readonly kind: 'not-told' }
  | { readonly kind: 'unknown'; readonly complaint: string }

/** One kind of agent: how its programs are called, and what their exit codes mean. Everything else is the same for all of them (`fence-agents.ts`). */
export interface Agent {
  /** Calls the program. The call's time limit bounds it; rejects with the signal's reason, or `FENCE_FAILED` when an option cannot be read. */
  act(action: FenceAction, call: FenceCall): Promise<FenceAnswer>
  /** Asks whether the host has power. Rejects as `act` does. */
  status(call: FenceCall): Promise<PowerStatus>
  /** Asks whether the device works, changing nothing. Empty = well. Rejects as `act` does. */
  probe(call: FenceCall): Promise<string>
}
