import type { MethodName } from '../../../src/framework/model/cluster-config.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { masterOf } from '../../../src/framework/model/mastery.ts'
import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../../../src/framework/model/names.ts'
import type { Half } from '../../../src/framework/model/step.ts'

const beginning: readonly MethodName[] = ['START', 'START_NET', 'FM_INIT', 'FM_START']

/**
 * Makes argv[1] and argv[2] of a call: the logical hosts of the service that the host serves once the half is done, and those that it does not.
 * The logical host of a half itself counts by what is being called: what starts is served, what stops is not.
 */
export function listsOf(
  state: ClusterState,
  host: PhysicalHostName,
  half: Half,
  call: { readonly service: DataServiceName; readonly method: MethodName },
): readonly [string, string] {
  const service = state.dataServices.get(call.service)
  const isOn = service?.state === 'on'
  const isServed = (name: LogicalHostName): boolean => {
    const there = state.states.get(name)
    if (name === half.logicalHost && !half.kind.startsWith('watch')) return isOn && beginning.includes(call.method)
    return isOn && there !== undefined && masterOf(there.mastery) === host && !there.without.includes(call.service)
  }
  const all = [...new Set([...(service?.logicalHosts ?? []), half.logicalHost])]
  return [all.filter(isServed).join(), all.filter((name) => !isServed(name)).join()]
}
