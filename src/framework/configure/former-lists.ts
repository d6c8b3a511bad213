import type { LogicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { FORMER_LISTS_MAX, type LogicalHostState } from '../model/mastery.ts'
import { isSameValue } from '../model/same-value.ts'

/**
 * Remembers the list of possible masters that a new configuration of a logical host replaces; undefined when it replaces none. To be committed together
 * with it: a host that has not read the new one yet asks the hosts of the old one for their promises.
 */
export function rememberFormerList(state: ClusterState, after: LogicalHost): LogicalHostState | undefined {
  const before = state.logicalHosts.get(after.name)
  const at = state.states.get(after.name)
  if (before === undefined || at === undefined || isSameValue(before.physicalHosts, after.physicalHosts))
    return undefined
  // What this host has just committed itself may be newer than the revision up to which it knows everything.
  const heldAt = Math.max(state.revision, state.logicalHostRevisions.get(after.name) ?? 0)
  const former = { physicalHosts: before.physicalHosts, heldAt }
  return { ...at, formerLists: [...at.formerLists, former].slice(-FORMER_LISTS_MAX) }
}
