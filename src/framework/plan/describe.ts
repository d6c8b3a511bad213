import { assertNever } from '../errors/assert-never.ts'
import type { LogicalHostState, Mastery, UnmasteredWhy } from '../model/mastery.ts'
import type { Cause } from '../model/reconfiguration.ts'
import type { Action } from '../model/step.ts'

/** Says in one phrase what a reconfiguration began with. */
export function describeCause(cause: Cause): string {
  switch (cause.kind) {
    case 'cluster-started':
      return `cluster started by ${cause.host}`
    case 'host-joined':
      return `${cause.host} joined`
    case 'host-leaving':
      return `${cause.host} is leaving${asked(cause.by)}`
    case 'host-left':
      return `${cause.host} left`
    case 'hosts-lost':
      return cause.hosts.map(describeLoss).join(', ')
    case 'switchover':
      return `switchover of ${cause.logicalHosts.join(', ')} to ${cause.to}${asked(cause.by)}`
    case 'maintenance':
      return `maintenance of ${cause.logicalHosts.join(', ')}${asked(cause.by)}`
    case 'reconfigure':
      return `reconfiguration${asked(cause.by)}`
    case 'services-on':
      return `${cause.services.join(', ')} switched on${asked(cause.by)}`
    case 'services-off':
      return `${cause.services.join(', ')} switched off${asked(cause.by)}`
    case 'service-hosts':
      return `logical hosts of ${cause.service} changed${asked(cause.by)}`
    case 'half-failed':
      return `${cause.half} of ${cause.logicalHost} failed on ${cause.host} in reconfiguration ${cause.follows}: ${cause.message}`
    case 'heir-lost':
      return `${cause.logicalHost} was released by ${cause.host}, but its next master is gone`
    case 'interface-failed':
      return `${cause.group} failed on ${cause.host}, while ${cause.network} works for others`
    case 'cleared':
      return `${cause.logicalHost} cleared${asked(cause.by)}`
    case 'settle':
      return cause.why
    default:
      return assertNever(cause)
  }
}

const WHY_UNMASTERED: Readonly<Record<UnmasteredWhy, string>> = {
  new: 'configured, not mastered yet',
  maintenance: 'in maintenance',
  'no-possible-master': 'unmastered: none of its possible masters is a member that can take it on',
  'too-many-takeovers': 'unmastered: taken over too often; haswitch or scadmin clear ends this',
  'cannot-be-taken-on': 'unmastered: not taken on anywhere; tried again a few times, and now by scadmin clear',
}

/** Says in one phrase where a logical host is in its life. */
export function describeMastery(state: Pick<LogicalHostState, 'mastery'>): string {
  const { mastery } = state
  switch (mastery.kind) {
    case 'unmastered':
      return WHY_UNMASTERED[mastery.why]
    case 'takingOn':
      return `being taken on by ${mastery.by}`
    case 'mastered':
      return `mastered by ${mastery.by}`
    case 'adjusting':
      return `mastered by ${mastery.by}, services changing`
    case 'givingUp':
      return `being given up by ${mastery.by}${towards(mastery)}`
    case 'stuck':
      return `stuck on ${mastery.on}: not released provably`
    default:
      return assertNever(mastery)
  }
}

/** Says in one phrase what a step does; the argument lists of a method are not part of it. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'import':
      return `import ${action.diskGroup} at ${action.mountPoint}${action.force ? ` by force from ${action.lostHosts.join(', ')}` : ''}`
    case 'export':
      return `export ${action.diskGroup} from ${action.mountPoint}`
    case 'address-up':
      return `address ${action.address.address} up${onAdapter(action.adapter)}`
    case 'address-down':
      return `address ${action.address.address} down${onAdapter(action.adapter)}`
    case 'method':
      return `${action.method} ${action.service}`
    case 'end-processes':
      return action.service === 'all' ? 'end processes' : `end processes of ${action.service}`
    case 'prove-released':
      return 'prove that nothing is left'
    default:
      return assertNever(action)
  }
}

function describeLoss(loss: Extract<Cause, { kind: 'hosts-lost' }>['hosts'][number]): string {
  const { host, evidence, silentMs, provedBy, tookMs } = loss
  if (evidence === 'confirmed' && provedBy !== undefined) return `${host} lost: confirmed down by ${provedBy}`
  if (evidence === 'fenced' && provedBy !== undefined) {
    const after = tookMs === undefined ? '' : ` after ${(tookMs / 1000).toFixed(2)} s`
    return `${host} lost: fenced by ${provedBy}${after}`
  }
  if (silentMs === undefined) return `${host} lost (${evidence})`
  return `${host} lost: no sign of life for ${(silentMs / 1000).toFixed(1)} s`
}

function asked(by: string): string {
  return by === '' ? '' : `, asked by ${by}`
}

function towards({ destination }: Extract<Mastery, { kind: 'givingUp' }>): string {
  if (destination.kind === 'to') return ` to ${destination.host}`
  return destination.why === 'maintenance' ? ' for maintenance' : ''
}

function onAdapter(adapter: string): string {
  return adapter === '' ? '' : ` on ${adapter}`
}
