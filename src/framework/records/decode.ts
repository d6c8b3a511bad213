import type { z } from 'zod'
import { HaError } from '../errors/ha-error.ts'
import type { Admission, Authority, JoinToken } from '../model/admission.ts'
import type { ClusterConfig, DataService, DiskGroup, LogicalHost, PhysicalHost } from '../model/cluster-config.ts'
import type { Member, Stamp } from '../model/cluster-state.ts'
import type { Fence, FenceDevice, FenceDeviceStatus, FenceQuestion, Rejoins } from '../model/fencing.ts'
import type { LogicalHostState } from '../model/mastery.ts'
import type { MissingPrograms } from '../model/missing-programs.ts'
import type { Network, NetworkSight } from '../model/network.ts'
import type { HalfRun, Progress } from '../model/timeline.ts'
import type { Json, RecordKey } from '../ports/cluster-database.ts'
import { admissionShape, authorityShape, joinTokenShape } from './admission-shapes.ts'
import {
  clusterShape,
  dataServiceShape,
  diskGroupShape,
  fenceDeviceShape,
  logicalHostShape,
  networkShape,
  physicalHostShape,
} from './config-shapes.ts'
import { AUTHORITY_KEY, CLUSTER_KEY, folderOf, JOURNAL_KEY } from './keys.ts'
import {
  halfRunShape,
  progressShape,
  type ReconfigurationHead,
  type ReconfigurationPart,
  reconfigurationPartShape,
  reconfigurationShape,
} from './plan-shapes.ts'
import {
  fenceDeviceStatusShape,
  fenceQuestionShape,
  fenceShape,
  type Journal,
  journalShape,
  logicalHostStateShape,
  memberShape,
  missingProgramsShape,
  networkSightShape,
  rejoinsShape,
  stampShape,
} from './state-shapes.ts'

/** The version of the shapes that this Haven writes, and the greatest that it reads. */
export const RECORD_SCHEMA = 1

/** What a record holds, in the terms of the model. */
export type Decoded =
  | { readonly kind: 'cluster'; readonly value: ClusterConfig }
  | { readonly kind: 'journal'; readonly value: Journal }
  | { readonly kind: 'physicalHost'; readonly value: PhysicalHost }
  | { readonly kind: 'network'; readonly value: Network }
  | { readonly kind: 'fenceDevice'; readonly value: FenceDevice }
  | { readonly kind: 'diskGroup'; readonly value: DiskGroup }
  | { readonly kind: 'logicalHost'; readonly value: LogicalHost }
  | { readonly kind: 'dataService'; readonly value: DataService }
  | { readonly kind: 'member'; readonly value: Member }
  | { readonly kind: 'stamp'; readonly value: Stamp }
  | { readonly kind: 'mastery'; readonly value: LogicalHostState }
  | { readonly kind: 'reconfiguration'; readonly value: ReconfigurationHead }
  | { readonly kind: 'reconfigurationPart'; readonly value: ReconfigurationPart }
  | { readonly kind: 'halfRun'; readonly value: HalfRun }
  | { readonly kind: 'progress'; readonly value: Progress }
  | { readonly kind: 'missingPrograms'; readonly value: MissingPrograms }
  | { readonly kind: 'sight'; readonly value: NetworkSight }
  | { readonly kind: 'fence'; readonly value: Fence }
  | { readonly kind: 'fenceStatus'; readonly value: FenceDeviceStatus }
  | { readonly kind: 'fenceQuestion'; readonly value: FenceQuestion }
  | { readonly kind: 'rejoins'; readonly value: Rejoins }
  | { readonly kind: 'authority'; readonly value: Authority }
  | { readonly kind: 'admission'; readonly value: Admission }
  | { readonly kind: 'joinToken'; readonly value: JoinToken }

/** The kinds of what records hold. */
export type DecodedKind = Decoded['kind']

const PART_KEY = /^reconfigurations\/\d+\/\d+$/

const SHAPES: Readonly<Record<DecodedKind, z.ZodType>> = {
  cluster: clusterShape,
  journal: journalShape,
  physicalHost: physicalHostShape,
  network: networkShape,
  fenceDevice: fenceDeviceShape,
  diskGroup: diskGroupShape,
  logicalHost: logicalHostShape,
  dataService: dataServiceShape,
  member: memberShape,
  stamp: stampShape,
  mastery: logicalHostStateShape,
  reconfiguration: reconfigurationShape,
  reconfigurationPart: reconfigurationPartShape,
  halfRun: halfRunShape,
  progress: progressShape,
  missingPrograms: missingProgramsShape,
  sight: networkSightShape,
  fence: fenceShape,
  fenceStatus: fenceDeviceStatusShape,
  fenceQuestion: fenceQuestionShape,
  rejoins: rejoinsShape,
  authority: authorityShape,
  admission: admissionShape,
  joinToken: joinTokenShape,
}

const FOLDERS = new Map<string, DecodedKind>([
  [CLUSTER_KEY, 'cluster'],
  [JOURNAL_KEY, 'journal'],
  ['physicalHosts', 'physicalHost'],
  ['networks', 'network'],
  ['fenceDevices', 'fenceDevice'],
  ['diskGroups', 'diskGroup'],
  ['logicalHosts', 'logicalHost'],
  ['dataServices', 'dataService'],
  ['members', 'member'],
  ['stamps', 'stamp'],
  ['mastery', 'mastery'],
  ['reconfigurations', 'reconfiguration'],
  ['timelines', 'halfRun'],
  ['progress', 'progress'],
  ['programs', 'missingPrograms'],
  ['sights', 'sight'],
  ['fences', 'fence'],
  ['fenceStatus', 'fenceStatus'],
  ['questions', 'fenceQuestion'],
  ['rejoins', 'rejoins'],
  [AUTHORITY_KEY, 'authority'],
  ['admissions', 'admission'],
  ['tokens', 'joinToken'],
])

/** Tells what kind of thing the record of that key holds; undefined for a kind that this version does not know (a later one may add some). */
export function kindOf(key: RecordKey): DecodedKind | undefined {
  const kind = FOLDERS.get(folderOf(key))
  return kind === 'reconfiguration' && PART_KEY.test(key) ? 'reconfigurationPart' : kind
}

/**
 * Reads a record into the terms of the model. Undefined for a kind of record that this version does not know.
 *
 * Fields that this version does not know are dropped: a minor version may add some that an older member can do without. What it cannot do without
 * raises `schema`, and is refused here with `RECORD_INVALID`, as is anything of a wrong shape; all problems are listed.
 */
export function decodeRecord(key: RecordKey, value: Json): Decoded | undefined {
  const kind = kindOf(key)
  if (kind === undefined) return undefined
  refuseNewer(key, value)
  const parsed = SHAPES[kind].safeParse(value)
  if (!parsed.success) {
    throw new HaError('RECORD_INVALID', `the record ${key} of the cluster database does not have the expected shape`, {
      hint: 'Restore a backup of the cluster database, or repair the record that is named.',
      details: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'record'}: ${issue.message}`),
    })
  }
  // The table above ties each kind to its shape; the compiler cannot follow that through a lookup.
  return { kind, value: parsed.data } as Decoded
}

function refuseNewer(key: RecordKey, value: Json): void {
  const schema =
    typeof value === 'object' && value !== null && 'schema' in value ? (value as { schema: Json }).schema : undefined
  if (typeof schema !== 'number') {
    throw new HaError('RECORD_INVALID', `the record ${key} of the cluster database says no schema number`, {
      hint: 'It was not written by Haven; remove it, or restore a backup of the cluster database.',
    })
  }
  if (schema > RECORD_SCHEMA) {
    throw new HaError(
      'RECORD_INVALID',
      `the record ${key} has schema ${schema}, this Haven reads up to ${RECORD_SCHEMA}`,
      {
        hint: 'A newer Haven wrote it: install the same version on this host.',
      },
    )
  }
}
