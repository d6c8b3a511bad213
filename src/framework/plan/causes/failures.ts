import assert from 'node:assert/strict'
import type { DataService } from '../../model/cluster-config.ts'
import type { StartFailure } from '../../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import type { Cause } from '../../model/reconfiguration.ts'
import { type Choice, chooseMaster, failedOn } from '../choose-master.ts'
import type { Draft } from '../draft.ts'
import { addWatchStop, beginServiceSteps, cleanUpSteps, endServiceSteps } from '../halves.ts'
import { adjust, giveUp, leaveUnmastered, moveTo, takeOn } from '../moves.ts'

type HalfFailed = Extract<Cause, { kind: 'half-failed' }>

/** A take-on or an adjustment ended with a failed step: clean up here, try the next possible master, or go on without the service that will not start. */
export function planHalfFailed(draft: Draft, cause: HalfFailed): void {
  const { logicalHost: name, host } = cause
  if (cause.start === undefined) rememberTakeOnFailure(draft, cause)
  else rememberStartFailure(draft, name, cause.start)
  // Services start after the imports: nothing of it is with the lost hosts any more.
  if (cause.half === 'take-on' && cause.start !== undefined)
    draft.become(name, { kind: 'takingOn', by: host, uncleanOn: [] })
  const next =
    cause.half === 'adjust' ? nextAfterAdjust(draft, name, host) : chooseMaster(draft, name, { stayOn: host })
  if (next === undefined) {
    giveUp(draft, name, host, draft.isFit(host) ? 'cannot-be-taken-on' : 'no-possible-master')
    draft.because(
      name,
      `${host} cleans up: ${cause.message}; no other possible master is left that could take it on now`,
    )
  } else if (next.host === host) {
    goOnWithout(draft, cause, next)
  } else {
    moveTo(draft, name, host, next)
    draft.because(name, `goes on to ${next.host}: ${cause.message}`)
  }
}

/** Keeps the logical host where it is, without the services that start nowhere; the others stay up. */
function goOnWithout(draft: Draft, cause: HalfFailed, { host, without }: Choice): void {
  const { logicalHost: name } = cause
  const { mastery } = draft.state(name)
  const failed = draft.servicesRunning(name).filter((service) => without.includes(service.name))
  // In a take-on no monitor of it has been started yet; in place one may run, as when the start methods are called again.
  const endSteps = cause.half === 'take-on' ? cleanUpSteps : endServiceSteps
  const cleanUp = failed.toReversed().flatMap((service) => endSteps(draft, service))
  addWatchStop(draft, name, host, failed)
  if (cause.half === 'take-on') {
    assert(mastery.kind === 'takingOn', `${name} is ${mastery.kind}`)
    takeOn(draft, name, { host, without }, mastery.uncleanOn, { first: cleanUp })
  } else {
    draft.remember(name, { without })
    adjust(draft, name, host, [...cleanUp, ...beginServiceSteps(draft.servicesRunning(name))])
  }
  draft.because(name, `stays on ${host} without ${without.join(', ')}: ${cause.message}`)
}

/**
 * A service switched on in place will not start. Moving everything for its sake would interrupt services that are well, so the logical host moves only
 * when nothing else runs on it.
 */
function nextAfterAdjust(draft: Draft, name: LogicalHostName, host: PhysicalHostName): Choice | undefined {
  const without = failedOn(draft, name, host)
  const isLost = (service: DataService): boolean => without.includes(service.name)
  const others = draft.servicesRunning(name).filter((service) => !isLost(service))
  if (!draft.isFit(host)) return chooseMaster(draft, name, { except: host })
  return others.length > 0 ? { host, without } : chooseMaster(draft, name, { stayOn: host })
}

/** A host has released a logical host whose destination is no longer fit: somebody else takes it on; the host itself again only if there is nobody else. */
export function planHeirLost(draft: Draft, name: LogicalHostName, host: PhysicalHostName): void {
  const { mastery } = draft.state(name)
  assert(
    mastery.kind === 'givingUp' && mastery.by === host && mastery.destination.kind === 'to',
    `${name} is not being given up by ${host} to anybody`,
  )
  const heir = mastery.destination.host
  const next = chooseMaster(draft, name, { except: host }) ?? chooseMaster(draft, name)
  if (next === undefined) {
    leaveUnmastered(draft, name, 'no-possible-master', mastery.uncleanOn)
    draft.because(name, `${heir} can no longer take it on, and none of its other possible masters is a member that can`)
    return
  }
  takeOn(draft, name, next, mastery.uncleanOn)
  draft.because(name, `taken on by ${next.host}, because ${heir} no longer can`)
}

function rememberStartFailure(draft: Draft, name: LogicalHostName, failure: StartFailure): void {
  const others = draft
    .state(name)
    .startFailures.filter((known) => known.host !== failure.host || known.service !== failure.service)
  draft.remember(name, { startFailures: [...others, failure] })
}

function rememberTakeOnFailure(draft: Draft, { logicalHost: name, host, follows, message }: HalfFailed): void {
  const { takeOnFailures } = draft.state(name)
  const tries = (takeOnFailures.find((known) => known.host === host)?.tries ?? 0) + 1
  const failure = { host, atWallMs: draft.facts.nowWallMs, tries, reconfiguration: follows, message }
  draft.remember(name, { takeOnFailures: [...takeOnFailures.filter((known) => known.host !== host), failure] })
}
