import { X509Certificate } from 'node:crypto'
import { HaError } from '../errors/ha-error.ts'
import type { AdmittedRole } from '../model/admission.ts'
import { fingerprintOfKey } from './keys.ts'

/** What a certificate of a host or a witness says. */
export interface CertificateFacts {
  readonly cluster: string
  /** The name of the host, or of the witness. */
  readonly name: string
  readonly role: AdmittedRole
  /** SHA-256 of its public key, hexadecimal. */
  readonly keyFingerprint: string
  readonly validFromWallMs: number
  readonly validUntilWallMs: number
  /** Host names and IP addresses that it is for. */
  readonly addresses: readonly string[]
}

/** Reads a certificate of a host or a witness. Throws `CERTIFICATE_REFUSED` when it is none. Says nothing about who signed it. */
export function readCertificate(certificate: string | X509Certificate): CertificateFacts {
  const parsed = parseCertificate(certificate)
  const subject = new Map(parsed.subject?.split('\n').map(partsOf) ?? [])
  const name = subject.get('CN')
  const cluster = subject.get('O')
  const role = subject.get('OU')
  if (name === undefined || cluster === undefined || (role !== 'host' && role !== 'witness'))
    throw new HaError('CERTIFICATE_REFUSED', 'the certificate is not that of a host or of a witness of a cluster')
  return {
    cluster,
    name,
    role,
    keyFingerprint: fingerprintOfKey(parsed.publicKey),
    validFromWallMs: Date.parse(parsed.validFrom),
    validUntilWallMs: Date.parse(parsed.validTo),
    addresses: addressesOf(parsed),
  }
}

/** Returns the name of the cluster that an authority is that of. Throws `CERTIFICATE_REFUSED`. */
export function clusterOfAuthority(certificate: string): string {
  const { subject } = parseCertificate(certificate)
  const cluster = new Map(subject?.split('\n').map(partsOf) ?? []).get('O')
  if (cluster !== undefined) return cluster
  throw new HaError('CERTIFICATE_REFUSED', 'the certificate is not that of the authority of a cluster')
}

/** Parses PEM. Throws `CERTIFICATE_REFUSED`. */
export function parseCertificate(certificate: string | X509Certificate): X509Certificate {
  if (typeof certificate !== 'string') return certificate
  try {
    return new X509Certificate(certificate)
  } catch (cause) {
    throw new HaError('CERTIFICATE_REFUSED', 'the certificate cannot be read', { cause })
  }
}

/** Returns the SHA-256 of a whole certificate, hexadecimal: what a token pins the authority by. */
export function fingerprintOf(certificate: string | X509Certificate): string {
  return parseCertificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
}

/** Tells whether the authority signed the certificate. Says nothing about the time. */
export function isSignedBy(certificate: string | X509Certificate, authority: string | X509Certificate): boolean {
  return parseCertificate(certificate).verify(parseCertificate(authority).publicKey)
}

function partsOf(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

function addressesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return subjectAltName.split(', ').flatMap((entry) => {
    const [, kind, address] = /^(DNS|IP Address):(.+)$/.exec(entry) ?? []
    return address === undefined ? [] : kind === 'DNS' ? address : canonicalIp(address)
  })
}

/** OpenSSL writes IPv6 addresses in full, in capitals. */
function canonicalIp(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address
}
