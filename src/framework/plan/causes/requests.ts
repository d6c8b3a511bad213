import { HaError } from '../../errors/ha-error.ts'
import { isInMotion, type Mastery, masterOf, uncleanOf } from '../../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import { chooseMaster } from '../choose-master.ts'
import { failedGroupOn } from '../connection.ts'
import { describeMastery } from '../describe.ts'
import type { Draft } from '../draft.ts'
import { beginServiceSteps } from '../halves.ts'
import { isHeir } from '../heirs.ts'
import { adjust, forgetFailures, giveUp, leaveUnmastered, moveTo, takeOn } from '../moves.ts'
import { settleAll } from './settle.ts'

/** `haswitch HOST LOGICAL-HOST...`: moves, or takes out of maintenance. What failed before is forgotten: the operator knows why it will work now. */
export function planSwitchover(draft: Draft, names: readonly LogicalHostName[], to: PhysicalHostName): void {
  for (const name of names) checkDestination(draft, name, to)
  for (const name of names) {
    const { mastery } = draft.state(name)
    const from = masterOf(mastery)
    if (from === to) {
      draft.because(name, `is mastered by ${to} already`)
      continue
    }
    forgetFailures(draft, name)
    if (from !== undefined) moveTo(draft, name, from, { host: to, without: [] })
    else takeOn(draft, name, { host: to, without: [] }, uncleanOf(mastery))
    draft.because(name, from === undefined ? `taken on by ${to}, as asked` : `moves from ${from} to ${to}, as asked`)
  }
}

/** `haswitch -m LOGICAL-HOST...`: gives up, and nobody takes on until the next switchover. */
export function planMaintenance(draft: Draft, names: readonly LogicalHostName[]): void {
  for (const name of names) checkAtRest(draft, name)
  for (const name of names) {
    const { mastery } = draft.state(name)
    const from = masterOf(mastery)
    if (mastery.kind === 'unmastered' && mastery.why === 'maintenance') {
      draft.because(name, 'is in maintenance already')
      continue
    }
    if (from !== undefined) giveUp(draft, name, from, 'maintenance')
    else leaveUnmastered(draft, name, 'maintenance', uncleanOf(mastery))
    draft.because(name, 'goes into maintenance, as asked')
  }
}

/** `haswitch -r`: calls the start methods of every service again with unchanged lists; also a new try for services that would not start. */
export function planReconfigure(draft: Draft): void {
  for (const name of draft.before.logicalHosts.keys()) {
    const { mastery } = draft.state(name)
    if (mastery.kind !== 'mastered' || draft.servicesOn(name).length === 0) continue
    startAgain(draft, name, mastery.by)
    draft.because(name, `stays on ${mastery.by}; its methods are called again, as asked`)
  }
  settleAll(draft)
}

/** `scadmin clear LOGICAL-HOST`: tries once more what was given up: the release when it is stuck, the take-on, the services that would not start. */
export function planClear(draft: Draft, name: LogicalHostName): void {
  draft.logicalHost(name)
  const state = draft.state(name)
  const { mastery } = state
  if (isInMotion(mastery)) throw busy(draft, name)
  if (mastery.kind === 'stuck') {
    releaseAgain(draft, name, mastery)
    return
  }
  const { without } = state
  forgetFailures(draft, name)
  if (mastery.kind === 'mastered' && without.length > 0) {
    startAgain(draft, name, mastery.by)
    draft.because(name, `${without.join(', ')} may start again on ${mastery.by}, as asked`)
  } else if (mastery.kind === 'unmastered' && mastery.why !== 'maintenance') {
    const next = chooseMaster(draft, name)
    if (next !== undefined) takeOn(draft, name, next, mastery.uncleanOn)
    else leaveUnmastered(draft, name, 'no-possible-master', mastery.uncleanOn)
    draft.because(
      name,
      next === undefined
        ? 'what failed is forgotten; none of its possible masters is a member'
        : `taken on by ${next.host}, as asked`,
    )
  } else {
    draft.because(name, 'what failed before is forgotten, as asked')
  }
}

function releaseAgain(
  draft: Draft,
  name: LogicalHostName,
  { on, destination }: Extract<Mastery, { kind: 'stuck' }>,
): void {
  const prefer = destination.kind === 'to' ? destination.host : undefined
  const next = destination.kind === 'to' ? chooseMaster(draft, name, { except: on, prefer }) : undefined
  if (next !== undefined) moveTo(draft, name, on, next)
  else giveUp(draft, name, on, destination.kind === 'nobody' ? destination.why : 'no-possible-master')
  draft.because(name, `${on} tries again to release it, as asked`)
}

function startAgain(draft: Draft, name: LogicalHostName, master: PhysicalHostName): void {
  draft.remember(name, { without: [], startFailures: [] })
  adjust(draft, name, master, beginServiceSteps(draft.servicesRunning(name)))
}

/** Throws unless the logical host exists and is at rest and not stuck. */
export function checkAtRest(draft: Draft, name: LogicalHostName): void {
  draft.logicalHost(name)
  const { mastery } = draft.state(name)
  if (isInMotion(mastery)) throw busy(draft, name)
  if (mastery.kind === 'stuck') {
    throw new HaError('LOGICAL_HOST_STUCK', `${name} is stuck on ${mastery.on}: it could not be released provably`, {
      hint: `Clear what is left on ${mastery.on}, then: scadmin clear ${name}`,
      details: mastery.leftovers.map((leftover) => `${leftover.what} (${leftover.remedy})`),
    })
  }
}

function checkDestination(draft: Draft, name: LogicalHostName, to: PhysicalHostName): void {
  const { physicalHosts } = draft.logicalHost(name)
  if (!draft.before.physicalHosts.has(to)) {
    throw new HaError('NOT_FOUND', `there is no physical host ${to}`, {
      hint: `Configured are: ${[...draft.before.physicalHosts.keys()].join(', ')}.`,
    })
  }
  if (!physicalHosts.includes(to)) {
    throw new HaError('NOT_A_POSSIBLE_MASTER', `${to} is not a possible master of ${name}`, {
      hint: `Possible masters of ${name} are, in order: ${physicalHosts.join(', ')}.`,
    })
  }
  if (!draft.isFit(to)) {
    const why = draft.member(to) === undefined ? 'is not a member of the cluster' : 'is leaving the cluster'
    throw new HaError('NOT_A_MEMBER', `${to} ${why}`, {
      hint: `On ${to}: scadmin startnode. Members are: ${[...draft.before.members.keys()].join(', ') || 'none'}.`,
    })
  }
  const cutOff = failedGroupOn(draft.before, draft.logicalHost(name), to)
  if (cutOff !== undefined) {
    throw new HaError(
      'INTERFACE_FAILED',
      `the addresses of ${name} would be on ${cutOff.name} of ${to}, which has failed`,
      {
        hint: `See what is wrong with it: pnmstat -l on ${to}.`,
      },
    )
  }
  checkAtRest(draft, name)
  if (!isHeir(draft, name, to)) throw notAnHeir(draft, name, to)
}

function notAnHeir(draft: Draft, name: LogicalHostName, to: PhysicalHostName): HaError {
  const lost = uncleanOf(draft.state(name).mastery).join(', ')
  return new HaError(
    'NOT_A_POSSIBLE_MASTER',
    `${to} must not take ${name} on yet: ${lost} may still hold it and does not know that ${to} may master it`,
    {
      hint: `Make sure that ${lost} is off: scadmin fence ${lost}, or, when you have seen it: scadmin confirm-down ${lost}. Starting it again helps as well.`,
    },
  )
}

function busy(draft: Draft, name: LogicalHostName): HaError {
  const state = draft.state(name)
  return new HaError(
    'LOGICAL_HOST_BUSY',
    `${name} is in the middle of reconfiguration ${state.reconfiguration}: ${describeMastery(state)}`,
    {
      hint: `Wait for it (scadmin timeline ${state.reconfiguration}), then try again.`,
    },
  )
}
