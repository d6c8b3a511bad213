import assert from 'node:assert/strict'
import { assertNever } from '../errors/assert-never.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { Cause, Plan } from '../model/reconfiguration.ts'
import { planHalfFailed, planHeirLost } from './causes/failures.ts'
import {
  describeStaying,
  type InterfaceFailed,
  interfaceFailures,
  planInterfaceFailed,
} from './causes/interface-failed.ts'
import { planJoin, planLeaving, planLeft, planLoss } from './causes/membership.ts'
import { planClear, planMaintenance, planReconfigure, planSwitchover } from './causes/requests.ts'
import { planServiceHosts, planServicesOff, planServicesOn } from './causes/services.ts'
import { describeUnsettled, isUnsettled, settleAll } from './causes/settle.ts'
import { Draft, type PlanFacts } from './draft.ts'

/**
 * Decides a reconfiguration. Pure: the same arguments, the same plan. Empty `changes` mean that there is nothing to do.
 *
 * Throws when a request must be refused, and then nothing is decided: `NOT_FOUND`, `NOT_A_MEMBER`, `NOT_A_POSSIBLE_MASTER`, `LOGICAL_HOST_BUSY`,
 * `LOGICAL_HOST_STUCK`, `DEPENDENCY_UNMET`, `ALREADY_EXISTS` (a member joins), `IN_USE` (a host leaves that still holds something).
 */
export function plan(state: ClusterState, cause: Cause, facts: PlanFacts): Plan {
  const draft = new Draft(state, cause, facts)
  decide(draft, cause)
  return draft.finish()
}

/** Whether `plan` would find something to do for the cause `settle`. Cheap: asked after every change, and now and then. */
export function needsSettling(state: ClusterState, facts: PlanFacts): boolean {
  const draft = new Draft(state, { kind: 'settle', why: 'question' }, facts)
  return [...state.logicalHosts.keys()].some((name) => isUnsettled(draft, name))
}

/** Says in one phrase what `settle` would be about: `ha1 has no master`. Bounded; empty when there is nothing to settle. */
export function describeSettling(state: ClusterState, facts: PlanFacts): string {
  const draft = new Draft(state, { kind: 'settle', why: 'question' }, facts)
  const found = [...state.logicalHosts.keys()].flatMap((name) => describeUnsettled(draft, name) ?? [])
  const more = found.length - SETTLING_TOLD_MAX
  return [...found.slice(0, SETTLING_TOLD_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}

/** The first failure of a public adapter or group that something should move away from; undefined when there is none. Cheap, as `needsSettling`. */
export function nextInterfaceFailure(state: ClusterState, facts: PlanFacts): InterfaceFailed | undefined {
  return interfaceFailures(new Draft(state, QUESTION, facts))[0]
}

/** Says of each logical host whose addresses are on a failed adapter or group, and that stays there, why; empty when there is none. */
export function describeCutOff(state: ClusterState, facts: PlanFacts): readonly string[] {
  return describeStaying(new Draft(state, QUESTION, facts))
}

const QUESTION: Cause = { kind: 'settle', why: 'question' }

/** Logical hosts that are named in the cause of a settling; each has its own reason in the plan. */
const SETTLING_TOLD_MAX = 3

function decide(draft: Draft, cause: Cause): void {
  switch (cause.kind) {
    case 'cluster-started':
      assert(draft.before.members.size === 0, 'a cluster starts without members')
      return planJoin(draft, cause.host)
    case 'host-joined':
      return planJoin(draft, cause.host)
    case 'host-leaving':
      return planLeaving(draft, cause.host)
    case 'host-left':
      return planLeft(draft, cause.host)
    case 'hosts-lost':
      return planLoss(draft, cause.hosts)
    case 'switchover':
      return planSwitchover(draft, cause.logicalHosts, cause.to)
    case 'maintenance':
      return planMaintenance(draft, cause.logicalHosts)
    case 'reconfigure':
      return planReconfigure(draft)
    case 'services-on':
      return planServicesOn(draft, cause.services)
    case 'services-off':
      return planServicesOff(draft, cause.services)
    case 'service-hosts':
      return planServiceHosts(draft, cause.service, cause.add, cause.remove)
    case 'half-failed':
      return planHalfFailed(draft, cause)
    case 'heir-lost':
      return planHeirLost(draft, cause.logicalHost, cause.host)
    case 'interface-failed':
      return planInterfaceFailed(draft, cause)
    case 'cleared':
      return planClear(draft, cause.logicalHost)
    case 'settle':
      return settleAll(draft)
    default:
      return assertNever(cause)
  }
}
