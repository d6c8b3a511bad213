import type { DataService, DiskGroup, LogicalAddress, LogicalHost, PhysicalHost } from '../model/cluster-config.ts'
import { METHOD_TIMEOUT_DEFAULT_S, RESERVATION_PROGRAM_DEFAULT } from '../model/cluster-config.ts'
import type { FenceDevice } from '../model/fencing.ts'
import {
  type DataServiceName,
  type DiskGroupName,
  type FenceDeviceName,
  isName,
  type LogicalHostName,
  type NetworkName,
  type PhysicalHostName,
} from '../model/names.ts'
import { newPhysicalHost } from '../model/new-physical-host.ts'
import type { ClusterFile } from './cluster-file-shape.ts'
import type { Configuration } from './configuration.ts'
import { FENCE_TIMEOUT_MS_DEFAULT } from './decide-fencing.ts'
import { parseAddress } from './parse-address.ts'
import type { Problem } from './problem.ts'
import { joinPath } from './register-service.ts'

type Section = 'networks' | 'fenceDevices' | 'physicalHosts' | 'diskGroups' | 'logicalHosts' | 'dataServices'
type Entry<Name extends Section> = NonNullable<ClusterFile[Name]>[string]

/**
 * Makes the configuration that a cluster file asks for out of the present one. `prune`: what a section of the file does not name is gone. The
 * problems are those that the configuration cannot show any more: names that are none, another cluster, a disk group of two kinds.
 */
export function readConfiguration(
  file: ClusterFile,
  present: Configuration,
  prune: boolean,
): { readonly wanted: Configuration; readonly problems: readonly Problem[] } {
  const { name, timings, heartbeats, fencing, rejoins, budgets, ...settings } = file.cluster
  const wanted: Configuration = {
    cluster: {
      ...present.cluster,
      ...settings,
      timings: { ...present.cluster.timings, ...timings },
      heartbeats: { ...present.cluster.heartbeats, ...heartbeats },
      fencing: { ...present.cluster.fencing, ...fencing },
      rejoins: { ...present.cluster.rejoins, ...rejoins },
      budgets: { ...present.cluster.budgets, ...budgets },
    },
    networks: merge(present.networks, file.networks, prune, (network, entry) => ({ name: network, ...entry })),
    fenceDevices: merge(present.fenceDevices, file.fenceDevices, prune, readFenceDevice),
    physicalHosts: merge(present.physicalHosts, file.physicalHosts, prune, (host, entry) =>
      readPhysicalHost(present.physicalHosts.get(host) ?? newPhysicalHost(host), entry),
    ),
    diskGroups: merge(present.diskGroups, file.diskGroups, prune, readDiskGroup),
    logicalHosts: merge(present.logicalHosts, file.logicalHosts, prune, readLogicalHost),
    dataServices: merge(present.dataServices, file.dataServices, prune, readService),
  }
  return { wanted, problems: [...findWrongNames(file), ...findOtherCluster(file, present), ...findWrongGroups(file)] }
}

function merge<Name extends string, Value, From>(
  present: ReadonlyMap<Name, Value>,
  section: Readonly<Record<string, From>> | undefined,
  prune: boolean,
  read: (name: Name, from: From) => Value,
): ReadonlyMap<Name, Value> {
  if (section === undefined) return present
  const merged = new Map(prune ? [] : present)
  // Names are checked beside this (`findWrongNames`): whatever is wrong keeps the result from being used.
  for (const [name, from] of Object.entries(section)) merged.set(name as Name, read(name as Name, from))
  return merged
}

function readPhysicalHost(
  before: PhysicalHost,
  { publicNames, privateLinks, interfaces, backupGroups, fenceLevels }: Entry<'physicalHosts'>,
): PhysicalHost {
  const sorted = <Value>(map: Readonly<Record<string, Value>>) =>
    Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return {
    ...before,
    publicNames,
    privateLinks,
    fenceLevels: fenceLevels.map((level) => {
      const names = typeof level === 'string' ? level.split(',').map((name) => name.trim()) : level
      return toReferences<FenceDeviceName>(names)
    }),
    interfaces: sorted(interfaces).map(([network, place]) => ({ network: network as NetworkName, ...place })),
    backupGroups: sorted(backupGroups).map(([name, { network, adapters }]) => ({
      name,
      network: network as NetworkName,
      adapters,
    })),
  }
}

function readFenceDevice(name: FenceDeviceName, entry: Entry<'fenceDevices'>): FenceDevice {
  const { timeoutMs = FENCE_TIMEOUT_MS_DEFAULT, hosts, ...rest } = entry
  return { ...rest, name, hosts: toReferences<PhysicalHostName>(hosts), timeoutMs }
}

function readDiskGroup(
  name: DiskGroupName,
  { directory, filesystems = [], reservation }: Entry<'diskGroups'>,
): DiskGroup {
  if (directory !== undefined) return { kind: 'directory', name, path: directory }
  return {
    kind: 'filesystem',
    name,
    fileSystems: filesystems,
    ...(reservation !== undefined && {
      reservation: reservation === 'scsi-3' ? { program: RESERVATION_PROGRAM_DEFAULT } : reservation,
    }),
  }
}

function readLogicalHost(name: LogicalHostName, entry: Entry<'logicalHosts'>): LogicalHost {
  return {
    name,
    physicalHosts: toReferences<PhysicalHostName>(entry.physicalHosts),
    diskGroups: toReferences<DiskGroupName>(entry.diskGroups),
    addresses: entry.addresses.map((address) => readAddress(address, entry.physicalHosts)),
    switchback: entry.switchback,
    onStuck: entry.onStuck,
  }
}

/** Keeps text that is no address as it is: the check of the whole configuration says what is wrong with it. */
function readAddress(
  { address, adapters }: Entry<'logicalHosts'>['addresses'][number],
  hosts: readonly string[],
): LogicalAddress {
  const parsed = parseAddress(address)
  const each = typeof adapters === 'string' ? Object.fromEntries(hosts.map((host) => [host, adapters])) : adapters
  if (parsed.kind !== 'ip') {
    const [bare = '', prefix = '32'] = address.split('/')
    return { kind: 'ip', address: bare, prefixLength: Number(prefix), adapters: each }
  }
  const kind = parsed.isLoopback ? 'local' : 'ip'
  return { kind, address: parsed.address, prefixLength: parsed.prefixLength, adapters: each }
}

function readService(name: DataServiceName, entry: Entry<'dataServices'>): DataService {
  const methods = Object.entries(entry.methods).map(([method, given]) => {
    const { program, timeoutS } =
      typeof given === 'string' ? { program: given, timeoutS: METHOD_TIMEOUT_DEFAULT_S } : given
    return [method, { program: joinPath(entry.baseDirectory, program), timeoutS }] as const
  })
  return {
    name,
    state: entry.state ?? 'off',
    methods: Object.fromEntries(methods),
    baseDirectory: entry.baseDirectory,
    dependsOn: toReferences<DataServiceName>(entry.dependsOn),
    logicalHosts: toReferences<LogicalHostName>(entry.logicalHosts),
    version: entry.version,
    apiVersion: entry.apiVersion,
    packages: entry.packages,
  }
}

/** Text that is no name refers to nothing that is configured, and is reported as that: nothing unparsed gets past the checks. */
function toReferences<Name extends string>(names: readonly string[]): readonly Name[] {
  return names.map((name) => name as Name)
}

function findWrongNames(file: ClusterFile): readonly Problem[] {
  return (['networks', 'fenceDevices', 'physicalHosts', 'diskGroups', 'logicalHosts', 'dataServices'] as const).flatMap(
    (section) =>
      Object.keys(file[section] ?? {})
        .filter((name) => !isName(name))
        .map((name): Problem => {
          const hint = 'Use 1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit.'
          return { code: 'NAME_INVALID', path: [section, name], message: `'${name}' cannot be a name`, hint }
        }),
  )
}

function findOtherCluster(file: ClusterFile, present: Configuration): readonly Problem[] {
  if (file.cluster.name === present.cluster.name) return []
  const message = `the file is of cluster ${file.cluster.name}, and this is cluster ${present.cluster.name}`
  return [{ code: 'CONFIG_INVALID', path: ['cluster', 'name'], message }]
}

function findWrongGroups({ diskGroups = {} }: ClusterFile): readonly Problem[] {
  return Object.entries(diskGroups)
    .filter(
      ([, { directory, filesystems, reservation }]) =>
        directory !== undefined && (filesystems !== undefined || reservation !== undefined),
    )
    .map(([name, { filesystems }]): Problem => {
      const message =
        filesystems === undefined
          ? `disk group ${name} is a directory, which cannot be reserved`
          : `disk group ${name} is either a directory or file systems, not both`
      return { code: 'CONFIG_INVALID', path: ['diskGroups', name], message }
    })
}
