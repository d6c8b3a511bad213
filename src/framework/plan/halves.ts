import type { DataService } from '../model/cluster-config.ts'
import { uncleanOf } from '../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { Half, Step } from '../model/step.ts'
import type { Draft } from './draft.ts'
import {
  addressDownSteps,
  addressUpSteps,
  endProcessesStep,
  exportSteps,
  importSteps,
  monitorSteps,
  proveStep,
  type StepContext,
  startSteps,
  stopSteps,
} from './steps.ts'

/**
 * Adds the half that makes `host` serve the logical host: disk groups, START, addresses, START_NET (the order is Sun's, API Developer's Guide 3.2).
 * `first` are steps to run before it, such as the cleaning up of a service that would not start; `isReleased`: the same plan makes its last holder prove
 * that it has let go.
 */
export function addTakeOn(
  draft: Draft,
  name: LogicalHostName,
  host: PhysicalHostName,
  { first = [], isReleased = false }: { readonly first?: readonly Step[]; readonly isReleased?: boolean } = {},
): void {
  const context = contextOf(draft, name, host)
  const uncleanOn = uncleanOf(draft.state(name).mastery)
  const services = draft.servicesRunning(name)
  draft.addHalf({
    logicalHost: name,
    host,
    kind: 'take-on',
    steps: [
      ...first,
      ...importSteps(context, uncleanOn),
      ...services.flatMap((service) => startSteps(service, 'START')),
      ...addressUpSteps(context, isReleased),
      ...services.flatMap((service) => startSteps(service, 'START_NET')),
    ],
  })
}

/** Adds the half that makes `host` let go of the logical host, with proof. */
export function addGiveUp(draft: Draft, name: LogicalHostName, host: PhysicalHostName): void {
  const context = contextOf(draft, name, host)
  const services = servicesToEnd(draft, name).toReversed()
  draft.addHalf({
    logicalHost: name,
    host,
    kind: 'give-up',
    steps: [
      ...services.flatMap((service) => monitorSteps(service, 'FM_STOP')),
      ...services.flatMap((service) => stopSteps(context.cluster, service, 'STOP_NET')),
      ...addressDownSteps(context),
      ...services.flatMap((service) => stopSteps(context.cluster, service, 'STOP')),
      endProcessesStep(context.cluster, 'all'),
      ...exportSteps(context),
      proveStep(context),
    ],
  })
}

/**
 * Lists what may run of a logical host that is to be given up. One that it goes without is ended by the half that is under way, which may be cut short
 * before that.
 */
function servicesToEnd(draft: Draft, name: LogicalHostName): readonly DataService[] {
  const { kind } = draft.state(name).mastery
  return kind === 'takingOn' || kind === 'adjusting' ? draft.servicesOn(name) : draft.servicesRunning(name)
}

/** Steps that end one running service in place: its fault monitor first, so that it does not take the end for a fault. */
export function endServiceSteps(draft: Draft, service: DataService): readonly Step[] {
  return [...monitorSteps(service, 'FM_STOP'), ...cleanUpSteps(draft, service)]
}

/** Steps that end what a service that would not start may have left: network part, the rest, and whatever process is left of it. */
export function cleanUpSteps({ cluster }: Draft, service: DataService): readonly Step[] {
  return [
    ...stopSteps(cluster, service, 'STOP_NET'),
    ...stopSteps(cluster, service, 'STOP'),
    endProcessesStep(cluster, service),
  ]
}

/** Steps that start services in place, in the given order. */
export function beginServiceSteps(services: readonly DataService[]): readonly Step[] {
  return [
    ...services.flatMap((service) => startSteps(service, 'START')),
    ...services.flatMap((service) => startSteps(service, 'START_NET')),
  ]
}

/** Adds a half that switches services on or off while the logical host stays where it is. */
export function addAdjust(draft: Draft, name: LogicalHostName, host: PhysicalHostName, steps: readonly Step[]): void {
  draft.addHalf({ logicalHost: name, host, kind: 'adjust', steps })
}

/**
 * Adds the halves that stop the fault monitors of `services` on the possible masters other than the actor, whose own FM_STOP stands in its main half.
 * Hosts that are not members get theirs too: which of them is one when the plan is carried out is not known yet.
 */
export function addWatchStop(
  draft: Draft,
  name: LogicalHostName,
  actor: PhysicalHostName,
  services: readonly DataService[],
): void {
  const steps = watchStopSteps(services)
  for (const host of draft.logicalHost(name).physicalHosts) {
    if (host !== actor) draft.addHalf(watchHalf(name, host, 'watch-stop', steps))
  }
}

/** Adds the half that stops the fault monitors of all running services on one possible master that does not hold the logical host. */
export function addWatchStopOf(draft: Draft, name: LogicalHostName, host: PhysicalHostName): void {
  if (!draft.logicalHost(name).physicalHosts.includes(host)) return
  draft.addHalf(watchHalf(name, host, 'watch-stop', watchStopSteps(draft.servicesRunning(name))))
}

/** Adds the halves that start the fault monitors of all running services on every possible master: local ones on the master, remote ones elsewhere. */
export function addWatchStart(draft: Draft, name: LogicalHostName): void {
  const services = draft.servicesRunning(name)
  const steps = [
    ...services.flatMap((service) => monitorSteps(service, 'FM_INIT')),
    ...services.flatMap((service) => monitorSteps(service, 'FM_START')),
  ]
  for (const host of draft.logicalHost(name).physicalHosts) {
    if (draft.member(host)?.state !== 'leaving') draft.addHalf(watchHalf(name, host, 'watch-start', steps))
  }
}

function watchStopSteps(services: readonly DataService[]): readonly Step[] {
  return services.toReversed().flatMap((service) => monitorSteps(service, 'FM_STOP'))
}

function watchHalf(
  logicalHost: LogicalHostName,
  host: PhysicalHostName,
  kind: 'watch-stop' | 'watch-start',
  steps: readonly Step[],
): Half {
  return { logicalHost, host, kind, steps }
}

function contextOf(draft: Draft, name: LogicalHostName, host: PhysicalHostName): StepContext {
  return { cluster: draft.cluster, logicalHost: draft.logicalHost(name), host }
}
