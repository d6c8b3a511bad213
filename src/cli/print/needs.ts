import type {
  LogicalHostStatusJson,
  MissingProgramsJson,
  NetworkStatusJson,
  StatusJson,
} from '../../framework/api/wire.ts'
import { writeDuration, writeTime } from './duration.ts'
import { fencingNeeds } from './fencing-lines.ts'
import { groupNeeds } from './public-network-lines.ts'

/** One thing that is not as it should be, and what to do about it. */
export interface Need {
  readonly what: string
  /** Facts, then what to do; one per line. */
  readonly todo: readonly string[]
}

const DAY_MS = 86_400_000
/** Days before its end at which a certificate is told; it should have been renewed two weeks before that. */
const CERTIFICATE_DAYS_TOLD = 14
/** Programs of one service and host that are named; a service that is not installed at all misses them all. */
const PROGRAMS_TOLD_MAX = 5
/** Pairs of hosts without a network between them that are named. */
const PAIRS_TOLD_MAX = 3

/** Finds what an operator has to look at, worst first; empty when all is well. Maintenance is wanted, and what is in motion comes to an end by itself. */
export function findNeeds(status: StatusJson): readonly Need[] {
  return [
    ...databaseNeeds(status),
    ...status.logicalHosts.flatMap(stuckNeeds),
    ...status.logicalHosts.flatMap(unmasteredNeeds),
    ...status.logicalHosts.flatMap(serviceNeeds),
    ...status.missingPrograms.map(missingNeed),
    ...absentNeeds(status),
    ...promiseNeeds(status),
    ...networkNeeds(status),
    ...status.publicGroups.flatMap(groupNeeds),
    ...certificateNeeds(status),
    ...fencingNeeds(status),
    ...status.voterWarnings.map((what): Need => ({ what: what.replace(/\.$/, ''), todo: ['scadmin voters'] })),
    ...guardNeeds(status),
  ]
}

/** A host that was taken out, or was never let in, has no certificate: to start it would be refused. */
function absentNeeds({ physicalHosts, certificates }: StatusJson): readonly Need[] {
  return physicalHosts
    .filter(({ membership }) => membership === 'not a member')
    .map(({ name }) => ({
      what: `${name} is not a member of the cluster`,
      todo:
        certificates.length === 0 || certificates.some((certificate) => certificate.name === name)
          ? ['see why: scadmin history', `then on ${name}: scadmin startnode`]
          : [`it has no certificate of the cluster; scadmin token here, then on ${name}: scadmin join`],
    }))
}

function databaseNeeds({ databaseAway, answeredBy, atWallMs }: StatusJson): readonly Need[] {
  if (databaseAway === null) return []
  const { sinceWallMs, untilWallMs, promisedBy } = databaseAway
  const goesOn =
    promisedBy.length === 0
      ? 'Services run on: nobody else could take them over.'
      : `Services run on as long as ${promisedBy.join(' and ')} ${promisedBy.length === 1 ? 'promises' : 'promise'} to take nothing over; without that they are stopped at ${writeTime(untilWallMs)}.`
  return [
    {
      what: `the cluster database does not answer ${answeredBy}, since ${writeTime(sinceWallMs)} (${writeDuration(atWallMs - sinceWallMs)})`,
      todo: [
        goesOn,
        'Nothing can be changed meanwhile, and what is shown here may be old.',
        'Look at it with: scadmin voters, or the status of your etcd',
      ],
    },
  ]
}

/** Says in one line, and one more for each need, how the cluster is. */
export function needLines(status: StatusJson): readonly string[] {
  const needs = findNeeds(status)
  const moving = status.logicalHosts
    .filter(({ isInMotion }) => isInMotion)
    .map(({ name, sentence }) => `${name} is ${sentence}`)
  const motion = moving.length === 0 ? [] : [`In motion: ${moving.join('; ')}.`]
  const kept = status.logicalHosts.filter(({ inMaintenance }) => inMaintenance).map(({ name }) => name)
  const wanted = kept.length === 0 ? [] : [`In maintenance, as asked: ${kept.join(', ')}.`]
  if (needs.length === 0) return [allWell(status, moving.length > 0), ...motion, ...wanted]
  const head = needs.length === 1 ? '1 thing needs you:' : `${needs.length} things need you:`
  return [
    head,
    ...needs.flatMap(({ what, todo }) => [`  ! ${what}`, ...todo.map((line) => `      ${line}`)]),
    ...motion,
    ...wanted,
  ]
}

/** That a service runs says that its methods succeeded; whether it serves is not looked at, and the reader must not believe it is. */
function allWell({ services }: StatusJson, isMoving: boolean): string {
  const unprobed = services.some(({ state }) => state === 'on') ? ' (data services are not probed yet)' : ''
  return `All well${isMoving ? ' so far' : ''}${unprobed}.`
}

function stuckNeeds({ name, mastery, sentence, leftovers }: LogicalHostStatusJson): readonly Need[] {
  if (mastery !== 'stuck') return []
  const things = leftovers.map(({ what, remedy }) => `${what}: ${remedy}`)
  return [{ what: `${name} is ${sentence}`, todo: [...things, `then: scadmin clear ${name}`] }]
}

function unmasteredNeeds(host: LogicalHostStatusJson): readonly Need[] {
  if (host.mastery !== 'unmastered' || host.inMaintenance) return []
  const failures = host.takeOnFailures.map((failure) => `${failure.host}: ${failure.message}`)
  const canBeCleared = host.unmasteredWhy === 'too-many-takeovers' || host.unmasteredWhy === 'cannot-be-taken-on'
  const remedy = canBeCleared
    ? `remove the cause, then: scadmin clear ${host.name}`
    : `see why: scadmin explain ${host.name}`
  return [{ what: `${host.name} has no master: ${host.sentence}`, todo: [...failures, remedy] }]
}

function serviceNeeds(host: LogicalHostStatusJson): readonly Need[] {
  return host.without.map((service) => {
    const failures = host.startFailures.filter((failure) => failure.service === service)
    const where = failures.map((failure) => `${failure.host}: ${failure.message}`)
    const remedy = `remove the cause, then: scadmin clear ${host.name}`
    return {
      what: `${service} is on but does not run on ${host.name}: it starts nowhere`,
      todo: [...where, remedy],
    }
  })
}

function missingNeed({ host, service, logicalHosts, programs }: MissingProgramsJson): Need {
  const told = programs.slice(0, PROGRAMS_TOLD_MAX)
  const more = programs.length - told.length
  return {
    what: `programs of ${service} are missing on ${host}, a possible master of ${logicalHosts.join(', ')}`,
    todo: [
      ...told.map((program) => `${program} is missing, not a file, or not executable on ${host}`),
      ...(more > 0 ? [`and ${more} more`] : []),
      `install what is missing on ${host}; it looks again every half minute`,
    ],
  }
}

/** Machines that could take over from each other must be able to promise not to; hosts of one machine, which have no certificates, need not. */
function promiseNeeds({ cluster, logicalHosts, privateNetworks, certificates }: StatusJson): readonly Need[] {
  if (certificates.length === 0) return []
  const isTogether = (pair: readonly string[]): boolean =>
    privateNetworks.some(({ interfaces }) => pair.every((host) => interfaces.some((one) => one.host === host)))
  const pairs = logicalHosts.flatMap(({ physicalHosts }) =>
    physicalHosts.flatMap((one, index) => physicalHosts.slice(index + 1).map((other) => [one, other].toSorted())),
  )
  const apart = [...new Set(pairs.filter((pair) => !isTogether(pair)).map((pair) => pair.join(' and ')))]
  if (apart.length === 0) return []
  const told = apart.slice(0, PAIRS_TOLD_MAX).join(', or between ')
  const more = apart.length - PAIRS_TOLD_MAX
  return [
    {
      what: `no network carries heartbeats between ${told}${more > 0 ? `, and ${more} other pairs` : ''}`,
      todo: [
        'so they cannot promise each other anything: when the cluster database is away, services that both could master stop',
        `scconf ${cluster} --network NAME --role internal`,
        `then for each of them: scconf ${cluster} --physical-host HOST --interface NAME:ADAPTER:ADDRESS`,
      ],
    },
  ]
}

function networkNeeds({ privateNetworks, publicNetworks, heartbeatTroubles, answeredBy }: StatusJson): readonly Need[] {
  const isBroken = ({ state }: NetworkStatusJson): boolean => state === 'down' || state === 'partitioned'
  const todo = ['no logical host moves because of it; look at its adapters, cables and switches']
  const broken = privateNetworks
    .filter(isBroken)
    .map(({ name, sentence }) => ({ what: `network ${name} is ${sentence}`, todo }))
  const isOnlyPublic = ({ name }: NetworkStatusJson): boolean => !privateNetworks.some((other) => other.name === name)
  const outside = publicNetworks.filter((one) => isBroken(one) && isOnlyPublic(one))
  // With one host on each there is nobody to tell anything to.
  const isNeeded = privateNetworks.some(({ interfaces }) => interfaces.length > 1)
  return [
    ...broken,
    ...outside.map(({ name, sentence }) => ({ what: `network ${name} is ${sentence}`, todo: [] })),
    ...(isNeeded && heartbeatTroubles.length > 0
      ? [{ what: `heartbeats of ${answeredBy} do not work as configured`, todo: heartbeatTroubles }]
      : []),
  ]
}

function certificateNeeds({ certificates, atWallMs }: StatusJson): readonly Need[] {
  return certificates.flatMap(({ name, role, validUntilWallMs }): readonly Need[] => {
    const days = Math.floor((validUntilWallMs - atWallMs) / DAY_MS)
    if (days >= CERTIFICATE_DAYS_TOLD) return []
    const when = days < 0 ? 'has expired' : `expires in ${days === 0 ? 'less than a day' : `${days} days`}`
    const daemon = role === 'host' ? 'clustd' : 'its voter'
    return [
      {
        what: `the certificate of ${name} ${when} (${writeTime(validUntilWallMs)})`,
        todo: [`it renews itself while ${daemon} runs on ${name}: see that it does, and that its clock is right`],
      },
    ]
  })
}

function guardNeeds({ guardReports, answeredBy }: StatusJson): readonly Need[] {
  const [latest] = guardReports
  if (latest === undefined || latest.leftovers.length === 0) return []
  return [
    {
      what: `the guard of ${answeredBy} could not stop everything at ${writeTime(latest.firedWallMs)}`,
      todo: latest.leftovers.map((leftover) => `still there then: ${leftover}`),
    },
  ]
}
