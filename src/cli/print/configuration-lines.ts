import type {
  AddressJson,
  ConfigurationJson,
  DiskGroupJson,
  FileSystemJson,
  LogicalHostJson,
  NetworkJson,
  PhysicalHostJson,
} from '../../framework/api/wire.ts'
import { writeLimit } from './duration.ts'
import { fenceDeviceLines } from './fencing-lines.ts'

/** Writes the whole configuration, `scconf -p`. The first headings are those of the classic manual. */
export function configurationLines(configuration: ConfigurationJson): readonly string[] {
  const { cluster, networks, fenceDevices, physicalHosts, diskGroups, logicalHosts, services } = configuration
  const { timings, heartbeats, budgets, fencing, rejoins } = cluster
  return [
    `Current Configuration for Cluster ${cluster.name}:`,
    '',
    `  Hosts in cluster: ${physicalHosts.map(({ name }) => name).join(' ') || 'none'}`,
    '',
    ...physicalHosts.flatMap(({ name, publicNames, privateLinks }) => [
      `  Private Network Interfaces for ${name}: ${privateLinks.join(' ') || 'none'}`,
      ...(publicNames.length === 0 ? [] : [`  Public names of ${name}: ${publicNames.join(' ')}`]),
    ]),
    '',
    ...networks.flatMap((network) => [...networkLines(network, physicalHosts), '']),
    `  Logical Host Timeout Value : ${cluster.logicalHostTimeoutS} s`,
    `  Cluster Reconfiguration Step Timeout : ${cluster.stepTimeoutS} s`,
    `  Timings: stamp ${timings.stampMs} ms, guard ${timings.guardMs} ms, abort ${timings.abortMs} ms, margin ${timings.marginMs} ms`,
    `  Heartbeats: every ${heartbeats.intervalMs} ms, a host is suspected after ${heartbeats.suspectMs} ms without one`,
    `  Budgets: ${budgets.takeoversMax} takeovers of a logical host in ${writeLimit(budgets.takeoverWindowMs)}, ` +
      `${budgets.evictionsMax} lost hosts in ${writeLimit(budgets.evictionWindowMs)}, ${budgets.parallelMovesMax} moves at a time`,
    `  Fencing: at most ${Math.round(fencing.shareMax * 100)} % of the hosts (one at least) in ${writeLimit(fencing.windowMs)}, ` +
      `delay of the less preferred of two ${fencing.delayMs} ms, devices asked every ${writeLimit(fencing.statusEveryMs)}`,
    `  Rejoins by itself after a loss: ${rejoins.rejoinsMax} in ${writeLimit(rejoins.windowMs)}`,
    `  Syslog facility: ${cluster.syslogFacility}`,
    ...fenceDevices.flatMap((device) => ['', ...fenceDeviceLines(device)]),
    ...physicalHosts.flatMap(({ name, fenceLevels }) =>
      fenceLevels.length === 0
        ? []
        : [`  Fence levels of ${name}: ${fenceLevels.map((level) => level.join('+')).join(', then ')}`],
    ),
    ...diskGroups.flatMap((group) => ['', ...diskGroupLines(group)]),
    ...logicalHosts.flatMap((host) => ['', ...logicalHostLines(host)]),
    ...(services.length === 0 ? [] : ['']),
    ...services.map(
      ({ name, state, logicalHosts: on }) =>
        `  Data Service ${name}: ${state}, on ${on.join(' ') || 'no logical host'}`,
    ),
  ]
}

function networkLines(
  { name, role, probeTargets }: NetworkJson,
  hosts: readonly PhysicalHostJson[],
): readonly string[] {
  const ends = hosts.flatMap((host) =>
    host.interfaces.filter(({ network }) => network === name).map((at) => ({ host, at })),
  )
  return [
    `  Network ${name}: ${role}${probeTargets.length === 0 ? '' : `, probes ${probeTargets.join(' ')}`}`,
    ...ends.map(({ host, at }) => `      ${host.name}: ${at.adapter} ${at.address}`),
  ]
}

function diskGroupLines(group: DiskGroupJson): readonly string[] {
  const head = `  Disk Group ${group.name}: ${group.kind}`
  if (group.kind === 'directory') return [`${head} ${group.path}`]
  const { fileSystems, reservation } = group
  return [
    head,
    ...fileSystems.map((fileSystem) => `      ${fileSystemLine(fileSystem)}`),
    ...(reservation === null ? [] : [`      SCSI-3 persistent reservations by ${reservation}`]),
  ]
}

function fileSystemLine({ device, type, mountPoint, options }: FileSystemJson): string {
  const where = mountPoint === '' ? 'at the mount point of the disk group' : `at ${mountPoint}`
  return `${device} (${type}) ${where}${options.length === 0 ? '' : `, options ${options.join(',')}`}`
}

function logicalHostLines(host: LogicalHostJson): readonly string[] {
  return [
    `  Logical Host ${host.name}:`,
    `      Possible masters: ${host.physicalHosts.join(' ')}`,
    `      Disk groups: ${host.diskGroups.join(' ')}`,
    `      Logical addresses: ${host.addresses.map(addressText).join(' ') || 'none'}`,
    `      Automatic switchback: ${host.switchback === 'automatic' ? 'yes' : 'no'}`,
    `      When it cannot be released provably: ${host.onStuck}`,
    `      Administrative file system: ${host.pathPrefix}`,
  ]
}

function addressText({ address, prefixLength, adapters }: AddressJson): string {
  const on = Object.entries(adapters).map(([host, adapter]) => `${host}:${adapter}`)
  return `${address}/${prefixLength}${on.length === 0 ? '' : ` (${on.join(' ')})`}`
}
