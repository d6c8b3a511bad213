import type { ConfigurationRequest } from '../api/wire.ts'
import { assertNever } from '../errors/assert-never.ts'
import { HaError } from '../errors/ha-error.ts'
import { PROFILES } from '../membership/check-timings.ts'
import type { PhysicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import { parseName } from '../model/names.ts'
import { newPhysicalHost } from '../model/new-physical-host.ts'
import { type Configuration, configurationOf, withEntry, withoutEntry } from './configuration.ts'
import { putBackupGroup, removeBackupGroup } from './decide-backup-group.ts'
import { decideChanges } from './decide-changes.ts'
import { decideFencing } from './decide-fencing.ts'
import { addLogicalHost, changeLogicalHost, removeLogicalHost } from './decide-logical-host.ts'
import { editInterfaces, putNetwork, removeNetwork } from './decide-network.ts'
import { parseDiskGroup } from './parse-disk-group.ts'

/**
 * Decides one form of `scconf`. Empty = it is so already. Host names in `interfaces` must have been looked up.
 *
 * Throws all problems at once: `NOT_FOUND`, `ALREADY_EXISTS`, `NAME_INVALID`, `IN_USE` (mastered, member, or used by something else), `LIMIT_REACHED`, or `CONFIG_INVALID`.
 */
export function decideRequest(state: ClusterState, request: ConfigurationRequest): readonly ConfigurationChange[] {
  return decideChanges(state, edit(state, configurationOf(state), request), headlineOf(request))
}

function edit(state: ClusterState, configuration: Configuration, request: ConfigurationRequest): Configuration {
  const { cluster } = configuration
  switch (request.kind) {
    case 'timeouts': {
      const { kind, ...timeouts } = request
      return { ...configuration, cluster: { ...cluster, ...timeouts } }
    }
    case 'timings': {
      const { kind, profile, ...figures } = request
      const base = profile === undefined ? cluster.timings : PROFILES[profile]
      return { ...configuration, cluster: { ...cluster, timings: { ...base, ...figures } } }
    }
    case 'heartbeats': {
      const { kind, ...figures } = request
      return { ...configuration, cluster: { ...cluster, heartbeats: { ...cluster.heartbeats, ...figures } } }
    }
    case 'budgets': {
      const { kind, ...budgets } = request
      return { ...configuration, cluster: { ...cluster, budgets: { ...cluster.budgets, ...budgets } } }
    }
    case 'fence-device':
    case 'remove-fence-device':
    case 'fence-levels':
    case 'fencing-limits':
    case 'rejoins':
      return decideFencing(configuration, request)
    case 'syslog-facility':
      return { ...configuration, cluster: { ...cluster, syslogFacility: request.facility } }
    case 'physical-host':
      return putPhysicalHost(configuration, request)
    case 'network':
      return putNetwork(configuration, request)
    case 'remove-network':
      return removeNetwork(configuration, request.name)
    case 'backup-group':
      return putBackupGroup(configuration, request)
    case 'remove-backup-group':
      return removeBackupGroup(configuration, request)
    case 'remove-physical-host':
      return removePhysicalHost(configuration, request.name)
    case 'disk-group': {
      const diskGroup = parseDiskGroup(request.name, request.definitions)
      return { ...configuration, diskGroups: withEntry(configuration.diskGroups, diskGroup.name, diskGroup) }
    }
    case 'remove-disk-group':
      return removeDiskGroup(configuration, request.name)
    case 'add-logical-host':
      return addLogicalHost(configuration, request)
    case 'change-logical-host':
      return changeLogicalHost(configuration, request)
    case 'remove-logical-host':
      return removeLogicalHost(state, configuration, request.name)
    default:
      return assertNever(request)
  }
}

function headlineOf(request: ConfigurationRequest): string {
  return 'name' in request ? `${request.name} cannot be configured so` : 'the cluster cannot be configured so'
}

function putPhysicalHost(
  configuration: Configuration,
  request: Extract<ConfigurationRequest, { kind: 'physical-host' }>,
): Configuration {
  const name = parseName('physicalHost', request.name)
  const before: PhysicalHost = configuration.physicalHosts.get(name) ?? newPhysicalHost(name)
  const { publicNames = before.publicNames, privateLinks = before.privateLinks } = request
  const interfaces = editInterfaces(before.interfaces, request)
  return {
    ...configuration,
    physicalHosts: withEntry(configuration.physicalHosts, name, { ...before, publicNames, privateLinks, interfaces }),
  }
}

function removePhysicalHost(configuration: Configuration, text: string): Configuration {
  const name = parseName('physicalHost', text)
  if (!configuration.physicalHosts.has(name)) throw notFound('physical host', text, configuration.physicalHosts.keys())
  const users = [...configuration.logicalHosts.values()].filter(({ physicalHosts }) => physicalHosts.includes(name))
  refuseUsed(`physical host ${name} is in the list of`, users, 'Take it out of the list')
  return { ...configuration, physicalHosts: withoutEntry(configuration.physicalHosts, name) }
}

function removeDiskGroup(configuration: Configuration, text: string): Configuration {
  const name = parseName('diskGroup', text)
  if (!configuration.diskGroups.has(name)) throw notFound('disk group', text, configuration.diskGroups.keys())
  const users = [...configuration.logicalHosts.values()].filter(({ diskGroups }) => diskGroups.includes(name))
  refuseUsed(`disk group ${name} belongs to`, users, 'Take it out of there')
  return { ...configuration, diskGroups: withoutEntry(configuration.diskGroups, name) }
}

function refuseUsed(what: string, users: readonly { readonly name: string }[], remedy: string): void {
  if (users.length === 0) return
  const names = users.map(({ name }) => name).join(', ')
  throw new HaError('IN_USE', `${what} logical host ${names}`, {
    hint: `${remedy}, or remove the logical host, first: scconf CLUSTER -L ${users[0]?.name} -r`,
  })
}

function notFound(kind: string, name: string, names: Iterable<string>): HaError {
  return new HaError('NOT_FOUND', `there is no ${kind} ${name}`, {
    hint: `Configured are: ${[...names].toSorted().join(', ') || 'none'}.`,
  })
}
