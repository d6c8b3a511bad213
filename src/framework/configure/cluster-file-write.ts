import {
  type DataService,
  type DiskGroup,
  type DiskReservation,
  type LogicalAddress,
  type LogicalHost,
  METHOD_NAMES,
  type PhysicalHost,
  RESERVATION_PROGRAM_DEFAULT,
} from '../model/cluster-config.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { FenceDevice } from '../model/fencing.ts'
import type { Network } from '../model/network.ts'
import { type PlainValue, writeYaml } from './write-yaml.ts'

const HEADER = `# The configuration of a Haven cluster, as 'scconf export' writes it.
#
# 'scconf diff -f FILE' shows what the file would change, 'scconf apply -f FILE' does it, all or nothing.
# Left out of 'cluster': stays as it is. Left out of an entry: its default. A section that is not there is left alone.
# Entries that are configured but not named in their section stay, unless '--prune' is given.
# A data service without 'state' stays on or off; a new one is off.`

/** Writes the whole configuration as the text of a cluster file: always in the same order, and applying it changes nothing. */
export function writeClusterFile(state: ClusterState): string {
  const { name, logicalHostTimeoutS, stepTimeoutS, syslogFacility, timings, heartbeats, budgets, fencing, rejoins } =
    state.cluster
  const sections = {
    cluster: {
      name,
      logicalHostTimeoutS,
      stepTimeoutS,
      syslogFacility,
      timings: { ...timings },
      heartbeats: { ...heartbeats },
      budgets: { ...budgets },
      fencing: { ...fencing },
      rejoins: { ...rejoins },
    },
    ...(state.networks.size > 0 && { networks: section(state.networks, writeNetwork) }),
    ...(state.fenceDevices.size > 0 && { fenceDevices: section(state.fenceDevices, writeFenceDevice) }),
    physicalHosts: section(state.physicalHosts, writePhysicalHost),
    diskGroups: section(state.diskGroups, writeDiskGroup),
    logicalHosts: section(state.logicalHosts, writeLogicalHost),
    dataServices: section(state.dataServices, writeService),
  }
  const written = Object.entries(sections).map(([title, content]) => writeYaml({ [title]: content }))
  return `${[HEADER, ...written].join('\n\n')}\n`
}

type PlainMap = { readonly [name: string]: PlainValue }

function section<Value>(map: ReadonlyMap<string, Value>, write: (value: Value) => PlainMap): PlainMap {
  const sorted = [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([name, value]) => [name, write(value)]))
}

function writeNetwork({ role, probeTargets, adapterTests }: Network): PlainMap {
  return {
    role,
    ...listUnlessEmpty({ probeTargets }),
    ...(adapterTests !== undefined && { adapterTests: { ...adapterTests } }),
  }
}

function writeFenceDevice({ agent, program, options, hosts, plugs, action, timeoutMs }: FenceDevice): PlainMap {
  return {
    agent,
    program,
    ...(Object.keys(options).length > 0 && { options: { ...options } }),
    hosts,
    ...(Object.keys(plugs).length > 0 && { plugs: { ...plugs } }),
    action,
    timeoutMs,
  }
}

function writePhysicalHost(host: PhysicalHost): PlainMap {
  const { publicNames, privateLinks, interfaces, backupGroups } = host
  const fenceLevels = host.fenceLevels.map((level) => level.join(','))
  const places = interfaces.map(({ network, adapter, address }) => [network, { adapter, address }] as const)
  const groups = backupGroups.map(({ name, network, adapters }) => [name, { network, adapters }] as const)
  return {
    ...listUnlessEmpty({ publicNames }),
    ...listUnlessEmpty({ privateLinks }),
    ...(places.length > 0 && { interfaces: Object.fromEntries(places) }),
    ...(groups.length > 0 && { backupGroups: Object.fromEntries(groups) }),
    ...listUnlessEmpty({ fenceLevels }),
  }
}

function writeDiskGroup(group: DiskGroup): PlainMap {
  if (group.kind === 'directory') return { directory: group.path }
  return {
    filesystems: group.fileSystems.map(({ device, type, mountPoint, options }) => ({
      device,
      type,
      ...(mountPoint !== '' && { mountPoint }),
      ...listUnlessEmpty({ options }),
    })),
    ...(group.reservation !== undefined && { reservation: writeReservation(group.reservation) }),
  }
}

function writeReservation({ program }: DiskReservation): string | PlainMap {
  return program === RESERVATION_PROGRAM_DEFAULT ? 'scsi-3' : { program }
}

function writeLogicalHost({ physicalHosts, diskGroups, addresses, switchback, onStuck }: LogicalHost): PlainMap {
  return { physicalHosts, diskGroups, addresses: addresses.map(writeAddress), switchback, onStuck }
}

function writeAddress({ kind, address, prefixLength, adapters }: LogicalAddress): PlainMap {
  const text = `${address}/${prefixLength}`
  return kind === 'local' ? { address: text } : { address: text, adapters: { ...adapters } }
}

function writeService(service: DataService): PlainMap {
  const { state, logicalHosts, dependsOn, baseDirectory, methods, version, apiVersion, packages } = service
  return {
    state,
    logicalHosts,
    ...listUnlessEmpty({ dependsOn }),
    ...(baseDirectory !== '' && { baseDirectory }),
    methods: Object.fromEntries(
      METHOD_NAMES.flatMap((name) => (methods[name] === undefined ? [] : [[name, { ...methods[name] }]])),
    ),
    ...(version !== '' && { version }),
    ...(apiVersion !== '' && { apiVersion }),
    ...listUnlessEmpty({ packages }),
  }
}

function listUnlessEmpty(field: Readonly<Record<string, readonly string[]>>): PlainMap {
  return Object.fromEntries(Object.entries(field).filter(([, list]) => list.length > 0))
}
