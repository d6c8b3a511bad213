import type { Hands, HandsOutcome, StepCall } from '../../../src/framework/execute/hands.ts'
import type { Action } from '../../../src/framework/model/step.ts'

/** Makes hands that do every kind of action by the same function. */
export function handsBy(act: (action: Action, call: StepCall) => Promise<HandsOutcome>): Hands {
  return {
    import: act,
    export: act,
    'address-up': act,
    'address-down': act,
    method: act,
    'end-processes': act,
    'prove-released': act,
  }
}
