import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import type { AdmissionDesk } from '../../api/admission-desk.ts'
import type {
  EvictedJson,
  EvictRequest,
  JoinedJson,
  JoinRequest,
  RenewedJson,
  RenewRequest,
  TokenJson,
  TokenRequest,
  VoterAdmissionJson,
} from '../../api/wire.ts'
import { describeError, HaError, isHaError } from '../../errors/ha-error.ts'
import { carriesHeartbeats } from '../../membership/heartbeats.ts'
import type { Admission } from '../../model/admission.ts'
import type { DatabasePlace } from '../../model/database-place.ts'
import { type ClusterName, type PhysicalHostName, parseName } from '../../model/names.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Log } from '../../ports/log.ts'
import type { Voters } from '../../ports/voters.ts'
import { fingerprintOf } from '../../security/certificate.ts'
import { certify } from '../../security/certify.ts'
import { writePlace } from '../../security/host-places.ts'
import type { Identity } from '../../security/identity-files.ts'
import { fingerprintOfKey } from '../../security/keys.ts'
import { hashSecret, makeToken, writeToken } from '../../security/token.ts'
import { CERTIFICATE_VALID_MS } from '../../security/validity.ts'
import { API_PORT, type ApiPlace } from '../host-file.ts'
import type { AdmissionBook } from './book.ts'
import { decideEvict } from './decide-evict.ts'
import { decideJoin, refuseUnfit } from './decide-join.ts'
import { countGuess, judgeToken, keepToken } from './judge-token.ts'
import { Throttle } from './throttle.ts'

/** What the desk is made of. */
export interface DeskParts {
  readonly book: AdmissionBook
  readonly effects: Effects
  readonly log: Log
  readonly me: PhysicalHostName
  readonly cluster: ClusterName
  readonly version: string
  /** What this host proves itself with now; undefined = nothing. */
  readonly identity: () => Identity | undefined
  /** Where other hosts reach this one now; undefined = nowhere. */
  readonly place: () => ApiPlace | undefined
  /** Where the cluster database is now. */
  readonly database: () => DatabasePlace
  /** Undefined where Haven does not run the etcd. */
  readonly voters: () => Voters | undefined
}

type FullIdentity = Identity & { readonly caKey: string; readonly clusterKey: Buffer }

const TTL_DEFAULT_S = 900

/** Makes what lets machines into the cluster and takes them out. */
export function createAdmissionDesk(parts: DeskParts): AdmissionDesk {
  const throttle = new Throttle(parts.effects)
  return {
    makeToken: (request, by) => makeOne(parts, request, by),
    join: (request) => join(parts, throttle, request),
    renew: (name, request) => renew(parts, name, request),
    evict: (request, by) => evict(parts, request, by),
    certificates: () => {
      const admitted = [...parts.book.seen().admissions.values()].filter(({ evicted }) => evicted === null)
      const listed = admitted.map(({ name, role, validUntilWallMs }) => ({ name, role, validUntilWallMs }))
      return listed.toSorted((a, b) => a.name.localeCompare(b.name))
    },
  }
}

async function makeOne(parts: DeskParts, { role, ttlS }: TokenRequest, by: string): Promise<TokenJson> {
  const { book, effects, log } = parts
  const { caCertificate } = identityOf(parts)
  const made = makeToken(fingerprintOf(caCertificate))
  const nowWallMs = effects.nowWallMs()
  const expiresWallMs = nowWallMs + (ttlS ?? TTL_DEFAULT_S) * 1_000
  const kept = { id: made.id, role, secretHash: hashSecret(made.secret), expiresWallMs, by, failures: 0, usedBy: null }
  await book.change((seen) => ({ changes: keepToken(seen, kept, nowWallMs), members: [] }))
  log.write({ level: 'info', message: `${by} made a token for a ${role} to join, ${made.id}` })
  return { token: writeToken(made), role, expiresWallMs, addresses: ownPlaces(parts) }
}

/** Where this host can be reached, as `scadmin join` takes it. */
function ownPlaces({ book, me, place }: DeskParts): readonly string[] {
  const { state } = book.seen()
  const own = place()
  const port = own?.port ?? API_PORT
  const interfaces = state.physicalHosts.get(me)?.interfaces.map(({ address }) => address) ?? []
  const addresses = [...new Set([...(own?.addresses ?? []), ...interfaces])]
  return (addresses.length === 0 ? [me] : addresses).map((address) => placeText(address, port))
}

function placeText(address: string, port: number): string {
  const host = address.includes(':') ? `[${address}]` : address
  return port === API_PORT ? host : `${host}:${port}`
}

/** Where hosts can be asked, one place of each first. */
function hostPlaces(book: AdmissionBook): readonly string[] {
  const { admissions, state } = book.seen()
  const hosts = [...admissions.values()].filter(({ role, evicted }) => role === 'host' && evicted === null)
  const lists = hosts.map(({ name, addresses, port }) => {
    const interfaces = state.physicalHosts.get(name)?.interfaces.map(({ address }) => address) ?? []
    const all = [...new Set([...addresses, ...interfaces])]
    return (all.length === 0 ? [name] : all).map((address) => writePlace({ address, port }))
  })
  return [...lists.flatMap(([first]) => first ?? []), ...lists.flatMap(([, ...rest]) => rest)].slice(0, PLACES_TOLD_MAX)
}

const PLACES_TOLD_MAX = 32

async function join(parts: DeskParts, throttle: Throttle, request: JoinRequest): Promise<JoinedJson> {
  const { effects, log, me } = parts
  const identity = identityOf(parts)
  throttle.refuseTooMany()
  try {
    const { readRequest } = await import('../../security/make-certificates.ts')
    const publicKey = await readRequest(request.request)
    const nowWallMs = effects.nowWallMs()
    const facts = { me, version: parts.version, nowWallMs, validUntilWallMs: nowWallMs + CERTIFICATE_VALID_MS }
    await admit(parts, request, { ...facts, keyFingerprint: fingerprintOfKey(publicKey) })
    const { voter, warnings } = await admitVoter(parts, request)
    log.write({ level: 'info', message: `let ${request.name} into the cluster as a ${request.role}` })
    return answerOf(parts, identity, { request, publicKey, voter, warnings, nowWallMs: facts.nowWallMs })
  } catch (error) {
    if (isHaError(error, 'TOKEN_REFUSED') || isHaError(error, 'CERTIFICATE_REFUSED')) throttle.count()
    log.write({ level: 'warn', message: `${request.name} was not let in: ${describeError(error)}` })
    throw error
  }
}

async function admit(
  { book }: DeskParts,
  request: JoinRequest,
  facts: Omit<Parameters<typeof decideJoin>[2], 'token'>,
): Promise<void> {
  const shown = { ...request, keyFingerprint: facts.keyFingerprint }
  const verdict = judgeToken(book.seen(), shown, facts.nowWallMs)
  if (verdict.kind === 'refused' && verdict.isGuess)
    await book.change((seen) => ({ changes: countGuess(seen, request.tokenId), members: [] }))
  if (verdict.kind === 'refused') throw verdict.error
  refuseUnfit(request, facts)
  await book.change((seen) => {
    const again = judgeToken(seen, shown, facts.nowWallMs)
    if (again.kind === 'refused') throw again.error
    const changes = decideJoin(seen, request, { ...facts, token: again.token })
    return { changes, members: [parseName('physicalHost', request.name)] }
  })
}

/** A cluster has voters enough with some of its hosts: one more that may not vote is let in all the same. */
async function admitVoter(
  parts: DeskParts,
  { name, role, addresses, voterAddresses }: JoinRequest,
): Promise<{ readonly voter: VoterAdmissionJson | null; readonly warnings: readonly string[] }> {
  const voters = parts.voters()
  if (voters === undefined || voterAddresses === null) return { voter: null, warnings: [] }
  const everywhere = [...addresses.filter((address) => isIP(address) !== 0), ...privateAddresses(parts, name)]
  const wanted = voterAddresses.length > 0 ? voterAddresses : [...new Set(everywhere)]
  try {
    return { voter: await voters.admit({ name, addresses: wanted }), warnings: [] }
  } catch (error) {
    if (role === 'witness' || !isHaError(error, 'LIMIT_REACHED')) throw error
    return { voter: null, warnings: [`${name} does not vote in the cluster database: ${error.message}.`] }
  }
}

/** Where a host is in private networks, as far as it is configured. */
function privateAddresses({ book }: DeskParts, name: string): readonly string[] {
  const { state } = book.seen()
  const interfaces = state.physicalHosts.get(parseName('physicalHost', name))?.interfaces ?? []
  return interfaces.flatMap(({ network, address }) =>
    carriesHeartbeats(state.networks.get(network)?.role ?? 'none') ? [address] : [],
  )
}

interface Answered {
  readonly request: JoinRequest
  readonly publicKey: KeyObject
  readonly voter: VoterAdmissionJson | null
  readonly warnings: readonly string[]
  readonly nowWallMs: number
}

async function answerOf(
  { book, cluster, me, database }: DeskParts,
  identity: FullIdentity,
  { request, publicKey, voter, warnings, nowWallMs }: Answered,
): Promise<JoinedJson> {
  const { name, role } = request
  const interfaces = request.interfaces.map(({ address }) => address)
  const addresses = [...new Set([...request.addresses, ...interfaces, ...(voter?.addresses ?? [])])]
  const certificate = await certify(identity, { cluster, name, role, addresses, nowWallMs }, publicKey)
  return {
    cluster,
    name,
    admittedBy: me,
    certificate,
    caKey: role === 'host' ? identity.caKey : null,
    clusterKey: role === 'host' ? identity.clusterKey.toString('base64') : null,
    database: placeFor(database(), voter),
    voter,
    hosts: hostPlaces(book),
    warnings,
  }
}

/** The TLS files of an etcd that Haven runs are those that each host proves itself with: every host knows its own. */
function placeFor(database: DatabasePlace, voter: VoterAdmissionJson | null): DatabasePlace {
  if (database.kind === 'file' || !database.isManaged) return database
  const { tls, ...rest } = database
  return { ...rest, endpoints: voter?.endpoints ?? rest.endpoints }
}

async function renew(parts: DeskParts, name: string, { request, addresses }: RenewRequest): Promise<RenewedJson> {
  const { book, effects, cluster, log } = parts
  const identity = identityOf(parts)
  const { readRequest } = await import('../../security/make-certificates.ts')
  const publicKey = await readRequest(request)
  const nowWallMs = effects.nowWallMs()
  const change = { addresses, validUntilWallMs: nowWallMs + CERTIFICATE_VALID_MS }
  const renewed = { current: undefined as Admission | undefined }
  await book.change(({ admissions }) => {
    const present = admissions.get(name)
    if (present === undefined || present.evicted !== null || present.keyFingerprint !== fingerprintOfKey(publicKey))
      throw new HaError('CERTIFICATE_REFUSED', `${name} asks for a certificate for a key that it was not let in with`)
    renewed.current = { ...present, ...change }
    return { changes: [{ kind: 'put-admission', admission: renewed.current }], members: [] }
  })
  log.write({ level: 'info', message: `renewed the certificate of ${name}` })
  const role = renewed.current?.role ?? 'witness'
  const certificate = await certify(identity, { cluster, name, role, addresses, nowWallMs }, publicKey)
  return { certificate, hosts: hostPlaces(book) }
}

async function evict(parts: DeskParts, { name, force = false }: EvictRequest, by: string): Promise<EvictedJson> {
  const { book, effects, voters, me, log } = parts
  const facts = { me, isForced: force, by, nowWallMs: effects.nowWallMs() }
  // Refused for what can be seen already before anything is done; and first what may be refused by others: a voter that has to stay.
  decideEvict(book.seen(), name, facts)
  await voters()?.remove(name)
  let told: Pick<EvictedJson, 'done' | 'warnings'> = { done: [], warnings: [] }
  await book.change((seen) => {
    const { changes, ...rest } = decideEvict(seen, name, facts)
    told = rest
    return { changes, members: [parseName('physicalHost', name)] }
  })
  log.write({ level: 'warn', message: `${by} took ${name} out of the cluster for good` })
  return { name, ...told }
}

function identityOf({ identity, me }: DeskParts): FullIdentity {
  const own = identity()
  if (own?.caKey !== undefined && own.clusterKey !== undefined)
    return { ...own, caKey: own.caKey, clusterKey: own.clusterKey }
  throw new HaError('NOT_SET_UP', `${me} has no certificates`, {
    hint: 'Ask on the host that `scadmin setup` made the certificates of the cluster on; or, if there is none, stop clustd here and repeat `scadmin setup`.',
  })
}
