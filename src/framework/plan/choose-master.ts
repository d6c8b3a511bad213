import type { DataServiceName, LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { Draft } from './draft.ts'
import { withDependants } from './service-order.ts'

/** A host chosen to master a logical host, and the services that are known not to start there. */
export interface Choice {
  readonly host: PhysicalHostName
  readonly without: readonly DataServiceName[]
}

/**
 * Chooses who masters a logical host next: the first of its possible masters that is a member, not leaving, able to take it on as far as is known, and
 * on which every service starts as far as is known. If some service starts nowhere, the first that can be taken on is chosen (`stayOn` before all others,
 * because moving would not help) and the logical host is mastered without that service. Undefined when nobody is left.
 */
export function chooseMaster(
  draft: Draft,
  name: LogicalHostName,
  options: { readonly except?: PhysicalHostName; readonly stayOn?: PhysicalHostName } = {},
): Choice | undefined {
  const fit = draft
    .logicalHost(name)
    .physicalHosts.filter((host) => host !== options.except && isAble(draft, name, host))
  const choices = fit.map((host) => ({ host, without: failedOn(draft, name, host) }))
  return (
    choices.find((choice) => choice.without.length === 0) ??
    choices.find((choice) => choice.host === options.stayOn) ??
    choices[0]
  )
}

/** Whether a host could take the logical host on as far as is known, whatever its services do there. */
export function isAble(draft: Draft, name: LogicalHostName, host: PhysicalHostName): boolean {
  return draft.isFit(host) && !draft.state(name).takeOnFailures.some((failure) => failure.host === host)
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
