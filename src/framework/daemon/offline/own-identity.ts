import type { DatabaseRecord, Snapshot } from '../../ports/cluster-database.ts'
import { createRealEffects } from '../../ports/real-effects.ts'
import { decodeRecord } from '../../records/decode.ts'
import { type Draft, putAdmission, putAuthority } from '../../records/encode.ts'
import { AUTHORITY_KEY, keyOf } from '../../records/keys.ts'
import { fingerprintOf, readCertificate } from '../../security/certificate.ts'
import { provideFirstIdentity } from '../../security/certify.ts'
import { type Identity, readIdentity } from '../../security/identity-files.ts'
import { API_PORT, type HostFile } from '../host-file.ts'

type Owner = Pick<HostFile, 'cluster' | 'physicalHost' | 'api'>

/** Sees to it that this host can prove who it is, as the first one of a cluster: makes the authority and its certificate if it has none. */
export async function prepareIdentity(root: string, { cluster, physicalHost, api }: Owner): Promise<Identity> {
  const addresses = api?.addresses ?? []
  return provideFirstIdentity(root, {
    cluster,
    name: physicalHost,
    addresses,
    nowWallMs: createRealEffects().nowWallMs(),
  })
}

/**
 * Drafts what the database has to know of the certificates of this host. Where the cluster has none yet, this host makes them. Where another host made
 * them there is nothing to draft: this one gets its own by joining. Throws `CONFIG_INVALID`.
 */
export async function identityRecords(root: string, owner: Owner, { records }: Snapshot): Promise<readonly Draft[]> {
  const authority = records.get(AUTHORITY_KEY)
  const identity = authority === undefined ? await prepareIdentity(root, owner) : readIdentity(root)
  if (identity === undefined || !isOfAuthority(identity, authority)) return []
  const admission = keyOf.admission(owner.physicalHost)
  return [
    ...(authority === undefined ? [putAuthority({ certificate: identity.caCertificate })] : []),
    ...(records.has(admission) ? [] : [admissionOf(owner, identity)]),
  ]
}

function isOfAuthority({ caCertificate }: Identity, record: DatabaseRecord | undefined): boolean {
  if (record === undefined) return true
  const decoded = decodeRecord(record.key, record.value)
  return decoded?.kind === 'authority' && fingerprintOf(decoded.value.certificate) === fingerprintOf(caCertificate)
}

function admissionOf({ physicalHost, api }: Owner, { hostCertificate }: Identity): Draft {
  const { keyFingerprint, validUntilWallMs } = readCertificate(hostCertificate)
  return putAdmission({
    name: physicalHost,
    role: 'host',
    keyFingerprint,
    addresses: api?.addresses ?? [],
    port: api?.port ?? API_PORT,
    admittedWallMs: createRealEffects().nowWallMs(),
    by: 'setup',
    validUntilWallMs,
    evicted: null,
  })
}
