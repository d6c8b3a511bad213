import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describeError, HaError, isHaError } from '../errors/ha-error.ts'
import type { Effects } from '../ports/effects.ts'
import { callOverTls, type TlsPlace } from './call-over-tls.ts'
import { type CertificateFacts, isSignedBy, readCertificate } from './certificate.ts'
import { certify } from './certify.ts'
import { readHostPlaces, writeHostPlaces, writePlace } from './host-places.ts'
import { type Identity, readIdentity, writeHostCertificate } from './identity-files.ts'
import { isRenewalDue } from './validity.ts'

/** What certificates are renewed with. */
export interface RenewalParts {
  /** `HAVEN_ROOT`, absolute. */
  readonly root: string
  readonly effects: Pick<Effects, 'nowWallMs' | 'sleep'>
  /** Takes one sentence for the log. */
  readonly tell: (sentence: string) => void
}

/** Certificates live for months: an hour sooner or later is nothing, and costs nothing. */
const LOOK_EVERY_MS = 3_600_000
/** Something was wrong the last time: a disk that was full, hosts that were away. */
const LOOK_AGAIN_MS = 300_000
/** For one host to answer. */
const ASK_MS = 10_000
/** Names that one certificate is for, at most. */
const ADDRESSES_MAX = 64
/** What every certificate is for; nobody else can be reached there. */
const SELF: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1'])

/**
 * Renews the certificate of this machine when a third of its time is left or its time is over, or when it is not for all of the addresses. A host has the
 * key of the authority and asks nobody: also after a year in which it was off. Whether it still belongs to the cluster is said by the records and not by
 * its certificate. A machine without that key, or without anything, is left as it is. Returns whether there is another one now.
 */
export async function renewOwnCertificate(parts: RenewalParts, addresses: readonly string[] = []): Promise<boolean> {
  const { root, effects } = parts
  const identity = readIdentity(root)
  if (identity?.caKey === undefined) return false
  const present = readCertificate(identity.hostCertificate)
  const nowWallMs = effects.nowWallMs()
  const isDue = isRenewalDue(present, nowWallMs)
  if (!isDue && addresses.every((address) => present.addresses.includes(address))) return false
  // What it was for before stays: an address may be away for a moment only.
  const all = [...new Set([...addresses, ...present.addresses])].slice(0, ADDRESSES_MAX)
  const publicKey = createPublicKey(createPrivateKey(identity.hostKey))
  const { caCertificate, caKey } = identity
  const made = await certify({ caCertificate, caKey }, { ...present, addresses: all, nowWallMs }, publicKey)
  keep(parts, made, isDue ? `the last one was valid until ${describeDay(present)}` : 'this host has other addresses')
  return true
}

/**
 * Renews the certificate of a witness likewise, also when it is not for all of the addresses, by asking the hosts of the cluster, one after the other; its
 * own may have run out meanwhile. Returns whether there is another one now. Throws `HOST_UNREACHABLE`, `CERTIFICATE_REFUSED` (it was evicted) when none of them gives it one.
 */
export async function renewFromHosts(parts: RenewalParts, addresses: readonly string[] = []): Promise<boolean> {
  const { root, effects } = parts
  const identity = readIdentity(root)
  if (identity === undefined || identity.caKey !== undefined) return false
  const present = readCertificate(identity.hostCertificate)
  const isDue = isRenewalDue(present, effects.nowWallMs())
  if (!isDue && addresses.every((address) => present.addresses.includes(address))) return false
  const why = isDue ? `the last one was valid until ${describeDay(present)}` : 'this machine has other addresses'
  const wanted = { ...present, addresses: [...new Set([...addresses, ...present.addresses])] }
  let last: unknown = new HaError('HOST_UNREACHABLE', 'this machine knows no host of the cluster to ask')
  for (const place of readHostPlaces(root)) {
    try {
      keep(parts, await ask(parts, place, identity, wanted), why)
      return true
    } catch (error) {
      if (!(error instanceof HaError)) throw error
      // That a host refuses says more than that another one is away.
      if (!isHaError(last, 'CERTIFICATE_REFUSED')) last = error
    }
  }
  throw last
}

/** Keeps the certificate of a machine good where no clustd does, and for all of its addresses, until the signal aborts. */
export async function keepRenewed(
  parts: RenewalParts,
  addresses: () => readonly string[],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const isWell = await tryToRenew(parts, addresses)
    try {
      await parts.effects.sleep(isWell ? LOOK_EVERY_MS : LOOK_AGAIN_MS, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

async function tryToRenew(parts: RenewalParts, addresses: () => readonly string[]): Promise<boolean> {
  try {
    const all = addresses()
    if (!(await renewOwnCertificate(parts, all))) await renewFromHosts(parts, all)
    return true
  } catch (error) {
    tellExpected(parts, error)
    return false
  }
}

/** Tells of a renewal that failed for a reason that is no bug; a full disk comes as an error of Node.js. Throws everything else again. */
export function tellExpected({ tell }: Pick<RenewalParts, 'tell'>, error: unknown): void {
  const isExpected = error instanceof HaError || (error instanceof Error && 'syscall' in error)
  if (!isExpected) throw error
  tell(`the certificate of this machine could not be looked after: ${describeError(error)}`)
}

async function ask(
  { root, effects }: RenewalParts,
  place: TlsPlace,
  { caCertificate, hostCertificate, hostKey }: Identity,
  { name, cluster, addresses, keyFingerprint }: CertificateFacts,
): Promise<string> {
  const { makeRequest } = await import('./make-certificates.ts')
  const others = addresses.filter((address) => address !== name && !SELF.has(address))
  const { status, value } = await callOverTls(effects, {
    place,
    authority: caCertificate,
    own: { certificate: hostCertificate, key: hostKey },
    refuse: (other) =>
      other.role === 'host' && other.cluster === cluster ? undefined : `${other.name} is no host of ${cluster}`,
    method: 'POST',
    path: '/v1/renew',
    body: { request: await makeRequest(name, hostKey), addresses: others },
    withinMs: ASK_MS,
  })
  const answer = value as {
    readonly certificate?: string
    readonly hosts?: readonly string[]
    readonly message?: string
  }
  if (status !== 200 || answer.certificate === undefined)
    throw new HaError(
      'CERTIFICATE_REFUSED',
      `${place.address} does not renew it: ${answer.message ?? `status ${status}`}`,
    )
  const isOurs = readCertificate(answer.certificate).keyFingerprint === keyFingerprint
  if (!isOurs || !isSignedBy(answer.certificate, caCertificate))
    throw new HaError('CERTIFICATE_REFUSED', `${place.address} answered a certificate that is not for this machine`)
  if (answer.hosts !== undefined) writeHostPlaces(root, [...new Set([writePlace(place), ...answer.hosts])])
  return answer.certificate
}

function keep({ root, tell }: RenewalParts, certificate: string, why: string): void {
  writeHostCertificate(root, certificate)
  tell(`renewed the certificate of this host: valid until ${describeDay(readCertificate(certificate))}; ${why}`)
}

function describeDay({ validUntilWallMs }: CertificateFacts): string {
  return new Date(validUntilWallMs).toISOString().slice(0, 10)
}
