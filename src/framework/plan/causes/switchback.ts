import { isInMotion, type Mastery, masterOf } from '../../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../../model/names.ts'
import { switchbackAllowed } from '../../supervise/takeover-budget.ts'
import { failedOn, isAble } from '../choose-master.ts'
import type { Draft } from '../draft.ts'
import { moveTo } from '../moves.ts'

/** Moves a logical host back to a more preferred host that has just joined, at once or, if it is in motion, when it has come to rest. */
export function switchBack(draft: Draft, name: LogicalHostName, host: PhysicalHostName): void {
  const state = draft.state(name)
  const at = boundFor(state.mastery)
  if (at === undefined || !drawsBack(draft, name, host, at)) return
  if (!switchbackAllowed(state.takeoversWallMs, draft.facts.nowWallMs, draft.cluster.budgets)) {
    // One that is owed for another reason would be begun in the same plan.
    if (state.switchbackTo === host) draft.remember(name, { switchbackTo: null })
    draft.because(name, `stays on ${at}: it was taken over too often lately for an automatic switchback to ${host}`)
    return
  }
  if (isInMotion(state.mastery))
    draft.remember(name, { switchbackTo: preferred(draft, name, host, state.switchbackTo) })
  else beginSwitchback(draft, name, { at, host, why: 'has joined' })
}

/** Whether a logical host that has come to rest is to move back to a host that joined meanwhile. */
export function isSwitchbackDue(draft: Draft, name: LogicalHostName): boolean {
  const { mastery, switchbackTo } = draft.state(name)
  const at = masterOf(mastery)
  if (switchbackTo === null || at === undefined || draft.logicalHost(name).switchback === 'manual') return false
  return betterThan(draft, name, at)[0] === switchbackTo
}

/** Begins the switchback that `isSwitchbackDue` told of. */
export function switchBackLater(draft: Draft, name: LogicalHostName): void {
  const { mastery, switchbackTo } = draft.state(name)
  const at = masterOf(mastery)
  if (switchbackTo !== null && at !== undefined)
    beginSwitchback(draft, name, { at, host: switchbackTo, why: 'can take it on again' })
}

/**
 * Moves a logical host on which nothing runs any more to a host that has just joined: its services started nowhere else, and nobody is interrupted.
 */
export function tryServicesOn(draft: Draft, name: LogicalHostName, host: PhysicalHostName): void {
  const { mastery, without } = draft.state(name)
  const isIdle = without.length > 0 && draft.servicesRunning(name).length === 0
  const isPossible = draft.logicalHost(name).physicalHosts.includes(host) && isAble(draft, name, host)
  if (mastery.kind !== 'mastered' || !isIdle || !isPossible || failedOn(draft, name, host).length > 0) return
  moveTo(draft, name, mastery.by, { host, without: [] })
  draft.because(name, `goes on to ${host}, which has joined: ${without.join(', ')} started nowhere else`)
}

function beginSwitchback(
  draft: Draft,
  name: LogicalHostName,
  { at, host, why }: { readonly at: PhysicalHostName; readonly host: PhysicalHostName; readonly why: string },
): void {
  moveTo(draft, name, at, { host, without: failedOn(draft, name, host) })
  draft.remember(name, { switchbackTo: null })
  draft.because(name, `switches back from ${at} to ${host}, which its list prefers and which ${why}`)
}

/**
 * Whether a logical host on `at` goes back by itself to `host`: its list prefers it, and it is on `at` only for want of something better. If another
 * possible master that the list prefers to `at` is there, an operator moved it away from that one, and it stays where it was put.
 */
function drawsBack(draft: Draft, name: LogicalHostName, host: PhysicalHostName, at: PhysicalHostName): boolean {
  // One that joined a moment ago, while it was in motion, is still waited for; nobody moved it away from there.
  const { switchbackTo } = draft.state(name)
  const better = betterThan(draft, name, at).filter((other) => other === host || other !== switchbackTo)
  return draft.logicalHost(name).switchback === 'automatic' && better.length === 1 && better[0] === host
}

/** The possible masters that are well and that the list prefers to `at`, in its order. */
function betterThan(draft: Draft, name: LogicalHostName, at: PhysicalHostName): readonly PhysicalHostName[] {
  const { physicalHosts } = draft.logicalHost(name)
  return physicalHosts.slice(0, physicalHosts.indexOf(at)).filter((other) => isWell(draft, name, other))
}

function preferred(
  draft: Draft,
  name: LogicalHostName,
  host: PhysicalHostName,
  other: PhysicalHostName | null,
): PhysicalHostName {
  const { physicalHosts } = draft.logicalHost(name)
  const isOtherBetter =
    other !== null && isWell(draft, name, other) && physicalHosts.indexOf(other) < physicalHosts.indexOf(host)
  return isOtherBetter ? other : host
}

/** The host that a logical host is on, or will be on when it has come to rest. */
function boundFor(mastery: Mastery): PhysicalHostName | undefined {
  if (mastery.kind !== 'givingUp') return 'by' in mastery ? mastery.by : undefined
  return mastery.destination.kind === 'to' ? mastery.destination.host : undefined
}

function isWell(draft: Draft, name: LogicalHostName, host: PhysicalHostName): boolean {
  return isAble(draft, name, host) && failedOn(draft, name, host).length === 0
}
