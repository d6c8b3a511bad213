import type { ClusterState } from '../../model/cluster-state.ts'
import { masterOf } from '../../model/mastery.ts'
import type { LogicalHostName } from '../../model/names.ts'
import type { Reconfiguration } from '../../model/reconfiguration.ts'
import { describeCause } from '../../plan/describe.ts'
import { type Explanation, explain } from '../../plan/explain.ts'
import type { ExplainHostJson, ExplainJson } from '../wire.ts'

/** Shows why a logical host is where it is. Throws `NOT_FOUND`. */
export function viewExplanation(
  state: ClusterState,
  logicalHost: LogicalHostName,
  reconfigurations: readonly Reconfiguration[],
): ExplainJson {
  const explanation = explain(state, logicalHost)
  const last = reconfigurations.find(({ number }) => number === explanation.reconfiguration)
  const because = last?.because.find((one) => one.logicalHost === logicalHost)?.sentence ?? ''
  return {
    logicalHost,
    sentence: explanation.here,
    why: [...(because === '' ? [] : [`${logicalHost} ${because}.`]), ...explanation.without],
    hosts: hostsOf(state, logicalHost, explanation.notThere),
    wouldMove: explanation.wouldMove,
    lastChange:
      last === undefined
        ? null
        : { reconfiguration: last.number, atWallMs: last.atWallMs, cause: describeCause(last.cause), because },
  }
}

function hostsOf(
  state: ClusterState,
  logicalHost: LogicalHostName,
  notThere: Explanation['notThere'],
): readonly ExplainHostJson[] {
  const at = state.states.get(logicalHost)
  const master = at === undefined ? undefined : masterOf(at.mastery)
  return (state.logicalHosts.get(logicalHost)?.physicalHosts ?? []).map((host) => ({
    host,
    isMaster: host === master,
    isFit: notThere.find((one) => one.host === host)?.isAble ?? state.members.get(host)?.state === 'joined',
    reasons: [notThere.find((one) => one.host === host)?.why ?? `${host} holds it.`],
  }))
}
