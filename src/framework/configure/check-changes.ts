import type { DataService, LogicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import { actorOf, isInMotion, type Mastery, uncleanOf } from '../model/mastery.ts'
import type { DiskGroupName, LogicalHostName, PhysicalHostName } from '../model/names.ts'
import { isSameValue } from '../model/same-value.ts'
import type { Problem } from './problem.ts'

/**
 * Finds changes that must not be made while the cluster does what it does: what is mastered keeps what it is made of, and what runs keeps
 * the programs that stop it. `changes` must be meaningful by themselves (`checkConfiguration`).
 */
export function checkChanges(state: ClusterState, changes: readonly ConfigurationChange[]): readonly Problem[] {
  return changes.flatMap((change) => checkChange(state, change))
}

function checkChange(state: ClusterState, change: ConfigurationChange): readonly Problem[] {
  switch (change.kind) {
    case 'put-logical-host':
      return checkLogicalHostChange(state, change.logicalHost)
    case 'delete-logical-host':
      return checkLogicalHostRemoval(state, change.name)
    case 'put-disk-group':
      return checkDiskGroupChange(state, change.diskGroup.name, 'changed')
    case 'delete-disk-group':
      return checkDiskGroupChange(state, change.name, 'removed')
    case 'delete-physical-host':
      return checkPhysicalHostRemoval(state, change.name)
    case 'put-data-service':
      return checkServiceChange(state, change.dataService)
    case 'delete-data-service':
      return checkServiceRemoval(state, change.name)
    default:
      return []
  }
}

/** Hosts that hold the logical host or are about to: they work with what was configured when they began. */
function holdersOf(mastery: Mastery | undefined): readonly PhysicalHostName[] {
  if (mastery === undefined) return []
  const actor = actorOf(mastery)
  const heir =
    (mastery.kind === 'givingUp' || mastery.kind === 'stuck') && mastery.destination.kind === 'to'
      ? [mastery.destination.host]
      : []
  return [...(actor === undefined ? [] : [actor]), ...heir]
}

function checkLogicalHostChange(state: ClusterState, after: LogicalHost): readonly Problem[] {
  const before = state.logicalHosts.get(after.name)
  const holders = holdersOf(state.states.get(after.name)?.mastery)
  if (before === undefined || holders.length === 0) return []
  const parts = partsChanged(before, after, holders)
  const lost = holders.filter((host) => !after.physicalHosts.includes(host))
  const path = ['logicalHosts', after.name]
  return [
    ...parts.map((part) => ({
      ...held(after.name, holders, `its ${part.what} cannot be changed`),
      path: [...path, part.field],
    })),
    ...lost.map((host) => {
      const message = `${host} cannot be taken from the list of logical host ${after.name}, which it masters`
      const hint = `Move it away first: haswitch HOST ${after.name}, or haswitch -m ${after.name}`
      return { code: 'IN_USE' as const, path: [...path, 'physicalHosts'], message, hint }
    }),
  ]
}

/** What the holders work with. The adapters of other hosts may change, so that a host can be added to the list. */
function partsChanged(
  before: LogicalHost,
  after: LogicalHost,
  holders: readonly PhysicalHostName[],
): readonly { field: string; what: string }[] {
  const addressesFor = (logicalHost: LogicalHost): unknown =>
    logicalHost.addresses.map(({ adapters, ...address }) => ({
      ...address,
      adapters: holders.map((host) => adapters[host] ?? ''),
    }))
  return [
    ...(isSameValue(before.diskGroups, after.diskGroups) ? [] : [{ field: 'diskGroups', what: 'disk groups' }]),
    ...(isSameValue(addressesFor(before), addressesFor(after)) ? [] : [{ field: 'addresses', what: 'addresses' }]),
  ]
}

function checkLogicalHostRemoval(state: ClusterState, name: LogicalHostName): readonly Problem[] {
  const mastery = state.states.get(name)?.mastery
  const holders = holdersOf(mastery)
  if (holders.length > 0) return [held(name, holders, 'it cannot be removed')]
  return mastery === undefined ? [] : checkClean(name, uncleanOf(mastery))
}

/** A lost host may still have the disk groups imported; only its return, or the next import by force, settles that. */
function checkClean(name: LogicalHostName, uncleanOn: readonly PhysicalHostName[]): readonly Problem[] {
  if (uncleanOn.length === 0) return []
  const message = `logical host ${name} cannot be removed: ${uncleanOn.join(', ')} was lost and may have left it behind`
  return [
    {
      code: 'IN_USE',
      path: ['logicalHosts', name],
      message,
      hint: `Switch it over once (haswitch HOST ${name}), then to maintenance.`,
    },
  ]
}

function held(name: LogicalHostName, holders: readonly PhysicalHostName[], what: string): Problem {
  return {
    code: 'IN_USE',
    path: ['logicalHosts', name],
    message: `logical host ${name} is held by ${holders[0]}, so ${what}`,
    hint: `Put it into maintenance first: haswitch -m ${name}`,
  }
}

function checkDiskGroupChange(
  state: ClusterState,
  name: DiskGroupName,
  verb: 'changed' | 'removed',
): readonly Problem[] {
  if (!state.diskGroups.has(name)) return []
  return [...state.logicalHosts.values()]
    .filter((logicalHost) => logicalHost.diskGroups.includes(name))
    .flatMap((logicalHost): readonly Problem[] => {
      const holders = holdersOf(state.states.get(logicalHost.name)?.mastery)
      if (holders.length === 0) return []
      return [
        { ...held(logicalHost.name, holders, `its disk group ${name} cannot be ${verb}`), path: ['diskGroups', name] },
      ]
    })
}

function checkPhysicalHostRemoval(state: ClusterState, name: PhysicalHostName): readonly Problem[] {
  const path = ['physicalHosts', name]
  if (state.members.has(name)) {
    const hint = `On ${name}: scadmin stopnode`
    return [
      { code: 'IN_USE', path, message: `physical host ${name} is a member of the cluster and cannot be removed`, hint },
    ]
  }
  return [...state.states.values()].flatMap(({ name: logicalHost, mastery }): readonly Problem[] => {
    if (!uncleanOf(mastery).includes(name)) return []
    const message = `physical host ${name} was lost and may have left ${logicalHost} behind, so it cannot be removed`
    return [
      { code: 'IN_USE', path, message, hint: `Start it once (scadmin startnode), or switch ${logicalHost} over.` },
    ]
  })
}

/** Names what may not change while a service is on (Sun Cluster 2.2 Software Installation Guide 10.7.1); timeouts, versions and packages may. */
function checkServiceChange(state: ClusterState, after: DataService): readonly Problem[] {
  const before = state.dataServices.get(after.name)
  if (before === undefined) return []
  const programs = ({ methods }: DataService): unknown =>
    Object.fromEntries(Object.entries(methods).map(([method, { program }]) => [method, program]))
  const changed = [
    ...(isSameValue(programs(before), programs(after)) ? [] : ['methods']),
    ...(isSameValue(before.dependsOn.toSorted(), after.dependsOn.toSorted()) ? [] : ['dependsOn']),
    ...(isSameValue(before.logicalHosts.toSorted(), after.logicalHosts.toSorted()) ? [] : ['logicalHosts']),
  ]
  if (changed.length === 0) return []
  if (before.state === 'off') return checkAtRest(state, before, 'changed')
  return changed.map((field) => ({
    code: 'SERVICE_ON',
    path: ['dataServices', after.name, field],
    message: `data service ${after.name} is on, so its ${WHAT[field] ?? field} cannot be changed`,
    hint: `Switch it off first: hareg -n ${after.name}`,
  }))
}

const WHAT: Readonly<Record<string, string>> = { dependsOn: 'dependencies', logicalHosts: 'logical hosts' }

function checkServiceRemoval(state: ClusterState, name: DataService['name']): readonly Problem[] {
  const service = state.dataServices.get(name)
  if (service === undefined) return []
  if (service.state === 'off') return checkAtRest(state, service, 'unregistered')
  const message = `data service ${name} is on and cannot be unregistered`
  return [{ code: 'SERVICE_ON', path: ['dataServices', name], message, hint: `Switch it off first: hareg -n ${name}` }]
}

/** A service that was switched off just now may still be stopping. */
function checkAtRest(state: ClusterState, service: DataService, verb: string): readonly Problem[] {
  return service.logicalHosts.flatMap((name): readonly Problem[] => {
    const found = state.states.get(name)
    if (found === undefined || !isInMotion(found.mastery)) return []
    const message = `data service ${service.name} cannot be ${verb} while logical host ${name} is in the middle of reconfiguration ${found.reconfiguration}`
    return [
      {
        code: 'LOGICAL_HOST_BUSY',
        path: ['dataServices', service.name],
        message,
        hint: 'Wait for it, then try again.',
      },
    ]
  })
}
