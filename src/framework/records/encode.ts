import { assertNever } from '../errors/assert-never.ts'
import type { Admission, Authority, JoinToken } from '../model/admission.ts'
import type { Stamp } from '../model/cluster-state.ts'
import type { ConfigurationChange } from '../model/configuration-change.ts'
import type { Fence, FenceDeviceStatus, FenceQuestion, Rejoins } from '../model/fencing.ts'
import type { MissingPrograms } from '../model/missing-programs.ts'
import type { NetworkSight } from '../model/network.ts'
import type { Reconfiguration, StateChange } from '../model/reconfiguration.ts'
import type { Half } from '../model/step.ts'
import type { HalfRun, Progress } from '../model/timeline.ts'
import type { Json, RecordKey, Write } from '../ports/cluster-database.ts'
import { type Decoded, RECORD_SCHEMA } from './decode.ts'
import { AUTHORITY_KEY, CLUSTER_KEY, JOURNAL_KEY, keyOf } from './keys.ts'
import type { Journal } from './state-shapes.ts'

/**
 * One change of a commit in the terms of the model: what to write, and under which key. Once committed it is put into the view as it is
 * (`ClusterView.committed`), so that a host need not parse what it wrote itself.
 */
export type Draft =
  | { readonly kind: 'put'; readonly key: RecordKey; readonly decoded: Decoded }
  | { readonly kind: 'delete'; readonly key: RecordKey }

/** Halves in one record: each is a few kilobytes at most, a record may have a megabyte. */
export const HALVES_PER_RECORD_MAX = 100

/** Turns a draft into the write of a commit. */
export function toWrite(draft: Draft): Write {
  if (draft.kind === 'delete') return draft
  // The model's types are plain values; a record is one of them with its schema number.
  const value = { schema: RECORD_SCHEMA, ...draft.decoded.value } as unknown as Json
  return { kind: 'put', key: draft.key, value }
}

/** Drafts the removal of a record. */
export function remove(key: RecordKey): Draft {
  return { kind: 'delete', key }
}

/** Drafts a stamp. */
export function putStamp(stamp: Stamp): Draft {
  return { kind: 'put', key: keyOf.stamp(stamp.host), decoded: { kind: 'stamp', value: stamp } }
}

/** Drafts the journal. */
export function putJournal(journal: Journal): Draft {
  return { kind: 'put', key: JOURNAL_KEY, decoded: { kind: 'journal', value: journal } }
}

/** Drafts an executed half. */
export function putHalfRun(run: HalfRun): Draft {
  return { kind: 'put', key: keyOf.halfRun(run), decoded: { kind: 'halfRun', value: run } }
}

/** Drafts the progress of a half. */
export function putProgress(progress: Progress): Draft {
  const key = keyOf.progress(progress.logicalHost, progress.host)
  return { kind: 'put', key, decoded: { kind: 'progress', value: progress } }
}

/** Drafts what a host cannot execute. */
export function putMissingPrograms(missing: MissingPrograms): Draft {
  return put(keyOf.programs(missing.host), { kind: 'missingPrograms', value: missing })
}

/** Drafts what a host sees of its networks. */
export function putSight(sight: NetworkSight): Draft {
  return put(keyOf.sight(sight.host), { kind: 'sight', value: sight })
}

/** Drafts the last fence of a host. */
export function putFence(fence: Fence): Draft {
  return put(keyOf.fence(fence.host), { kind: 'fence', value: fence })
}

/** Drafts the question for a sign of life. */
export function putQuestion(question: FenceQuestion): Draft {
  return put(keyOf.question(question.host), { kind: 'fenceQuestion', value: question })
}

/** Drafts how a host was lost and came back. */
export function putRejoins(rejoins: Rejoins): Draft {
  return put(keyOf.rejoins(rejoins.host), { kind: 'rejoins', value: rejoins })
}

/** Drafts what a fence device said. */
export function putFenceStatus(status: FenceDeviceStatus): Draft {
  return put(keyOf.fenceStatus(status.device, status.askedBy), { kind: 'fenceStatus', value: status })
}

/** Drafts the authority of the cluster's certificates. */
export function putAuthority(authority: Authority): Draft {
  return put(AUTHORITY_KEY, { kind: 'authority', value: authority })
}

/** Drafts that a machine belongs to the cluster, or does no longer. */
export function putAdmission(admission: Admission): Draft {
  return put(keyOf.admission(admission.name), { kind: 'admission', value: admission })
}

/** Drafts a token for joining. */
export function putJoinToken(token: JoinToken): Draft {
  return put(keyOf.joinToken(token.id), { kind: 'joinToken', value: token })
}

/** Drafts a reconfiguration: one record, and further ones when it has many halves. */
export function putReconfiguration(made: Reconfiguration): readonly Draft[] {
  const inParts = chunks(made.halves, HALVES_PER_RECORD_MAX)
  const [first = [], ...rest] = inParts
  const head: Draft = {
    kind: 'put',
    key: keyOf.reconfiguration(made.number),
    decoded: { kind: 'reconfiguration', value: { ...made, halves: first, parts: rest.length } },
  }
  const parts = rest.map((halves, index): Draft => {
    const value = { number: made.number, part: index + 1, halves }
    const key = keyOf.reconfigurationPart(made.number, value.part)
    return { kind: 'put', key, decoded: { kind: 'reconfigurationPart', value } }
  })
  return [head, ...parts]
}

/** Drafts what one change of a plan writes. `leaving` finds the member record that a `member-leaving` changes. */
export function draftsOf(change: StateChange, memberBefore: (host: Hosts) => Members | undefined): readonly Draft[] {
  switch (change.kind) {
    case 'logical-host':
      return [put(keyOf.mastery(change.state.name), { kind: 'mastery', value: change.state })]
    case 'service':
      return [put(keyOf.dataService(change.service.name), { kind: 'dataService', value: change.service })]
    case 'member-joined':
      return [put(keyOf.member(change.member.host), { kind: 'member', value: change.member })]
    case 'member-leaving': {
      const member = memberBefore(change.host)
      if (member === undefined) return []
      return [put(keyOf.member(change.host), { kind: 'member', value: { ...member, state: 'leaving' } })]
    }
    case 'member-gone':
      return [keyOf.member, keyOf.stamp, keyOf.programs, keyOf.sight, keyOf.question].map((key) =>
        remove(key(change.host)),
      )
    default:
      return assertNever(change)
  }
}

type Hosts = Extract<StateChange, { kind: 'member-gone' }>['host']
type Members = Extract<StateChange, { kind: 'member-joined' }>['member']

/** Drafts one change of the configuration. A logical host's state goes with it. */
export function draftsOfConfiguration(change: ConfigurationChange): readonly Draft[] {
  switch (change.kind) {
    case 'cluster':
      return [put(CLUSTER_KEY, { kind: 'cluster', value: change.cluster })]
    case 'put-physical-host':
      return [put(keyOf.physicalHost(change.physicalHost.name), { kind: 'physicalHost', value: change.physicalHost })]
    case 'delete-physical-host':
      return [remove(keyOf.physicalHost(change.name))]
    case 'put-network':
      return [put(keyOf.network(change.network.name), { kind: 'network', value: change.network })]
    case 'delete-network':
      return [remove(keyOf.network(change.name))]
    case 'put-fence-device':
      return [put(keyOf.fenceDevice(change.fenceDevice.name), { kind: 'fenceDevice', value: change.fenceDevice })]
    case 'delete-fence-device':
      return [remove(keyOf.fenceDevice(change.name))]
    case 'put-disk-group':
      return [put(keyOf.diskGroup(change.diskGroup.name), { kind: 'diskGroup', value: change.diskGroup })]
    case 'delete-disk-group':
      return [remove(keyOf.diskGroup(change.name))]
    case 'put-logical-host':
      return [put(keyOf.logicalHost(change.logicalHost.name), { kind: 'logicalHost', value: change.logicalHost })]
    case 'delete-logical-host':
      return [remove(keyOf.logicalHost(change.name)), remove(keyOf.mastery(change.name))]
    case 'put-data-service':
      return [put(keyOf.dataService(change.dataService.name), { kind: 'dataService', value: change.dataService })]
    case 'delete-data-service':
      return [remove(keyOf.dataService(change.name))]
    default:
      return assertNever(change)
  }
}

function put(key: RecordKey, decoded: Decoded): Draft {
  return { kind: 'put', key, decoded }
}

function chunks(halves: readonly Half[], lengthMax: number): readonly (readonly Half[])[] {
  const all: (readonly Half[])[] = []
  for (let from = 0; from < halves.length; from += lengthMax) all.push(halves.slice(from, from + lengthMax))
  return all
}
