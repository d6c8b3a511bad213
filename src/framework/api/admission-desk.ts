import type { AdmittedRole } from '../model/admission.ts'
import type {
  EvictedJson,
  EvictRequest,
  JoinedJson,
  JoinRequest,
  RenewedJson,
  RenewRequest,
  TokenJson,
  TokenRequest,
} from './wire.ts'

/** What the API needs of the daemon to let machines into the cluster and to take them out. */
export interface AdmissionDesk {
  /** Makes a token for one machine. Throws `NOT_SET_UP` (this host has no certificates), `LIMIT_REACHED`, `DATABASE_*`. */
  makeToken(request: TokenRequest, by: string): Promise<TokenJson>
  /**
   * Lets a machine in. May be repeated with the same token and the same key. Throws `TOKEN_REFUSED`, `JOIN_REFUSED` (clock, version), `ALREADY_EXISTS` (its
   * name is taken), `CERTIFICATE_REFUSED` (its request), `CONFIG_INVALID`, `NOT_FOUND` (a network), `LIMIT_REACHED`, `DATABASE_*`; then it is not let in.
   */
  join(request: JoinRequest): Promise<JoinedJson>
  /** Signs the next certificate of a machine that belongs to the cluster. Throws `CERTIFICATE_REFUSED` (another key). */
  renew(name: string, request: RenewRequest): Promise<RenewedJson>
  /** Takes a machine out for good. Throws `NOT_FOUND`, `IN_USE` (it is a member, or this host), `VOTERS_UNSAFE`, `DATABASE_*`. */
  evict(request: EvictRequest, by: string): Promise<EvictedJson>
  /** Lists the certificates of all that belong to the cluster, by name. */
  certificates(): readonly { readonly name: string; readonly role: AdmittedRole; readonly validUntilWallMs: number }[]
}
