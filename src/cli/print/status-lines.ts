import type {
  LogicalHostStatusJson,
  NetworkStatusJson,
  PhysicalHostStatusJson,
  PublicNetworksJson,
  ServiceOnHostJson,
  StatusJson,
} from '../../framework/api/wire.ts'
import { writeDuration, writeLimit, writeTime } from './duration.ts'
import { fencingLines } from './fencing-lines.ts'
import { needLines } from './needs.ts'
import { publicNetworkLines } from './public-network-lines.ts'
import { type Cell, renderTable } from './table.ts'

/**
 * Writes the status of the cluster: first what somebody has to look at, then the classic page with its literal headings (hastat(1M), Sun Cluster 2.2
 * System Administration Guide, section 2.1.1), which programs read.
 */
export function statusLines(status: StatusJson, options: { readonly messages: number }): readonly string[] {
  return [
    ...needLines(status),
    '',
    ...classicLines(status),
    ...ownLines(status),
    ...messageLines(status, options.messages),
  ]
}

/** Writes the same for a page that is looked at all the time: what changes stands above what the classic page repeats. */
export function livePageLines(status: StatusJson, options: { readonly messages: number }): readonly string[] {
  return [
    ...needLines(status),
    ...ownLines(status),
    ...messageLines(status, options.messages),
    '',
    ...classicLines(status),
  ]
}

function classicLines(status: StatusJson): readonly string[] {
  const { cluster, physicalHosts, logicalHosts } = status
  const members = physicalHosts.filter(({ membership }) => membership !== 'not a member')
  return [
    'HIGH AVAILABILITY CONFIGURATION AND STATUS',
    '-------------------------------------------',
    '',
    `LIST OF NODES CONFIGURED IN <${cluster}> CLUSTER`,
    `      ${physicalHosts.map(({ name }) => name).join(' ')}`,
    '',
    'CURRENT MEMBERS OF THE CLUSTER',
    ...orNone(
      members.map(
        ({ name, membership }) => `${name} is a cluster member${membership === 'leaving' ? ', leaving' : ''}`,
      ),
    ),
    '',
    'CONFIGURATION STATE OF THE CLUSTER',
    ...orNone(
      members.map(({ name, isStable }) => `Configuration State on ${name}: ${isStable ? 'Stable' : 'In Transition'}`),
    ),
    '',
    'UPTIME OF NODES IN THE CLUSTER',
    ...orNone(members.map(uptimeText)),
    '',
    'LOGICAL HOSTS MASTERED BY THE CLUSTER MEMBERS',
    ...members.flatMap(mastersLines),
    '',
    'LOGICAL HOSTS IN MAINTENANCE STATE',
    ...orNone(logicalHosts.filter(({ inMaintenance }) => inMaintenance).map(maintenanceText)),
    '',
    'STATUS OF PRIVATE NETS IN THE CLUSTER',
    ...networkLines(status.privateNetworks),
    '',
    'STATUS OF PUBLIC NETS IN THE CLUSTER',
    ...networkLines(status.publicNetworks),
    ...status.publicGroups.flatMap(groupLines),
    '',
    'STATUS OF SERVICES RUNNING ON LOGICAL HOSTS IN THE CLUSTER',
    '     Status Of Registered Data Services',
    ...orNone(
      status.services.map(({ name, state }) => `    ${`${name}:`.padEnd(23)} ${state === 'on' ? 'On' : 'Off'}`),
    ),
    ...logicalHosts.flatMap(serviceLines),
  ]
}

function uptimeText({ name, memberForMs }: PhysicalHostStatusJson): string {
  return `uptime of ${name}:   ${memberForMs === null ? 'joining' : `member for ${writeDuration(memberForMs)}`}`
}

function mastersLines({ name, masters, isBackupFor }: PhysicalHostStatusJson): readonly string[] {
  const list = (names: readonly string[]): readonly string[] =>
    (names.length === 0 ? ['None'] : names).map((one) => `        ${one}`)
  return [
    `Logical Hosts Mastered on ${name}:`,
    ...list(masters),
    `Loghost Hosts for which ${name} is Backup Node:`,
    ...list(isBackupFor),
  ]
}

function maintenanceText({ name, cause, reconfiguration, sinceWallMs }: LogicalHostStatusJson): string {
  const by = cause === null || cause.by === '' ? '' : ` by ${cause.by}`
  return `${name}   since ${writeTime(sinceWallMs)}${by} (reconfiguration ${reconfiguration})`
}

function networkLines(networks: readonly NetworkStatusJson[]): readonly string[] {
  if (networks.length === 0) return orNone([])
  return networks.flatMap(({ name, sentence, interfaces }) => [
    `     ${name}: ${sentence}`,
    ...renderTable(
      interfaces.map((one): readonly Cell[] => [`${one.host}:`, one.adapter, one.address, one.sentence]),
      '         ',
    ),
  ])
}

/** What `pnmstat` prints on each host. */
function groupLines(shown: PublicNetworksJson): readonly string[] {
  return [`     Public adapters of ${shown.host}:`, ...publicNetworkLines(shown).map((line) => `         ${line}`)]
}

const CONDITION: Readonly<Record<ServiceOnHostJson['condition'], string>> = {
  running: 'On',
  changing: 'changing',
  without: 'DOES NOT START',
  down: 'down, no master',
  off: 'Off',
}

function serviceLines({ name, master, services }: LogicalHostStatusJson): readonly string[] {
  if (services.length === 0) return []
  return [
    `     Status Of Data Services On ${name} (${master ?? 'no master'})`,
    ...services.map((service) => `         ${`${service.name}:`.padEnd(23)} ${CONDITION[service.condition]}`),
  ]
}

/** What the classic page does not have: every logical host in whatever state, and what runs right now. */
function ownLines({ logicalHosts, progress, fencing, lastReconfiguration }: StatusJson): readonly string[] {
  const rows = logicalHosts.map((host): readonly Cell[] => [
    host.name,
    host.sentence,
    writeTime(host.sinceWallMs),
    host.addresses.join(' ') || '-',
  ])
  return [
    '',
    `LOGICAL HOSTS (last reconfiguration: ${lastReconfiguration === 0 ? 'none' : lastReconfiguration})`,
    ...(rows.length === 0 ? ['     None'] : renderTable(rows, '     ')),
    ...fencingLines(fencing),
    ...(progress.length === 0 ? [] : ['', 'STEPS RUNNING NOW']),
    ...progress.map(
      ({ logicalHost, host, sentence, step, steps, timeoutMs }) =>
        `     ${logicalHost}: ${host}: ${sentence} (step ${step} of ${steps}, may take ${writeLimit(timeoutMs)})`,
    ),
  ]
}

function messageLines({ messages, answeredBy }: StatusJson, asked: number): readonly string[] {
  if (asked === 0) return []
  const lines = messages.map(({ atWallMs, level, text, reconfiguration }) => {
    const number = reconfiguration === null ? '' : ` [${reconfiguration}]`
    return `${writeTime(atWallMs)} ${level}${number} ${text}`
  })
  return ['', 'RECENT ERROR MESSAGES FROM THE CLUSTER', `     Messages on ${answeredBy}:`, ...orNone(lines)]
}

function orNone(lines: readonly string[]): readonly string[] {
  return (lines.length === 0 ? ['None'] : lines).map((line) => `     ${line}`)
}
