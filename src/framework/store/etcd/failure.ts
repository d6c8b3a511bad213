/** What a failed call says about the etcd behind it. */
export type FailureKind =
  /** Nobody answered, or one that cannot at the moment: no leader, too many requests, going down. Another endpoint, or a later moment, may do. */
  | 'unreachable'
  /** The revision that was asked for is no longer kept. */
  | 'compacted'
  /** The quota of etcd's own database is used up. */
  | 'full'
  /** More than `--max-txn-ops` or `--max-request-bytes`. */
  | 'too-many-operations'
  | 'too-large'
  /** The token of the login has run out. */
  | 'token'
  /** Wrong user, password or rights. */
  | 'refused'
  /** etcd says that its data is damaged. */
  | 'corrupt'
  /** It belongs to another etcd than the one that answered first. */
  | 'foreign'
  /** This etcd does not know what it was asked. */
  | 'unsupported'

/** A call of etcd that failed. */
export class EtcdFailure extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'EtcdFailure'
    this.kind = kind
  }
}

/** Codes of gRPC that etcd uses for one thing each. */
const BY_CODE: Readonly<Record<number, FailureKind>> = {
  7: 'refused',
  9: 'refused',
  12: 'unsupported',
  15: 'corrupt',
}

/**
 * Texts of etcd that tell failures of one code apart. etcd has nothing finer than them: its own client decides by the same texts
 * (`api/v3rpc/rpctypes/error.go`), so they are as stable as a protocol.
 */
const BY_TEXT: readonly (readonly [code: number, text: string, kind: FailureKind])[] = [
  [3, 'too many operations in txn request', 'too-many-operations'],
  [3, 'request is too large', 'too-large'],
  [3, 'authentication failed', 'refused'],
  [3, 'user name is empty', 'refused'],
  [8, 'database space exceeded', 'full'],
  [8, 'message larger than max', 'too-large'],
  [11, 'required revision has been compacted', 'compacted'],
  [16, 'invalid auth token', 'token'],
]

/** Reads what a failed call of the library says. */
export function readFailure(error: unknown): EtcdFailure {
  if (error instanceof EtcdFailure) return error
  const { code = 2, details, message } = error as { code?: number; details?: string; message?: string }
  const text = details || message || String(error)
  const known = BY_TEXT.find(([ofCode, part]) => ofCode === code && text.includes(part))
  const kind = known?.[2] ?? BY_CODE[code] ?? (code === 16 ? 'refused' : 'unreachable')
  return new EtcdFailure(kind, text, error)
}
