import type { ConfigurationRequest } from '../api/wire.ts'
import { HaError } from '../errors/ha-error.ts'
import type { LogicalAddress, LogicalHost } from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { type PhysicalHostName, parseName } from '../model/names.ts'
import { type Configuration, withEntry, withoutEntry } from './configuration.ts'
import { parseInterfaces } from './parse-interfaces.ts'

type Request<Kind> = Extract<ConfigurationRequest, { readonly kind: Kind }>

/** Adds what `scconf -L LH -n ... -g ... -i ... [-m]` describes. Throws `ALREADY_EXISTS`, `NAME_INVALID`, `CONFIG_INVALID`. */
export function addLogicalHost(configuration: Configuration, request: Request<'add-logical-host'>): Configuration {
  const name = parseName('logicalHost', request.name)
  if (configuration.logicalHosts.has(name)) {
    throw new HaError('ALREADY_EXISTS', `logical host ${name} is configured already`, {
      hint: `Change it with 'scconf CLUSTER -L ${name} --change ...', or remove it first: scconf CLUSTER -L ${name} -r`,
    })
  }
  const physicalHosts = request.physicalHosts.map((host) => parseName('physicalHost', host))
  return put(configuration, {
    name,
    physicalHosts,
    diskGroups: request.diskGroups.map((group) => parseName('diskGroup', group)),
    addresses: request.interfaces.map((words) => parseInterfaces(words, physicalHosts)),
    switchback: request.manual === true ? 'manual' : 'automatic',
    onStuck: request.onStuck ?? 'stay',
  })
}

/** Changes what `scconf -L LH --change` names. Throws `NOT_FOUND`, `NAME_INVALID`, `CONFIG_INVALID`. */
export function changeLogicalHost(
  configuration: Configuration,
  request: Request<'change-logical-host'>,
): Configuration {
  const before = findLogicalHost(configuration, request.name)
  const physicalHosts = request.physicalHosts?.map((host) => parseName('physicalHost', host)) ?? before.physicalHosts
  return put(configuration, {
    name: before.name,
    physicalHosts,
    diskGroups: request.diskGroups?.map((group) => parseName('diskGroup', group)) ?? before.diskGroups,
    addresses:
      request.interfaces?.map((words) => parseInterfaces(words, physicalHosts)) ??
      before.addresses.map((address) => forgetAdapters(address, physicalHosts)),
    switchback: request.switchback ?? before.switchback,
    onStuck: request.onStuck ?? before.onStuck,
  })
}

/** Removes a logical host. Throws `NOT_FOUND`, and `IN_USE` while services are configured on it. */
export function removeLogicalHost(state: ClusterState, configuration: Configuration, text: string): Configuration {
  const { name } = findLogicalHost(configuration, text)
  const services = [...state.dataServices.values()].filter((service) => service.logicalHosts.includes(name))
  if (services.length > 0) {
    const names = services.map((service) => service.name).toSorted()
    throw new HaError('IN_USE', `logical host ${name} has data services configured on it: ${names.join(', ')}`, {
      hint: `Take them off it first: scconf CLUSTER -s -r ${names[0]} ${name}`,
    })
  }
  return { ...configuration, logicalHosts: withoutEntry(configuration.logicalHosts, name) }
}

/** Finds a configured logical host by text from outside. Throws `NOT_FOUND`, with what there is. */
export function findLogicalHost({ logicalHosts }: Pick<Configuration, 'logicalHosts'>, text: string): LogicalHost {
  const found = [...logicalHosts.values()].find(({ name }) => name === text)
  if (found !== undefined) return found
  throw new HaError('NOT_FOUND', `there is no logical host ${text}`, {
    hint: `Configured are: ${[...logicalHosts.keys()].toSorted().join(', ') || 'none'}.`,
  })
}

function put(configuration: Configuration, logicalHost: LogicalHost): Configuration {
  return { ...configuration, logicalHosts: withEntry(configuration.logicalHosts, logicalHost.name, logicalHost) }
}

/** A host that leaves the list takes its adapter along; one that comes needs `-i`, and the check says so. */
function forgetAdapters(address: LogicalAddress, hosts: readonly PhysicalHostName[]): LogicalAddress {
  const kept = Object.entries(address.adapters).filter(([host]) => hosts.some((name) => name === host))
  return { ...address, adapters: Object.fromEntries(kept) }
}
