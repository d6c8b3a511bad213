import { assertNever } from '../errors/assert-never.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import { type LogicalHostState, type StartFailure, type TakeOnFailure, uncleanOf } from '../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { Cause } from '../model/reconfiguration.ts'
import { describeStaying } from './causes/interface-failed.ts'
import { failedOn, isAble } from './choose-master.ts'
import { failedGroupOn } from './connection.ts'
import { describeMastery } from './describe.ts'
import { Draft } from './draft.ts'
import { isHeir } from './heirs.ts'

/** Why a logical host is where it is. Every member is a whole sentence or a list of them. */
export interface Explanation {
  /** Where it is in its life, and why. */
  readonly here: string
  /** One for each of its possible masters that does not hold it, in order of preference: why not there, and whether it could take it on. */
  readonly notThere: readonly { readonly host: PhysicalHostName; readonly why: string; readonly isAble: boolean }[]
  /** What would move it, or bring it up; the most likely first. */
  readonly wouldMove: readonly string[]
  /** Services that are on but that it is mastered without, each with its reason; empty when everything runs. */
  readonly without: readonly string[]
  /** The reconfiguration that changed it last; 0 when none has. */
  readonly reconfiguration: number
}

const QUESTION: Cause = { kind: 'settle', why: 'question' }

/** Explains a logical host from the state alone. Pure. Throws `NOT_FOUND`. */
export function explain(state: ClusterState, name: LogicalHostName): Explanation {
  const draft = new Draft(state, QUESTION, { nowWallMs: 0 })
  const { physicalHosts } = draft.logicalHost(name)
  const at = draft.state(name)
  const holder = 'by' in at.mastery ? at.mastery.by : 'on' in at.mastery ? at.mastery.on : undefined
  return {
    here: `${name} is ${describeMastery(at)}.`,
    notThere: physicalHosts
      .filter((host) => host !== holder)
      .map((host) => ({ host, why: whyNotThere(draft, at, host, holder), isAble: isAble(draft, name, host) })),
    wouldMove: wouldMove(draft, at),
    without: at.without.map((service) => {
      const failures = at.startFailures.filter((failure) => failure.service === service)
      return failures.length === 0
        ? `${service} waits for a service that it depends on.`
        : failures.map((failure) => `${service} ${failureText(failure)}.`).join(' ')
    }),
    reconfiguration: at.reconfiguration,
  }
}

function whyNotThere(
  draft: Draft,
  at: LogicalHostState,
  host: PhysicalHostName,
  holder: PhysicalHostName | undefined,
): string {
  const member = draft.member(host)
  if (member === undefined) return `${host} is not a member of the cluster.`
  if (member.state === 'leaving') return `${host} is leaving the cluster.`
  if (!isHeir(draft, at.name, host))
    return `${uncleanOf(at.mastery).join(', ')}, which is lost, may still hold it and does not know that ${host} may master it.`
  const cutOff = failedGroupOn(draft.before, draft.logicalHost(at.name), host)
  if (cutOff !== undefined) return `${cutOff.name} has failed on ${host}, so its addresses would not work there.`
  if (!isAble(draft, at.name, host)) {
    const failure = at.takeOnFailures.find((known) => known.host === host)
    return failure === undefined ? `${host} cannot take it on.` : `${host} ${failureText(failure)}.`
  }
  const failed = failedOn(draft, at.name, host)
  if (failed.length > 0)
    return `without ${failed.join(', ')}, which failed to start on ${host} earlier (scadmin clear ${at.name} forgets that).`
  if (holder === undefined) return whyNobody(at)
  const { physicalHosts, switchback } = draft.logicalHost(at.name)
  if (physicalHosts.indexOf(host) > physicalHosts.indexOf(holder)) return `${holder} stands before ${host} in its list.`
  return switchback === 'manual'
    ? `its list prefers ${host}, but its switchback is manual: it stays until somebody moves it.`
    : `its list prefers ${host}, but it only moves back by itself when ${host} joins.`
}

function whyNobody({ mastery, name }: LogicalHostState): string {
  const why = mastery.kind === 'unmastered' ? mastery.why : undefined
  if (why === 'maintenance') return 'it is in maintenance.'
  return why === 'too-many-takeovers' || why === 'cannot-be-taken-on'
    ? `it waits for an operator: haswitch, or scadmin clear ${name}.`
    : 'it will be taken on in a moment.'
}

function wouldMove(draft: Draft, at: LogicalHostState): readonly string[] {
  const { mastery, name } = at
  const { physicalHosts, switchback } = draft.logicalHost(name)
  switch (mastery.kind) {
    case 'unmastered':
      if (mastery.why === 'no-possible-master') return [`One of ${physicalHosts.join(', ')} joins (scadmin startnode).`]
      return [`An operator: haswitch HOST ${name}${mastery.why === 'maintenance' ? '' : `, or scadmin clear ${name}`}.`]
    case 'stuck':
      return [`What is left on ${mastery.on} is cleared, and then: scadmin clear ${name}.`, `${mastery.on} is lost.`]
    case 'takingOn':
    case 'givingUp':
      return [`Reconfiguration ${at.reconfiguration} is moving it now.`]
    case 'mastered':
    case 'adjusting': {
      const cutOff = failedGroupOn(draft.before, draft.logicalHost(name), mastery.by)
      const others = physicalHosts.filter((host) => host !== mastery.by && isAble(draft, name, host))
      const preferred = physicalHosts.slice(0, physicalHosts.indexOf(mastery.by))
      return [
        ...(cutOff === undefined ? [] : [whatHelps(draft, at, cutOff.name)]),
        ...others.slice(0, 1).map((host) => `${mastery.by} is lost or leaves: it goes to ${host}.`),
        ...(others.length === 0
          ? [
              `Nothing by itself: no other possible master could take it on. If ${mastery.by} is lost, it has no master.`,
            ]
          : []),
        ...(switchback === 'automatic'
          ? preferred.map(
              (host) =>
                `${host} ${draft.member(host) === undefined ? 'joins' : 'leaves and joins again'}: it switches back there.`,
            )
          : []),
        ...(others.length === 0 ? [] : [`An operator: haswitch HOST ${name}.`]),
      ]
    }
    default:
      return assertNever(mastery)
  }
}

/** A failed group makes it move at once, so if it is still here there is a reason. */
function whatHelps(draft: Draft, { name }: LogicalHostState, group: string): string {
  const why = describeStaying(draft).find((sentence) => sentence.startsWith(`${name} `))
  return why === undefined ? `${group} has failed here: it moves in a moment.` : `${group} has failed here: ${why}.`
}

function failureText(failure: StartFailure | TakeOnFailure): string {
  const what =
    'method' in failure ? `did not start on ${failure.host}: ${failure.method} failed` : 'could not take it on'
  return `${what} in reconfiguration ${failure.reconfiguration} (${failure.message})`
}
