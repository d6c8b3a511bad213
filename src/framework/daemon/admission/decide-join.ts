import { isIP } from 'node:net'
import type { JoinRequest } from '../../api/wire.ts'
import { configurationOf, withEntry } from '../../configure/configuration.ts'
import { decideChanges } from '../../configure/decide-changes.ts'
import { HaError } from '../../errors/ha-error.ts'
import type { Admission, JoinToken } from '../../model/admission.ts'
import { type PhysicalHostName, parseName } from '../../model/names.ts'
import type { Interface } from '../../model/network.ts'
import { newPhysicalHost } from '../../model/new-physical-host.ts'
import type { AdmissionChange, AdmissionsSeen } from './book.ts'
import { describeVersions, isVersionNear } from './versions.ts'

/** Clocks further apart make certificates that are not valid yet, or no longer. */
const CLOCK_DIFFERENCE_MS_MAX = 3_600_000
/** Names that were ever let in, at most: the largest cluster, many times over. */
const ADMISSIONS_MAX = 1_024

/** What a decision about a join rests on beside the records. */
export interface JoinFacts {
  readonly me: PhysicalHostName
  readonly version: string
  readonly nowWallMs: number
  readonly keyFingerprint: string
  readonly validUntilWallMs: number
  /** A good token. */
  readonly token: JoinToken
}

/** Refuses what is wrong with the machine itself, whoever it is. Throws `JOIN_REFUSED`. */
export function refuseUnfit(
  request: JoinRequest,
  { me, version, nowWallMs }: Pick<JoinFacts, 'me' | 'version' | 'nowWallMs'>,
): void {
  if (!isVersionNear(request.version, version))
    throw new HaError('JOIN_REFUSED', describeVersions(request.name, request.version, me, version), {
      hint: 'Install the same version of Haven on both, then join again.',
    })
  const aheadMs = request.nowWallMs - nowWallMs
  if (Math.abs(aheadMs) <= CLOCK_DIFFERENCE_MS_MAX) return
  const minutes = Math.round(Math.abs(aheadMs) / 60_000)
  throw new HaError(
    'JOIN_REFUSED',
    `the clock of ${request.name} is ${minutes} minutes ${aheadMs > 0 ? 'ahead of' : 'behind'} that of ${me}`,
    { hint: 'Set the clocks (chrony, systemd-timesyncd), then join again.' },
  )
}

/** Decides that a machine is let in. Throws `NAME_INVALID`, `ALREADY_EXISTS`, `NOT_FOUND` (a network), `CONFIG_INVALID`, `LIMIT_REACHED`. */
export function decideJoin(seen: AdmissionsSeen, request: JoinRequest, facts: JoinFacts): readonly AdmissionChange[] {
  const name = parseName('physicalHost', request.name)
  refuseAddresses(request.addresses)
  refuseTaken(seen, name, request, facts)
  const { keyFingerprint, nowWallMs, validUntilWallMs, token } = facts
  const admission: Admission = {
    name,
    role: request.role,
    keyFingerprint,
    addresses: request.addresses,
    port: request.port,
    admittedWallMs: nowWallMs,
    by: token.by,
    validUntilWallMs,
    evicted: null,
  }
  return [
    { kind: 'put-token', token: { ...token, usedBy: { name, keyFingerprint } } },
    { kind: 'put-admission', admission },
    ...(request.role === 'host' ? configureHost(seen, name, request) : []),
  ]
}

function refuseTaken(
  { state, admissions }: AdmissionsSeen,
  name: PhysicalHostName,
  { role }: JoinRequest,
  { keyFingerprint }: JoinFacts,
): void {
  if (state.members.has(name)) {
    throw new HaError('ALREADY_EXISTS', `${name} is a member of the cluster already`, {
      hint: `Choose another name with --host; or, if it is this machine: scadmin stopnode there, then scadmin evict ${name}.`,
    })
  }
  if (role === 'witness' && state.physicalHosts.has(name)) {
    throw new HaError('ALREADY_EXISTS', `${name} is the name of a physical host`, { hint: 'Choose another name.' })
  }
  const known = admissions.get(name)
  if (known === undefined && admissions.size >= ADMISSIONS_MAX)
    throw new HaError('LIMIT_REACHED', `there have been ${ADMISSIONS_MAX} machines in this cluster`)
  if (known === undefined || known.evicted !== null || known.keyFingerprint === keyFingerprint) return
  throw new HaError('ALREADY_EXISTS', `${name} belongs to the cluster already, with another key`, {
    hint: `Choose another name with --host; or, if this machine replaces it: scadmin evict ${name} on another host, then join again.`,
  })
}

function refuseAddresses(addresses: readonly string[]): void {
  const wrong = addresses.filter((address) => isIP(address) === 0 && !HOST_NAME.test(address))
  if (wrong.length === 0) return
  throw new HaError('CONFIG_INVALID', `'${wrong.join("', '")}' cannot be the address of a host`, {
    hint: 'Give IP addresses or host names.',
  })
}

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/

/** The record of the host, with the interfaces that it named. What is known of it otherwise stays. */
function configureHost(
  { state }: AdmissionsSeen,
  name: PhysicalHostName,
  request: JoinRequest,
): readonly AdmissionChange[] {
  const configuration = configurationOf(state)
  const present = state.physicalHosts.get(name) ?? newPhysicalHost(name)
  const named = request.interfaces.map((one): Interface => ({ ...one, network: parseName('network', one.network) }))
  for (const { network } of named) {
    if (state.networks.has(network)) continue
    const known = [...state.networks.keys()].join(', ') || 'none'
    throw new HaError('NOT_FOUND', `there is no network ${network}; known: ${known}`, {
      hint: 'Define it with scconf first, or join without --interface and give the interface later.',
    })
  }
  const others = present.interfaces.filter(({ network }) => !named.some((one) => one.network === network))
  const physicalHost = { ...present, interfaces: [...others, ...named] }
  const wanted = { ...configuration, physicalHosts: withEntry(configuration.physicalHosts, name, physicalHost) }
  const changes = decideChanges(state, wanted, `${name} cannot join with these interfaces`)
  return changes.map((change) => ({ kind: 'configuration', change }))
}
