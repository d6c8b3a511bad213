import type { LogicalHostState } from '../../../src/framework/model/mastery.ts'
import type { LogicalHostName } from '../../../src/framework/model/names.ts'

/** The state of a logical host that was configured just now. */
export function initialLogicalHostState(name: LogicalHostName): LogicalHostState {
  return {
    name,
    mastery: { kind: 'unmastered', why: 'new', uncleanOn: [] },
    generation: 0,
    reconfiguration: 0,
    sinceWallMs: 0,
    startFailures: [],
    takeOnFailures: [],
    without: [],
    switchbackTo: null,
    takeoversWallMs: [],
  }
}
