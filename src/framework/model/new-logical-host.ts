import type { LogicalHostState } from './mastery.ts'
import type { LogicalHostName } from './names.ts'

/** Returns the state of a logical host that has been configured and nothing more. */
export function stateOfNewLogicalHost(name: LogicalHostName): LogicalHostState {
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
    formerLists: [],
    heirs: null,
  }
}
