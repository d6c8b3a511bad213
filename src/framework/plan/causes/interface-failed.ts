import type { LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import type { Cause } from '../../model/reconfiguration.ts'
import { groupSightOf, publicGroupsOf } from '../../supervise/public-groups.ts'
import { switchbackAllowed, takeoverVerdict } from '../../supervise/takeover-budget.ts'
import { type Choice, chooseMaster } from '../choose-master.ts'
import { groupsNeeded } from '../connection.ts'
import type { Draft } from '../draft.ts'
import { moveTo } from '../moves.ts'

/** A public adapter, or the whole backup group of it, that failed on one host only. */
export type InterfaceFailed = Extract<Cause, { kind: 'interface-failed' }>

/** Moves what needs the group to hosts on which it works. What is in motion is looked at again when it has come to rest. */
export function planInterfaceFailed(draft: Draft, { host, group }: InterfaceFailed): void {
  if (groupSightOf(draft.before, host, group)?.state !== 'failed') return
  for (const name of needing(draft, host, group)) {
    const outcome = outcomeOf(draft, name, host)
    if (outcome.kind === 'move') beginMove(draft, name, { host, group }, outcome)
    else draft.because(name, `stays on ${host} although ${group} has failed there: ${outcome.why}`)
  }
}

/** Lists what would make such a plan move something, in order of the hosts; empty when nothing can be made better. */
export function interfaceFailures(draft: Draft): readonly InterfaceFailed[] {
  return failedGroups(draft).filter(({ host, group }) =>
    needing(draft, host, group).some((name) => outcomeOf(draft, name, host).kind === 'move'),
  )
}

/** Says of each logical host that a failed group leaves without clients why it stays where it is; empty when there is none. */
export function describeStaying(draft: Draft): readonly string[] {
  return failedGroups(draft).flatMap(({ host, group }) =>
    needing(draft, host, group).flatMap((name) => {
      const outcome = outcomeOf(draft, name, host)
      return outcome.kind === 'move'
        ? []
        : [`${name} stays on ${host} although ${group} has failed there: ${outcome.why}`]
    }),
  )
}

function failedGroups({ before }: Draft): readonly InterfaceFailed[] {
  return [...before.members.keys()].toSorted().flatMap((host) =>
    publicGroupsOf(before, host)
      .filter(({ name }) => groupSightOf(before, host, name)?.state === 'failed')
      .map(({ name, network }) => ({ kind: 'interface-failed', host, network, group: name }) as const),
  )
}

/** Lists the logical hosts at rest on the host that have an address on the group. */
function needing(draft: Draft, host: PhysicalHostName, group: string): readonly LogicalHostName[] {
  return [...draft.before.logicalHosts.values()]
    .filter((logicalHost) => groupsNeeded(draft.before, logicalHost, host).some(({ name }) => name === group))
    .map(({ name }) => name)
    .filter((name) => {
      const { mastery } = draft.state(name)
      return mastery.kind === 'mastered' && mastery.by === host
    })
}

type Outcome =
  | { readonly kind: 'move'; readonly to: Choice; readonly takeoversWallMs: readonly number[] }
  | { readonly kind: 'stay'; readonly why: string }

/** Counted like a takeover: adapters that come and go must not make a logical host travel for ever. */
function outcomeOf(draft: Draft, name: LogicalHostName, host: PhysicalHostName): Outcome {
  const to = chooseMaster(draft, name, { except: host, isConnected: true })
  if (to === undefined)
    return { kind: 'stay', why: 'its addresses would not be better off on any other possible master' }
  const { nowWallMs } = draft.facts
  const budget = takeoverVerdict(draft.state(name).takeoversWallMs, nowWallMs, draft.cluster.budgets)
  if (budget.verdict === 'used-up') return { kind: 'stay', why: 'it was taken over too often lately' }
  return { kind: 'move', to, takeoversWallMs: budget.takeoversWallMs }
}

function beginMove(
  draft: Draft,
  name: LogicalHostName,
  { host, group }: { readonly host: PhysicalHostName; readonly group: string },
  { to, takeoversWallMs }: Extract<Outcome, { kind: 'move' }>,
): void {
  draft.remember(name, { takeoversWallMs })
  moveTo(draft, name, host, to)
  if (comesBack(draft, name, host, to.host)) draft.remember(name, { switchbackTo: host })
  draft.because(name, `moves from ${host} to ${to.host}, because ${group} has failed on ${host} only`)
}

/** Whether it is to go back by itself when the group works again, as it would when its host came back. */
function comesBack(draft: Draft, name: LogicalHostName, from: PhysicalHostName, to: PhysicalHostName): boolean {
  const { physicalHosts, switchback } = draft.logicalHost(name)
  return (
    switchback === 'automatic' &&
    physicalHosts.indexOf(from) < physicalHosts.indexOf(to) &&
    switchbackAllowed(draft.state(name).takeoversWallMs, draft.facts.nowWallMs, draft.cluster.budgets)
  )
}
