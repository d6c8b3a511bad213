import { assertNever } from '../errors/assert-never.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { type DataServiceName, type LogicalHostName, parseName } from '../model/names.ts'
import type { Cause } from '../model/reconfiguration.ts'
import type { RequestJson } from './wire.ts'

/** Makes a cause of what an operator asks for. Throws `NAME_INVALID`; whether the names are known is the planner's to say. */
export function toCause(state: ClusterState, request: RequestJson, by: string): Cause {
  switch (request.kind) {
    case 'switchover':
      return {
        kind: 'switchover',
        logicalHosts: logicalHosts(request.logicalHosts),
        to: parseName('physicalHost', request.to),
        by,
      }
    case 'maintenance':
      return { kind: 'maintenance', logicalHosts: logicalHosts(request.logicalHosts), by }
    case 'reconfigure':
      return { kind: 'reconfigure', by }
    case 'services-on':
    case 'services-off':
      return { kind: request.kind, services: servicesOf(state, request.services), by }
    case 'service-hosts':
      return {
        kind: 'service-hosts',
        service: parseName('dataService', request.service),
        add: logicalHosts(request.add),
        remove: logicalHosts(request.remove),
        by,
      }
    case 'clear':
      return { kind: 'cleared', logicalHost: parseName('logicalHost', request.logicalHost), by }
    default:
      return assertNever(request)
  }
}

function logicalHosts(names: readonly string[]): readonly LogicalHostName[] {
  return [...new Set(names)].map((name) => parseName('logicalHost', name))
}

function servicesOf(state: ClusterState, names: readonly string[]): readonly DataServiceName[] {
  if (names.length === 0) return [...state.dataServices.keys()].toSorted()
  return [...new Set(names)].map((name) => parseName('dataService', name))
}
