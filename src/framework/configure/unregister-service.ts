import { HaError } from '../errors/ha-error.ts'
import type { DataService } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import { configurationOf, withoutEntry } from './configuration.ts'
import { decideChanges } from './decide-changes.ts'

/** Decides `hareg -u`. Throws `NOT_FOUND`, `SERVICE_ON`, `IN_USE` (others depend on it), `LOGICAL_HOST_BUSY` (it is still stopping). */
export function unregisterService(state: ClusterState, name: string): readonly ConfigurationChange[] {
  const service = findService(state, name)
  const dependants = [...state.dataServices.values()].filter((other) => other.dependsOn.includes(service.name))
  if (dependants.length > 0) {
    const names = dependants.map((other) => other.name).toSorted()
    throw new HaError('IN_USE', `${names.join(', ')} depends on data service ${service.name}`, {
      hint: `Unregister first: hareg -u ${names[0]}`,
    })
  }
  const configuration = configurationOf(state)
  const dataServices = withoutEntry(configuration.dataServices, service.name)
  return decideChanges(state, { ...configuration, dataServices }, `data service ${name} cannot be unregistered`)
}

/** Finds a registered service by text from outside. Throws `NOT_FOUND`, with what there is. */
export function findService(state: Pick<ClusterState, 'dataServices'>, name: string): DataService {
  const found = [...state.dataServices.values()].find((service) => service.name === name)
  if (found !== undefined) return found
  throw new HaError('NOT_FOUND', `there is no data service ${name}`, {
    hint: `Registered are: ${[...state.dataServices.keys()].toSorted().join(', ') || 'none'}.`,
  })
}
