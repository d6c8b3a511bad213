import type {
  DataServiceName,
  DiskGroupName,
  FenceDeviceName,
  LogicalHostName,
  NetworkName,
  PhysicalHostName,
} from '../model/names.ts'
import type { HalfKind } from '../model/step.ts'
import type { RecordKey } from '../ports/cluster-database.ts'

/** Key of the record that holds what is true of the whole cluster. */
export const CLUSTER_KEY = 'cluster'
/** Key of the record that every plan is guarded on: plans are thereby serialised and numbered. */
export const JOURNAL_KEY = 'journal'

/** Key of the record that holds the authority of the cluster's certificates. */
export const AUTHORITY_KEY = 'authority'

/** Makes the keys of records. */
export const keyOf = {
  physicalHost: (name: PhysicalHostName): RecordKey => `physicalHosts/${name}`,
  network: (name: NetworkName): RecordKey => `networks/${name}`,
  fenceDevice: (name: FenceDeviceName): RecordKey => `fenceDevices/${name}`,
  diskGroup: (name: DiskGroupName): RecordKey => `diskGroups/${name}`,
  logicalHost: (name: LogicalHostName): RecordKey => `logicalHosts/${name}`,
  dataService: (name: DataServiceName): RecordKey => `dataServices/${name}`,
  member: (host: PhysicalHostName): RecordKey => `members/${host}`,
  stamp: (host: PhysicalHostName): RecordKey => `stamps/${host}`,
  mastery: (name: LogicalHostName): RecordKey => `mastery/${name}`,
  reconfiguration: (number: number): RecordKey => `reconfigurations/${number}`,
  /** The halves of a long plan go into further records, so that none grows over the limit of the database. */
  reconfigurationPart: (number: number, part: number): RecordKey => `reconfigurations/${number}/${part}`,
  halfRun: (run: HalfRunKey): RecordKey =>
    `timelines/${run.reconfiguration}/${run.logicalHost}/${run.host}/${run.kind}`,
  admission: (name: PhysicalHostName): RecordKey => `admissions/${name}`,
  joinToken: (id: string): RecordKey => `tokens/${id}`,
  sight: (host: PhysicalHostName): RecordKey => `sights/${host}`,
  fence: (host: PhysicalHostName): RecordKey => `fences/${host}`,
  fenceStatus: (device: FenceDeviceName, askedBy: PhysicalHostName): RecordKey => `fenceStatus/${device}/${askedBy}`,
  question: (host: PhysicalHostName): RecordKey => `questions/${host}`,
  rejoins: (host: PhysicalHostName): RecordKey => `rejoins/${host}`,
  programs: (host: PhysicalHostName): RecordKey => `programs/${host}`,
  progress: (logicalHost: LogicalHostName, host: PhysicalHostName): RecordKey => `progress/${logicalHost}/${host}`,
} as const

/** What names one executed half. */
export interface HalfRunKey {
  readonly reconfiguration: number
  readonly logicalHost: LogicalHostName
  readonly host: PhysicalHostName
  readonly kind: HalfKind
}

/** The kinds of records of the configuration: what `restore` replaces and backups are for. */
export const CONFIGURATION_FOLDERS = [
  'networks',
  'fenceDevices',
  'physicalHosts',
  'diskGroups',
  'logicalHosts',
  'dataServices',
] as const

/** Tells whether a record belongs to the configuration (and not to the state) of the cluster. */
export function isConfigurationKey(key: RecordKey): boolean {
  return key === CLUSTER_KEY || CONFIGURATION_FOLDERS.some((folder) => key.startsWith(`${folder}/`))
}

/** Returns the part of a key before its first slash: the kind of the record. */
export function folderOf(key: RecordKey): string {
  const end = key.indexOf('/')
  return end < 0 ? key : key.slice(0, end)
}
