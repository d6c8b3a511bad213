import { actorOf } from '../../model/mastery.ts'
import type { DataServiceName } from '../../model/names.ts'
import type { Action, Half, Step } from '../../model/step.ts'
import { findDisorderOfServices, methodsIn, phaseOf } from './compare-lists.ts'
import {
  type Breach,
  configOf,
  type Examined,
  nameOfHalf,
  placedSteps,
  type Rule,
  serves,
  servicesToRun,
  withLadders,
} from './examined.ts'

/** Rules about adjust halves (services switched in place) and watch halves (fault monitors). */
export const adjustRules: readonly Rule[] = [
  {
    name: 'adjust-touches-services-only',
    severity: 'fatal',
    sentence: 'adjusting stops services, then starts services, and leaves disk groups and addresses alone',
    find: eachOf(['adjust'], findDisorderedServices),
  },
  {
    name: 'adjust-stops-what-goes',
    severity: 'fatal',
    sentence:
      'a service that is switched off, or taken off the logical host, is stopped in order and its processes are ended',
    find: eachOf(['adjust'], findNotStopped),
  },
  {
    name: 'adjust-starts-what-comes',
    severity: 'fatal',
    sentence: 'a service that is switched on, or put on the logical host, is started',
    find: eachOf(['adjust'], findNotStarted),
  },
  {
    name: 'watch-calls-monitors-only',
    severity: 'fatal',
    sentence: 'watch halves call FM_STOP, or FM_INIT before FM_START, and nothing else',
    find: eachOf(['watch-stop', 'watch-start'], findOtherThanMonitors),
  },
  {
    name: 'watch-fails-quietly',
    severity: 'fatal',
    sentence: 'a fault monitor that will not start or stop holds nothing up',
    find: (x) =>
      x.made.halves.flatMap((half) =>
        placedSteps([half])
          .filter(({ action, step }) => isMonitor(action) && step.ifItFails.kind !== 'note')
          .map(({ number }) => ({ subject: half.logicalHost, text: `step ${number} of ${nameOfHalf(half)}` })),
      ),
  },
  {
    name: 'moves-unwatched',
    severity: 'warning',
    sentence:
      'fault monitors of a service stop before the service does, on the master and on every other possible master',
    find: findStillWatched,
  },
]

const adjustOrder = ['FM_STOP', 'STOP_NET', 'STOP', 'end-processes', 'START', 'START_NET']

/** In order for each service; between services only all ends come before all beginnings. */
function findDisorderedServices(_x: Examined, half: Half): readonly string[] {
  const isEnding = ({ action }: Step): boolean =>
    adjustOrder.indexOf(phaseOf(action)) <= adjustOrder.indexOf('end-processes')
  const firstStart = half.steps.findIndex((step) => !isEnding(step))
  const late = firstStart < 0 ? [] : half.steps.slice(firstStart).filter(isEnding)
  return [
    ...late.map(({ action }) => `${phaseOf(action)} in ${nameOfHalf(half)} behind a start`),
    ...findDisorderOfServices(half, adjustOrder),
  ]
}

function eachOf(
  kinds: readonly Half['kind'][],
  find: (x: Examined, half: Half) => readonly string[],
): (x: Examined) => readonly Breach[] {
  return (x) =>
    x.made.halves
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap((half) => find(x, half).map((text) => ({ subject: half.logicalHost, text })))
}

function findNotStopped(x: Examined, half: Half): readonly string[] {
  const stay = servicesToRun(x.after, half.logicalHost).map(({ name }) => name)
  const go = servicesToRun(x.before, half.logicalHost).filter(({ name }) => !stay.includes(name))
  return go.flatMap(({ name, methods }) => {
    const unstopped = (['STOP_NET', 'STOP'] as const).filter(
      (method) => methods[method] !== undefined && !methodsIn(half, method).includes(name),
    )
    const ended = half.steps.some(({ action }) => endsProcesses(action, name))
    return [...unstopped, ...(ended ? [] : ['end of processes'])].map((what) => `no ${what} of ${name}`)
  })
}

function endsProcesses(action: Action, service: DataServiceName): boolean {
  return action.kind === 'end-processes' && (action.service === service || action.service === 'all')
}

function findNotStarted(x: Examined, half: Half): readonly string[] {
  const ran = servicesToRun(x.before, half.logicalHost).map(({ name }) => name)
  const come = servicesToRun(x.after, half.logicalHost).filter(({ name }) => !ran.includes(name))
  return come.flatMap(({ name, methods }) =>
    (['START', 'START_NET'] as const)
      .filter((method) => methods[method] !== undefined && !methodsIn(half, method).includes(name))
      .map((method) => `no ${method} of ${name}`),
  )
}

function isMonitor(action: Action): boolean {
  return action.kind === 'method' && action.method.startsWith('FM_')
}

function findOtherThanMonitors(_x: Examined, half: Half): readonly string[] {
  const allowed = half.kind === 'watch-stop' ? ['FM_STOP'] : ['FM_INIT', 'FM_START']
  const calls = withLadders(half).map(({ action }) => (action.kind === 'method' ? action : undefined))
  const strangers = calls.filter((call) => call === undefined || !allowed.includes(call.method)).length
  const early = calls.filter((call, index) => {
    const later = calls.slice(index + 1)
    return (
      call?.method === 'FM_START' && later.some((next) => next?.method === 'FM_INIT' && next.service === call.service)
    )
  }).length
  return strangers + early === 0 ? [] : [`${nameOfHalf(half)} has other steps, or FM_START before FM_INIT`]
}

function findStillWatched(x: Examined): readonly Breach[] {
  return x.made.halves
    .filter(({ kind }) => kind === 'give-up')
    .flatMap(({ logicalHost }) =>
      (configOf(x, logicalHost)?.physicalHosts ?? [])
        .filter((host) => x.before.members.has(host) && x.after.members.has(host))
        .flatMap((host) => findUnstoppedMonitors(x, logicalHost, host)),
    )
}

function findUnstoppedMonitors(x: Examined, logicalHost: Half['logicalHost'], host: Half['host']): readonly Breach[] {
  const state = x.before.states.get(logicalHost)
  // Monitors run while it is mastered: nothing else has any to stop.
  if (state === undefined || state.mastery.kind !== 'mastered' || actorOf(state.mastery) === undefined) return []
  const stopped = x.made.halves
    .filter((half) => half.logicalHost === logicalHost && half.host === host)
    .flatMap((half) => methodsIn(half, 'FM_STOP'))
  return servicesToRun(x.before, logicalHost)
    .filter((service) => serves(service, logicalHost) && service.methods.FM_STOP !== undefined)
    .filter(({ name }) => !stopped.includes(name))
    .map(({ name }) => ({ subject: logicalHost, text: `no FM_STOP of ${name} on ${host}` }))
}
