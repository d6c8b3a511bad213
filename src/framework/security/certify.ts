import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { AdmittedRole } from '../model/admission.ts'
import { makeSecret } from '../ports/real-secrets.ts'
import { type Identity, readIdentity, writeIdentity } from './identity-files.ts'
import { makePrivateKey } from './keys.ts'
import { CLUSTER_KEY_BYTES } from './paths.ts'

/** Who a certificate is for. */
export interface CertifiedOne {
  readonly cluster: string
  readonly name: string
  readonly role: AdmittedRole
  /** IP addresses and host names by which it is reached, beside its name and localhost. */
  readonly addresses: readonly string[]
  readonly nowWallMs: number
  /** How long it is valid; left out: `CERTIFICATE_VALID_MS`. */
  readonly validMs?: number
}

/** What the first host of a cluster proves itself with: the authority, its own certificate, and the key that all hosts will share. */
export async function makeFirstIdentity(one: Omit<CertifiedOne, 'role'>): Promise<Identity> {
  const { makeAuthority } = await import('./make-certificates.ts')
  const { certificate, key } = await makeAuthority(one.cluster, one.nowWallMs)
  const hostKey = makePrivateKey()
  const authority = { caCertificate: certificate, caKey: key }
  const publicKey = createPublicKey(createPrivateKey(hostKey))
  const hostCertificate = await certify(authority, { ...one, role: 'host' }, publicKey)
  return { ...authority, hostCertificate, hostKey, clusterKey: makeSecret(CLUSTER_KEY_BYTES) }
}

/** Sees to it that the host below `root` has what it proves itself with; makes an authority if it has nothing. Throws `CONFIG_INVALID`. */
export async function provideFirstIdentity(root: string, one: Omit<CertifiedOne, 'role'>): Promise<Identity> {
  const present = readIdentity(root)
  if (present !== undefined) return present
  const made = await makeFirstIdentity(one)
  writeIdentity(root, made)
  return made
}

/** Signs a certificate with the authority's key, which this host has. Returns PEM. */
export async function certify(
  authority: { readonly caCertificate: string; readonly caKey: string },
  one: CertifiedOne,
  publicKey: KeyObject,
): Promise<string> {
  const { makeCertificate } = await import('./make-certificates.ts')
  return makeCertificate({
    ...one,
    authority: { certificate: authority.caCertificate, key: authority.caKey },
    publicKey,
  })
}
