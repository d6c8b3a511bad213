import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { reviveError } from '../../api/client/revive-error.ts'
import type { JoinedJson, JoinInterfaceJson, JoinRequest } from '../../api/wire.ts'
import { HaError, isHaError } from '../../errors/ha-error.ts'
import type { AdmittedRole } from '../../model/admission.ts'
import type { DatabasePlace } from '../../model/database-place.ts'
import { parseName } from '../../model/names.ts'
import { createRealEffects } from '../../ports/real-effects.ts'
import { callOverTls, type FoundAuthority, fetchAuthority, type TlsPlace } from '../../security/call-over-tls.ts'
import { clusterOfAuthority, isSignedBy, readCertificate } from '../../security/certificate.ts'
import {
  finishIdentity,
  type Identity,
  isUnfinished,
  prepareHostKey,
  readIdentity,
  writeIdentity,
} from '../../security/identity-files.ts'
import { fingerprintOfPrivateKey } from '../../security/keys.ts'
import { readToken } from '../../security/token.ts'
import { readVoterFile } from '../../voter/voter-file.ts'
import { API_PORT, type HostFile, readHostFile, writeHostFile } from '../host-file.ts'
import { becomeTheOnlyOne } from '../only-one.ts'
import { placeOf, refuseTooMany, startVoter, startVoterOfJoin } from './managed-etcd.ts'

/** What `scadmin join` is given. */
export interface JoinHostRequest {
  /** `HAVEN_ROOT`, absolute. */
  readonly root: string
  /** Directory with `bin/` and `package.json` of this Haven. */
  readonly installation: string
  /** A host of the cluster: `ADDRESS` or `ADDRESS:PORT`. */
  readonly place: string
  readonly token: string
  /** The name of this host; left out: that of the machine. */
  readonly host?: string
  /** IP addresses or host names at which the others reach this host, and its voter; left out: the address that it reaches the cluster from, for its voter also those in private networks. */
  readonly addresses?: readonly string[]
  readonly port?: number
  /** `NETWORK=ADAPTER=ADDRESS`. */
  readonly interfaces: readonly string[]
}

/** What was joined. */
export interface JoinedHost {
  readonly cluster: string
  readonly physicalHost: string
  readonly admittedBy: string
  /** What the operator should know although it was done; one sentence each. */
  readonly warnings: readonly string[]
}

/** For getting the certificate of the authority: one connection. */
const PIN_MS = 10_000
/** For being let in: two commits, and a change of the voters of etcd, which may have to wait for their agreement. */
const JOIN_MS = 60_000

/**
 * Lets this machine into a cluster as a physical host: it gets its certificate, the keys of the cluster and the place of the database. Repeated after it was
 * cut off, with the same token, it goes on. Throws `TOKEN_REFUSED`, `JOIN_REFUSED`, `CERTIFICATE_REFUSED`, `HOST_UNREACHABLE`, `ALREADY_EXISTS`,
 * `CLUSTD_RUNNING`, `CONFIG_INVALID`, `NAME_INVALID`, `NOT_FOUND`, `USAGE`, what a voter may throw, `DATABASE_*` of the cluster.
 */
export async function joinHost(request: JoinHostRequest): Promise<JoinedHost> {
  const { root, installation } = request
  const name = parseName('physicalHost', request.host ?? hostname().split('.')[0] ?? '')
  const interfaces = request.interfaces.map(parseInterface)
  const present = readIfThere(root)
  const unlock = becomeTheOnlyOne(root)
  try {
    const { joined, identity, addresses } = await askToJoin({ ...request, name, role: 'host', interfaces, present })
    const cluster = parseName('cluster', joined.cluster)
    const database = localPlace(root, joined.database)
    writeIdentity(root, identity, { isUnfinished: true })
    if (joined.voter !== null) await startVoterOfJoin({ root, installation }, joined.voter)
    else startVoter({ root, installation })
    const api = { addresses, port: request.port ?? API_PORT }
    writeHostFile(root, { cluster, physicalHost: name, database, rebootCommand: present?.rebootCommand ?? [], api })
    finishIdentity(root)
    const { admittedBy, warnings } = joined
    return { cluster, physicalHost: name, admittedBy, warnings }
  } finally {
    unlock()
  }
}

/** What a machine asks to be let in with. */
export interface AskToJoin {
  readonly root: string
  readonly installation: string
  readonly place: string
  readonly token: string
  readonly name: string
  readonly role: AdmittedRole
  readonly addresses?: readonly string[]
  readonly port?: number
  readonly interfaces: readonly JoinInterfaceJson[]
  /** What this machine was set up as before. */
  readonly present: HostFile | undefined
}

/** What a machine was let in with; nothing of it is written yet. */
export interface Admitted {
  readonly joined: JoinedJson
  readonly identity: Identity
  readonly addresses: readonly string[]
}

/**
 * Asks a host of the cluster to let this machine in, as a physical host or as a witness. The token goes to nobody who does not prove to belong to the
 * cluster that made it; the private key of this machine stays here. Throws as `joinHost` does.
 */
export async function askToJoin(asked: AskToJoin): Promise<Admitted> {
  const { root } = asked
  const place = parsePlace(asked.place)
  const { authorityFingerprint } = readToken(asked.token)
  const found = await fetchAuthority(createRealEffects(), place, authorityFingerprint, PIN_MS)
  refuseOther(asked, clusterOfAuthority(found.certificate))
  try {
    return await askWithKey(asked, { place, found, key: prepareHostKey(root) })
  } catch (error) {
    // It never left: it wants to vote again. A key that was taken out with its host is refused.
    const key = ownKey(root, asked.name, found.certificate)
    if (key === undefined || !isHaError(error, 'ALREADY_EXISTS')) throw error
    return askWithKey(asked, { place, found, key })
  }
}

/** The key of this machine as it belongs to the cluster of the authority already, by that name. */
function ownKey(root: string, name: string, authority: string): string | undefined {
  if (isUnfinished(root)) return undefined
  const own = readIdentity(root)
  const isSame =
    own !== undefined &&
    isSignedBy(own.hostCertificate, authority) &&
    readCertificate(own.hostCertificate).name === name
  return isSame ? own.hostKey : undefined
}

async function askWithKey(
  asked: AskToJoin,
  { place, found, key }: { readonly place: TlsPlace; readonly found: FoundAuthority; readonly key: string },
): Promise<Admitted> {
  const { root, name, role } = asked
  const effects = createRealEffects()
  const token = readToken(asked.token)
  const given = asked.addresses ?? []
  const addresses = given.length > 0 ? given : [found.localAddress]
  const { makeRequest } = await import('../../security/make-certificates.ts')
  const body: JoinRequest = {
    tokenId: token.id,
    secret: token.secret.toString('hex'),
    role,
    name,
    request: await makeRequest(name, key),
    addresses,
    port: asked.port ?? API_PORT,
    interfaces: asked.interfaces,
    version: versionOf(asked.installation),
    nowWallMs: effects.nowWallMs(),
    // A voter that the try before this one has brought to serve is not admitted again.
    voterAddresses:
      isUnfinished(root) && readVoterFile(root)?.hasStarted === true ? null : voterAddresses(given, found.localAddress),
  }
  const { status, value } = await callOverTls(effects, {
    place,
    authority: found.certificate,
    refuse: (other) => (other.role === 'host' ? undefined : `${other.name} is a witness, which lets nobody in`),
    method: 'POST',
    path: '/v1/join',
    body,
    withinMs: JOIN_MS,
  })
  if (status !== 200) throw reviveError(value, status)
  const joined = value as JoinedJson
  refuseWrong(joined, found.certificate, key)
  return { joined, identity: identityOf(joined, found.certificate, key), addresses }
}

/** A voter is reached by IP addresses only. Empty: nobody said at which. Throws `USAGE`. */
function voterAddresses(given: readonly string[], localAddress: string): readonly string[] {
  const usable = given.filter((address) => isIP(address) !== 0)
  refuseTooMany(usable)
  return given.length > 0 && usable.length === 0 ? [localAddress] : usable
}

function identityOf({ certificate, caKey, clusterKey }: JoinedJson, caCertificate: string, hostKey: string): Identity {
  return {
    caCertificate,
    hostCertificate: certificate,
    hostKey,
    caKey: caKey ?? undefined,
    clusterKey: clusterKey === null ? undefined : Buffer.from(clusterKey, 'base64'),
  }
}

/** Who signs for others may be wrong as well: what does not fit is not written. */
function refuseWrong({ certificate, name }: JoinedJson, authority: string, key: string): void {
  const facts = readCertificate(certificate)
  const isRight = facts.name === name && facts.keyFingerprint === fingerprintOfPrivateKey(key)
  if (isRight && isSignedBy(certificate, authority)) return
  throw new HaError('CERTIFICATE_REFUSED', 'the certificate that was answered is not for this host')
}

function refuseOther({ present, name, root }: AskToJoin, cluster: string): void {
  if (present === undefined || (present.cluster === cluster && present.physicalHost === name)) return
  throw new HaError(
    'ALREADY_EXISTS',
    `this machine is ${present.physicalHost} of the cluster ${present.cluster} already, not ${name} of ${cluster}`,
    {
      hint: `Join with --host ${present.physicalHost}; or, if it left that cluster for good, remove ${join(root, 'etc/haven')} first.`,
    },
  )
}

/** The database as this machine reaches it. Throws `CONFIG_INVALID` when it does not. */
function localPlace(root: string, database: DatabasePlace): DatabasePlace {
  if (database.kind === 'file') {
    if (existsSync(database.directory)) return database
    throw new HaError(
      'CONFIG_INVALID',
      `the cluster keeps its database in ${database.directory} of another machine, which this one does not see`,
      { hint: 'Move it to etcd first, on a host of the cluster: scadmin database migrate' },
    )
  }
  if (database.isManaged) return placeOf(root, database.endpoints)
  const files = [database.tls?.ca, database.tls?.certificate, database.tls?.key, database.login?.passwordFile]
  const missing = files.filter((path) => path !== undefined && !existsSync(path))
  if (missing.length === 0) return database
  throw new HaError('CONFIG_INVALID', `files for your etcd are missing on this host: ${missing.join(', ')}`, {
    hint: 'Copy them from a host of the cluster to the same place, then join again with the same token.',
  })
}

/** `ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT`, or a bare IPv6 address. Throws `USAGE`. */
function parsePlace(text: string): TlsPlace {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? plain ?? (/^[0-9A-Fa-f:.]+$/.test(text) ? text : undefined)
  const port = digits === undefined ? API_PORT : Number(digits)
  if (address !== undefined && port >= 1 && port <= 65_535) return { address, port }
  throw new HaError('USAGE', `'${text}' is no address of a host`, {
    hint: 'Name a host of the cluster: ADDRESS or ADDRESS:PORT, as `scadmin token` prints it.',
  })
}

function parseInterface(text: string): JoinInterfaceJson {
  const [network, adapter, address, ...more] = text.split('=')
  if (network && adapter && address && more.length === 0) return { network, adapter, address }
  throw new HaError('USAGE', `'${text}' is no interface`, {
    hint: 'Write it as NETWORK=ADAPTER=ADDRESS, such as private1=eth1=10.0.1.3; one --interface for each.',
  })
}

function readIfThere(root: string): HostFile | undefined {
  try {
    return readHostFile(root)
  } catch (error) {
    if (isHaError(error, 'NOT_SET_UP')) return undefined
    throw error
  }
}

function versionOf(installation: string): string {
  const file = readFileSync(join(installation, 'package.json'), 'utf8')
  return (JSON.parse(file) as { readonly version: string }).version
}
