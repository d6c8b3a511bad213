import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Caller, Identify } from '../../api/caller.ts'
import { isHaError } from '../../errors/ha-error.ts'
import { type CertificateFacts, isSignedBy, readCertificate } from '../../security/certificate.ts'
import type { AdmissionBook } from './book.ts'

/** What somebody who connects is judged by. */
export interface IdentifyParts {
  readonly book: Pick<AdmissionBook, 'seen'>
  readonly cluster: string
  /** Certificate of the authority, PEM. */
  readonly caCertificate: string
  readonly nowWallMs: () => number
}

/** What the certificate of a connection says; it does not change while the connection lasts. */
type Shown =
  | { readonly kind: 'facts'; readonly facts: CertificateFacts }
  | { readonly kind: 'why'; readonly why: string }

/**
 * Makes what tells who asks over a TLS connection. The certificate is read once for a connection; whether its owner still belongs to the cluster is asked of
 * the records for each request, so that an eviction counts at once, also on connections that are open.
 */
export function createIdentify(parts: IdentifyParts): Identify {
  const shownBy = new WeakMap<object, Shown>()
  return ({ raw }) => {
    const socket = raw.socket as TLSSocket
    const shown = shownBy.get(socket) ?? readShown(parts, socket.getPeerX509Certificate())
    shownBy.set(socket, shown)
    return shown.kind === 'why' ? { kind: 'stranger', why: shown.why } : judge(parts, shown.facts)
  }
}

function readShown({ cluster, caCertificate }: IdentifyParts, certificate: X509Certificate | undefined): Shown {
  if (certificate === undefined) return { kind: 'why', why: 'you show no certificate' }
  try {
    if (!isSignedBy(certificate, caCertificate))
      return { kind: 'why', why: `your certificate is not one of the cluster ${cluster}` }
    return { kind: 'facts', facts: readCertificate(certificate) }
  } catch (error) {
    if (!isHaError(error, 'CERTIFICATE_REFUSED')) throw error
    return { kind: 'why', why: error.message }
  }
}

function judge({ book, nowWallMs, cluster }: IdentifyParts, facts: CertificateFacts): Caller {
  const { name, role } = facts
  const stranger = (why: string): Caller => ({ kind: 'stranger', why })
  const admission = book.seen().admissions.get(name)
  if (facts.cluster !== cluster) return stranger(`your certificate is one of the cluster ${facts.cluster}`)
  if (admission?.evicted != null) return stranger(`${name} was taken out of the cluster by ${admission.evicted.by}`)
  if (admission === undefined || admission.keyFingerprint !== facts.keyFingerprint || admission.role !== role)
    return stranger(`the cluster ${cluster} does not know the key of ${name}`)
  const now = nowWallMs()
  if (now < facts.validFromWallMs) return stranger(`the certificate of ${name} is not valid yet: a clock is wrong`)
  return { kind: now > facts.validUntilWallMs ? 'expired' : 'admitted', name, role }
}
