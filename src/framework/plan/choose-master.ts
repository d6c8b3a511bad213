import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../model/names.ts'
import { mayTryAgain } from '../supervise/take-on-retries.ts'
import { failedGroupOn, isWellConnected } from './connection.ts'
import type { Draft } from './draft.ts'
import { isHeir } from './heirs.ts'
import { withDependants } from './service-order.ts'

/** A host chosen to master a logical host, and the services that are known not to start there. */
export interface Choice {
  readonly host: PhysicalHostName
  readonly without: readonly DataServiceName[]
}

/** What a choice is to respect beside the order of the list. */
export interface Wishes {
  /** Not this one. */
  readonly except?: PhysicalHostName | undefined
  /** This one if it can, before the order of the list: an operator asked for it. */
  readonly prefer?: PhysicalHostName | undefined
  /** This one, if some service starts nowhere: moving would not help. */
  readonly stayOn?: PhysicalHostName | undefined
  /** Only one on which its addresses are known to work. */
  readonly isConnected?: boolean
}

/**
 * Chooses who masters a logical host next: the first of its possible masters that is a member, not leaving, able to take it on as far as is known, and
 * on which every service starts as far as is known. If some service starts nowhere, the first that can be taken on is chosen, and the logical host is
 * mastered without that service. Undefined when nobody is left.
 */
export function chooseMaster(draft: Draft, name: LogicalHostName, wishes: Wishes = {}): Choice | undefined {
  const { except, prefer, stayOn, isConnected = false } = wishes
  const logicalHost = draft.logicalHost(name)
  const fit = logicalHost.physicalHosts.filter(
    (host) =>
      host !== except &&
      isAble(draft, name, host) &&
      (!isConnected || isWellConnected(draft.before, logicalHost, host)),
  )
  const inOrder = fit.toSorted((a, b) => Number(b === prefer) - Number(a === prefer))
  const choices = inOrder.map((host) => ({ host, without: failedOn(draft, name, host) }))
  return (
    choices.find((choice) => choice.without.length === 0) ??
    choices.find((choice) => choice.host === stayOn) ??
    choices[0]
  )
}

/** Whether a host could take the logical host on as far as is known, whatever its services do there. */
export function isAble(draft: Draft, name: LogicalHostName, host: PhysicalHostName): boolean {
  const failure = draft.state(name).takeOnFailures.find((known) => known.host === host)
  return (
    draft.isFit(host) &&
    isHeir(draft, name, host) &&
    failedGroupOn(draft.before, draft.logicalHost(name), host) === undefined &&
    (failure === undefined || mayTryAgain(failure, draft.facts.nowWallMs))
  )
}

/** Lists the services that did not start on `host`, with those that depend on them. */
export function failedOn(draft: Draft, name: LogicalHostName, host: PhysicalHostName): readonly DataServiceName[] {
  const services = draft.servicesOn(name)
  const on = new Set(services.map((service) => service.name))
  const failed = new Set(
    draft
      .state(name)
      .startFailures.filter((failure) => failure.host === host && on.has(failure.service))
      .map((failure) => failure.service),
  )
  return failed.size === 0 ? [] : [...withDependants(failed, services)]
}
