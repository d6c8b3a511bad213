import type { AdmittedRole } from '../../model/admission.ts'
import type { DatabasePlace } from '../../model/database-place.ts'

/** Answer to `GET /v1/ping`. */
export interface PingJson {
  /** The clock of the answering host. */
  readonly nowWallMs: number
}

/** Body of `POST /v1/tokens` (`scadmin token`). */
export interface TokenRequest {
  readonly role: AdmittedRole
  /** Seconds for which it can be used; default 900, at least 60, at most 86,400. */
  readonly ttlS?: number
}

/** Answer to `POST /v1/tokens`. */
export interface TokenJson {
  /** What is handed on. It is kept nowhere. */
  readonly token: string
  readonly role: AdmittedRole
  readonly expiresWallMs: number
  /** Where the machine that joins reaches this host, `ADDRESS:PORT`, in order of preference; never empty. */
  readonly addresses: readonly string[]
}

/** One physical host on one network, as `scadmin join --interface` takes it. */
export interface JoinInterfaceJson {
  readonly network: string
  readonly adapter: string
  readonly address: string
}

/** Body of `POST /v1/join`: the only one that a machine may send which cannot prove yet who it is. */
export interface JoinRequest {
  /** The token without the fingerprint of the authority: its id and its secret, both hexadecimal. */
  readonly tokenId: string
  readonly secret: string
  readonly role: AdmittedRole
  readonly name: string
  /** The request for a certificate, PEM. */
  readonly request: string
  /** Where the machine can be reached: IP addresses or host names; may be empty. */
  readonly addresses: readonly string[]
  readonly port: number
  readonly interfaces: readonly JoinInterfaceJson[]
  readonly version: string
  /** The clock of the machine. */
  readonly nowWallMs: number
  /** IP addresses at which its voter is to be reached by the others; empty = `addresses` and those that it has in private networks; null = it shall not vote in the cluster database. */
  readonly voterAddresses: readonly string[] | null
}

/** What a voter of an etcd that Haven runs needs to start; see `ports/voters.ts`. */
export interface VoterAdmissionJson {
  readonly cluster: string
  readonly name: string
  readonly addresses: readonly string[]
  readonly clientPort: number
  readonly peerPort: number
  readonly peerUrls: readonly string[]
  readonly initialCluster: string
  readonly token: string
  readonly endpoints: readonly string[]
  readonly isTls: boolean
  readonly tuning: { readonly heartbeatMs: number; readonly electionMs: number }
}

/** Answer to `POST /v1/join`: all that the machine needs. */
export interface JoinedJson {
  readonly cluster: string
  readonly name: string
  /** Who let it in. */
  readonly admittedBy: string
  /** PEM. */
  readonly certificate: string
  /** Null for a witness, as the next one. */
  readonly caKey: string | null
  /** Base64. */
  readonly clusterKey: string | null
  /** Where the cluster database is; TLS files of an etcd that Haven runs are those of the machine itself, and left out. */
  readonly database: DatabasePlace
  /** Null = it does not vote. */
  readonly voter: VoterAdmissionJson | null
  /** Where hosts of the cluster answer others, `ADDRESS:PORT`; whom a witness asks later. */
  readonly hosts: readonly string[]
  /** What the operator should know although it was done; one sentence each. */
  readonly warnings: readonly string[]
}

/** Body of `POST /v1/renew`: a witness, or a host without the key of the authority, asks for its next certificate. */
export interface RenewRequest {
  /** PEM; for the key that it was let in with. */
  readonly request: string
  /** Where it can be reached now. */
  readonly addresses: readonly string[]
}

/** Answer to `POST /v1/renew`. */
export interface RenewedJson {
  readonly certificate: string
  /** As in `JoinedJson`. */
  readonly hosts: readonly string[]
}

/** Body of `POST /v1/evict` (`scadmin evict`). */
export interface EvictRequest {
  readonly name: string
  /** Also one that is a member; default false. */
  readonly force?: boolean
}

/** Answer to `POST /v1/evict`. */
export interface EvictedJson {
  readonly name: string
  /** What was done, one sentence each. */
  readonly done: readonly string[]
  /** What is left to the operator, one sentence each. */
  readonly warnings: readonly string[]
}

/** Body of `POST /v1/host/programs`: a host asks another one about programs of methods. */
export interface CheckProgramsRequest {
  /** Absolute paths. */
  readonly programs: readonly string[]
}

/** Answer to `POST /v1/host/programs`: in the order of the request. */
export interface CheckedProgramsJson {
  readonly programs: readonly CheckedProgramJson[]
}

/** One program as it is on one host. */
export interface CheckedProgramJson {
  readonly path: string
  readonly isExecutable: boolean
  /** SHA-256 of its content, hexadecimal; null = it is not there, cannot be read, or is too large to be compared. */
  readonly sha256: string | null
}
