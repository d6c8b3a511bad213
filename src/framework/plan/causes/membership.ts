import assert from 'node:assert/strict'
import { assertNever } from '../../errors/assert-never.ts'
import { HaError } from '../../errors/ha-error.ts'
import { actorOf, type Destination, type LogicalHostState, masterOf, uncleanOf } from '../../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import type { Cause, LossEvidence } from '../../model/reconfiguration.ts'
import { takeoverVerdict } from '../../supervise/takeover-budget.ts'
import { chooseMaster } from '../choose-master.ts'
import type { Draft } from '../draft.ts'
import { addWatchStop, addWatchStopOf } from '../halves.ts'
import { forgetHeirs, heirsOf, type Loss } from '../heirs.ts'
import { forgetFailures, leaveUnmastered, takeOn } from '../moves.ts'
import { endsByItself, leave, settleAll } from './settle.ts'
import { switchBack, tryServicesOn } from './switchback.ts'

/** A host becomes a member: what failed on it in a former life is forgotten, what waits for a master is taken on, what prefers it moves back. */
export function planJoin(draft: Draft, host: PhysicalHostName): void {
  if (draft.member(host) !== undefined) {
    throw new HaError('ALREADY_EXISTS', `${host} is a member already`, {
      hint: 'Its former life must be given up as lost, or leave, before it can join again.',
    })
  }
  assert(draft.before.physicalHosts.has(host), `${host} is not configured`)
  draft.join({ host, incarnation: draft.number, state: 'joined', joinedWallMs: draft.facts.nowWallMs })
  for (const name of draft.before.logicalHosts.keys()) {
    forgetFailuresOn(draft, name, host)
    forgetHeirs(draft, name)
    switchBack(draft, name, host)
    tryServicesOn(draft, name, host)
  }
  settleAll(draft)
}

/** A host leaves in an orderly way: it gives up what it has and what it is just taking on, and watches no longer what others have. */
export function planLeaving(draft: Draft, host: PhysicalHostName): void {
  if (draft.member(host) === undefined) throw new HaError('NOT_A_MEMBER', `${host} is not a member of the cluster`)
  const isNew = draft.member(host)?.state === 'joined'
  draft.beginLeaving(host)
  for (const name of isNew ? draft.before.logicalHosts.keys() : []) {
    const { mastery } = draft.state(name)
    if (mastery.kind === 'takingOn' && mastery.by === host) leave(draft, name, host)
    else if (masterOf(mastery) !== host) addWatchStopOf(draft, name, host)
  }
  settleAll(draft)
}

/** A leaving host has nothing left and goes. */
export function planLeft(draft: Draft, host: PhysicalHostName): void {
  const held = [...draft.before.states.values()]
    .filter((state) => actorOf(state.mastery) === host)
    .map((state) => state.name)
  if (held.length > 0)
    throw new HaError('IN_USE', `${host} still holds ${held.join(', ')}`, {
      hint: 'Wait until everything is given up.',
    })
  relyOnAllOf(draft, host)
  draft.removeMember(host)
}

/** Hosts are lost: what they held goes to the next possible masters, by force where it must. */
export function planLoss(draft: Draft, lost: Extract<Cause, { kind: 'hosts-lost' }>['hosts']): void {
  for (const { host } of lost) {
    relyOnAllOf(draft, host)
    draft.removeMember(host)
  }
  const losses = new Map(lost.map((loss) => [loss.host, loss]))
  for (const name of draft.before.logicalHosts.keys()) {
    const holder = actorOf(draft.state(name).mastery)
    const loss = holder === undefined ? undefined : losses.get(holder)
    if (loss !== undefined) takeOver(draft, name, loss)
  }
  // A host that was given up for its silence earlier may be proved off only now.
  const proved = lost.filter(({ evidence }) => evidence !== 'expired').map(({ host }) => host)
  for (const name of proved.length === 0 ? [] : draft.before.logicalHosts.keys()) forgetHeirs(draft, name, proved)
  settleAll(draft)
}

/** A logical host may be handed to the host at this very moment, by the commit of another that has released it. */
function relyOnAllOf(draft: Draft, host: PhysicalHostName): void {
  for (const { name, physicalHosts } of draft.before.logicalHosts.values()) {
    if (physicalHosts.includes(host)) draft.rely(name)
  }
}

const EVIDENCE_TEXT: Readonly<Record<LossEvidence, string>> = {
  expired: 'gave no sign of life',
  fenced: 'was fenced',
  confirmed: 'was confirmed down',
  restarted: 'was restarted',
}

/** Assigns one logical host of a lost host anew. */
function takeOver(draft: Draft, name: LogicalHostName, loss: Loss): void {
  const { host: lost, evidence } = loss
  const state = draft.state(name)
  // Whether it goes back to a host that is lost is decided anew when that joins.
  const switchbackTo = state.switchbackTo === lost ? null : state.switchbackTo
  draft.remember(name, { heirs: heirsOf(draft, name, loss), switchbackTo })
  const uncleanOn = uncleanAfterLoss(state, lost)
  const intended = intendedFor(state)
  addWatchStop(draft, name, lost, draft.servicesRunning(name))
  if (intended.kind === 'nobody') {
    leaveUnmastered(draft, name, intended.why, uncleanOn)
    draft.because(name, `${lost} ${EVIDENCE_TEXT[evidence]} while giving it up; it stays without a master`)
    return
  }
  // An operator who fences wants the takeover, whatever there was before.
  if (loss.operator !== undefined) forgetFailures(draft, name)
  const budget = takeoverVerdict(draft.state(name).takeoversWallMs, draft.facts.nowWallMs, draft.cluster.budgets)
  if (loss.operator === undefined) draft.remember(name, { takeoversWallMs: budget.takeoversWallMs })
  if (budget.verdict === 'used-up') {
    leaveUnmastered(draft, name, 'too-many-takeovers', uncleanOn)
    draft.because(
      name,
      `${lost} ${EVIDENCE_TEXT[evidence]}; it was taken over too often lately and stays without a master until haswitch or scadmin clear`,
    )
    return
  }
  const next = chooseMaster(draft, name, { prefer: intended.kind === 'to' ? intended.host : undefined })
  if (next === undefined) {
    leaveUnmastered(draft, name, 'no-possible-master', uncleanOn)
    draft.because(
      name,
      `${lost} ${EVIDENCE_TEXT[evidence]}; none of its other possible masters is a member that can take it on`,
    )
    return
  }
  // Who is off has no address any more, and whoever else could have had it would have been found when it came up there.
  const isReleased = evidence !== 'expired' && evidence !== 'restarted' && uncleanOn.length === 1
  takeOn(draft, name, next, uncleanOn, { isReleased })
  draft.because(name, `taken over by ${next.host}, because ${lost} ${EVIDENCE_TEXT[evidence]}`)
}

/** Where a logical host was bound for when its holder was lost; `anywhere` when nobody wanted it to stay without a master. */
function intendedFor({ name, mastery }: LogicalHostState): Destination | { readonly kind: 'anywhere' } {
  switch (mastery.kind) {
    case 'givingUp':
    case 'stuck': {
      const { destination } = mastery
      return destination.kind === 'nobody' && endsByItself(destination.why) ? { kind: 'anywhere' } : destination
    }
    case 'takingOn':
    case 'mastered':
    case 'adjusting':
      return { kind: 'anywhere' }
    case 'unmastered':
      return assert.fail(`${name} had no holder to lose`)
    default:
      return assertNever(mastery)
  }
}

/** The hosts that may have left disk groups imported: the lost one, and those before it that it had not cleaned up after yet. */
function uncleanAfterLoss({ mastery }: LogicalHostState, lost: PhysicalHostName): readonly PhysicalHostName[] {
  return [...uncleanOf(mastery).filter((host) => host !== lost), lost]
}

function forgetFailuresOn(draft: Draft, name: LogicalHostName, host: PhysicalHostName): void {
  const { startFailures, takeOnFailures } = draft.state(name)
  if (![...startFailures, ...takeOnFailures].some((failure) => failure.host === host)) return
  draft.remember(name, {
    startFailures: startFailures.filter((failure) => failure.host !== host),
    takeOnFailures: takeOnFailures.filter((failure) => failure.host !== host),
  })
}
