import 'reflect-metadata'
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { HaError } from '../errors/ha-error.ts'
import type { AdmittedRole } from '../model/admission.ts'
import { makeSecret } from '../ports/real-secrets.ts'
import { makePrivateKey } from './keys.ts'
import { AUTHORITY_VALID_MS, CERTIFICATE_VALID_MS, CLOCK_SKEW_MS_MAX } from './validity.ts'

// Signing is seldom, and its library takes memory: whoever needs it imports this file when it does (`await import`).

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Bytes of a serial number: RFC 5280 allows 20, and 16 random ones never come twice. */
const SERIAL_BYTES = 16

/** A certificate and its private key, both PEM. */
export interface CertifiedKey {
  readonly certificate: string
  readonly key: string
}

/** What a certificate of a host or a witness is made of. */
export interface CertificatePlan {
  readonly authority: CertifiedKey
  readonly publicKey: KeyObject
  readonly cluster: string
  readonly name: string
  readonly role: AdmittedRole
  /** IP addresses and host names by which it is reached, beside its name and localhost. */
  readonly addresses: readonly string[]
  readonly nowWallMs: number
  /** Default `CERTIFICATE_VALID_MS`. */
  readonly validMs?: number
}

/** Makes the authority of a cluster. */
export async function makeAuthority(cluster: string, nowWallMs: number): Promise<CertifiedKey> {
  const key = makePrivateKey()
  const keys = await importPair(createPrivateKey(key))
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber: makeSerial(),
    name: [{ O: [cluster] }, { CN: [`Haven cluster ${cluster}`] }],
    ...validity(nowWallMs, AUTHORITY_VALID_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: toPem(made), key }
}

/** Signs a certificate for a host or a witness, good for both ends of a connection. Returns PEM. */
export async function makeCertificate(plan: CertificatePlan): Promise<string> {
  const { authority, cluster, name, role, nowWallMs, validMs = CERTIFICATE_VALID_MS } = plan
  const issuer = new X509Certificate(authority.certificate)
  const publicKey = await importPublic(plan.publicKey)
  const made = await X509CertificateGenerator.create({
    serialNumber: makeSerial(),
    subject: [{ O: [cluster] }, { OU: [role] }, { CN: [name] }],
    issuer: issuer.subjectName,
    ...validity(nowWallMs, validMs),
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: (await importPair(createPrivateKey(authority.key))).privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      await AuthorityKeyIdentifierExtension.create(issuer, false),
      await SubjectKeyIdentifierExtension.create(publicKey),
      new SubjectAlternativeNameExtension(certifiedNames(name, plan.addresses).map(toGeneralName)),
    ],
  })
  return toPem(made)
}

/** Lists what the certificate of a host is for, each once: its name, its addresses, and this machine itself. */
export function certifiedNames(name: string, addresses: readonly string[]): readonly string[] {
  return [...new Set([name, ...addresses, 'localhost', '127.0.0.1', '::1'])]
}

/** Makes the request for a certificate: PEM of PKCS #10, signed with the key that it is for. */
export async function makeRequest(name: string, key: string): Promise<string> {
  const keys = await importPair(createPrivateKey(key))
  const options = { name: [{ CN: [name] }], signingAlgorithm: ALGORITHM, keys }
  return toPem(await Pkcs10CertificateRequestGenerator.create(options))
}

/** Returns the public key that a request is for. Throws `CERTIFICATE_REFUSED` when it cannot be read or was not signed with that key. */
export async function readRequest(request: string): Promise<KeyObject> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new HaError('CERTIFICATE_REFUSED', `the request for a certificate ${why}`, { cause })
  }
  try {
    const parsed = new Pkcs10CertificateRequest(request)
    if (!(await parsed.verify())) return refuse('is not signed with the key that it is for')
    const publicKey = createPublicKey({ key: Buffer.from(parsed.publicKey.rawData), format: 'der', type: 'spki' })
    const curve = publicKey.asymmetricKeyDetails?.namedCurve
    return curve === 'prime256v1' ? publicKey : refuse('is for a key of another kind than ECDSA P-256')
  } catch (error) {
    if (error instanceof HaError) throw error
    return refuse('cannot be read', error)
  }
}

function validity(nowWallMs: number, validMs: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(nowWallMs - CLOCK_SKEW_MS_MAX), notAfter: new Date(nowWallMs + validMs) }
}

/** The first bit says the sign, and a serial number is positive. */
function makeSerial(): string {
  const bytes = makeSecret(SERIAL_BYTES)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

function toGeneralName(name: string): { readonly type: 'ip' | 'dns'; readonly value: string } {
  return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name }
}

async function importPair(
  key: KeyObject,
): Promise<{ privateKey: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey }> {
  const der = key.export({ type: 'pkcs8', format: 'der' })
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign'])
  return { privateKey: privateKey, publicKey: await importPublic(createPublicKey(key)) }
}

async function importPublic(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: 'spki', format: 'der' })
  return webcrypto.subtle.importKey('spki', der, ALGORITHM, true, ['verify'])
}

function toPem(made: { toString(format: 'pem'): string }): string {
  return `${made.toString('pem').trim()}\n`
}
