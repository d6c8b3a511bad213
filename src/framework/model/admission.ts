import type { PhysicalHostName } from './names.ts'

/** What a machine was let into the cluster as. A witness votes in the cluster database and masters nothing. */
export type AdmittedRole = 'host' | 'witness'

/**
 * That a machine belongs to the cluster, and by which key it proves that; durable record `admissions/<name>`, one for each name that was ever
 * let in. A certificate counts only together with it: whose key is not in it is refused, by whomever it was signed.
 */
export interface Admission {
  /** Its name; that of a witness is made as that of a host. */
  readonly name: PhysicalHostName
  readonly role: AdmittedRole
  /** SHA-256 of its public key (SubjectPublicKeyInfo), hexadecimal. */
  readonly keyFingerprint: string
  /** Where its API can be reached, in order of preference: IP addresses or host names; may be empty. */
  readonly addresses: readonly string[]
  /** TCP port of its API. */
  readonly port: number
  readonly admittedWallMs: number
  /** Who let it in: the user name of an operator. */
  readonly by: string
  /** End of its present certificate, wall clock; for people. */
  readonly validUntilWallMs: number
  /** That it was taken out for good; null = it belongs to the cluster. */
  readonly evicted: { readonly atWallMs: number; readonly by: string } | null
}

/** The authority that signs the certificates of the cluster; durable record `authority`. Absent = the cluster has no certificates. */
export interface Authority {
  /** PEM. */
  readonly certificate: string
}

/** A token with which one machine may join, once; durable record `tokens/<id>`. */
export interface JoinToken {
  /** 16 hexadecimal digits. */
  readonly id: string
  readonly role: AdmittedRole
  /** SHA-256 of its secret, hexadecimal: who reads the database cannot join with what is there. */
  readonly secretHash: string
  readonly expiresWallMs: number
  /** User name of the operator who made it. */
  readonly by: string
  /** How often somebody came with its id and a wrong secret. */
  readonly failures: number
  /** The machine that joined with it: only the same key may come again, as after an answer that was lost. Null = not used. */
  readonly usedBy: { readonly name: PhysicalHostName; readonly keyFingerprint: string } | null
}
