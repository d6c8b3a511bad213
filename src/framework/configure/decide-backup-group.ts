import type { ConfigurationRequest } from '../api/wire.ts'
import { HaError } from '../errors/ha-error.ts'
import type { PhysicalHost } from '../model/cluster-config.ts'
import { type NetworkName, parseName } from '../model/names.ts'
import type { BackupGroup } from '../model/network.ts'
import { type Configuration, withEntry } from './configuration.ts'

type Request<Kind> = Extract<ConfigurationRequest, { readonly kind: Kind }>

/** Adds a backup group to a host, or defines it anew. Throws `NOT_FOUND`, `NAME_INVALID`, and `CONFIG_INVALID` when the network is not clear. */
export function putBackupGroup(configuration: Configuration, request: Request<'backup-group'>): Configuration {
  const host = hostOf(configuration, request.host)
  const { name, adapters } = request
  const network =
    request.network === undefined ? networkOf(configuration, host, request) : parseName('network', request.network)
  const others = host.backupGroups.filter((group) => group.name !== name)
  return withGroups(configuration, host, [...others, { name, network, adapters }])
}

/** Removes a backup group. Throws `NOT_FOUND`. */
export function removeBackupGroup(
  configuration: Configuration,
  request: Request<'remove-backup-group'>,
): Configuration {
  const host = hostOf(configuration, request.host)
  const rest = host.backupGroups.filter(({ name }) => name !== request.name)
  if (rest.length < host.backupGroups.length) return withGroups(configuration, host, rest)
  throw new HaError('NOT_FOUND', `${host.name} has no backup group ${request.name}`, {
    hint: `There are: ${host.backupGroups.map(({ name }) => name).join(', ') || 'none'}.`,
  })
}

function hostOf({ physicalHosts }: Configuration, text: string): PhysicalHost {
  const found = physicalHosts.get(parseName('physicalHost', text))
  if (found !== undefined) return found
  throw new HaError('NOT_FOUND', `there is no physical host ${text}`, {
    hint: `Configured are: ${[...physicalHosts.keys()].toSorted().join(', ') || 'none'}.`,
  })
}

/** A group stays where it is; a new one is on the network of its adapters, or on the only one for clients. */
function networkOf(
  { networks }: Configuration,
  host: PhysicalHost,
  { name, adapters }: Request<'backup-group'>,
): NetworkName {
  const before = host.backupGroups.find((group) => group.name === name)
  const ofAdapter = host.interfaces.find(({ adapter }) => adapters.includes(adapter))
  const known = before?.network ?? ofAdapter?.network
  if (known !== undefined) return known
  const forClients = [...networks.values()].filter(({ role }) => role === 'client' || role === 'both')
  const [only] = forClients
  if (only !== undefined && forClients.length === 1) return only.name
  const names = forClients.map((network) => network.name).join(', ') || 'none'
  throw new HaError('CONFIG_INVALID', `it is not clear which network backup group ${name} of ${host.name} is on`, {
    hint: `Say it with --network. Networks for clients are: ${names}.`,
  })
}

function withGroups(configuration: Configuration, host: PhysicalHost, groups: readonly BackupGroup[]): Configuration {
  const backupGroups = groups.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  return {
    ...configuration,
    physicalHosts: withEntry(configuration.physicalHosts, host.name, { ...host, backupGroups }),
  }
}
