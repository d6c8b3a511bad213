import type { ClusterState } from '../../model/cluster-state.ts'
import type { Reconfiguration } from '../../model/reconfiguration.ts'
import type { HalfRun } from '../../model/timeline.ts'
import { durationOf, followsOf, logicalHostsOf, type ReconfigurationFacts, stateOf } from '../reconfiguration-state.ts'
import type { GuardReport } from '../services.ts'
import type { HistoryJson, HistoryRowJson } from '../wire.ts'
import { viewCause } from './plan-view.ts'

/** What the history is made of. */
export interface HistoryFacts {
  readonly state: ClusterState
  readonly kept: readonly Reconfiguration[]
  readonly runsOf: (reconfiguration: number) => readonly HalfRun[]
  readonly guardReports: readonly GuardReport[]
}

/** Shows the latest `last` reconfigurations, oldest first. */
export function viewHistory(facts: HistoryFacts, last: number): HistoryJson {
  const { state, kept, runsOf, guardReports } = facts
  const rows = (last === 0 ? [] : kept.slice(-last)).map((reconfiguration) =>
    viewRow({ state, kept, reconfiguration, runs: runsOf(reconfiguration.number) }),
  )
  return { reconfigurations: rows, guardReports }
}

/** Shows one reconfiguration in one line. */
export function viewRow(facts: ReconfigurationFacts): HistoryRowJson {
  const { reconfiguration } = facts
  return {
    number: reconfiguration.number,
    atWallMs: reconfiguration.atWallMs,
    cause: viewCause(reconfiguration.cause),
    plannedBy: reconfiguration.plannedBy,
    logicalHosts: logicalHostsOf(reconfiguration),
    state: stateOf(facts),
    durationMs: durationOf(facts),
    follows: followsOf(reconfiguration),
  }
}
