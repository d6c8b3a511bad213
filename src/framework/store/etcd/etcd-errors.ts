import type { ErrorCode } from '../../errors/codes.ts'
import { HaError } from '../../errors/ha-error.ts'
import { type FailureKind, readFailure } from './failure.ts'

/** What the operator is told about a failure. */
interface Meaning {
  readonly code: ErrorCode
  /** Ends the sentence that begins with what was tried. */
  readonly why: string
  readonly hint: string
}

const UNREACHABLE: Meaning = {
  code: 'DATABASE_UNAVAILABLE',
  why: 'etcd did not answer in time',
  hint: 'See how it is with `etcdctl endpoint status`; it needs a majority of its members, and they each other.',
}

const MEANINGS: Readonly<Record<FailureKind, Meaning>> = {
  unreachable: UNREACHABLE,
  token: UNREACHABLE,
  compacted: { ...UNREACHABLE, why: 'etcd no longer had the revision that was asked for' },
  foreign: {
    ...UNREACHABLE,
    why: 'the endpoints belong to different etcds',
    hint: 'Name endpoints of one etcd only: scadmin setup --database etcd://...',
  },
  full: {
    code: 'DATABASE_FULL',
    why: 'the quota of etcd is used up',
    hint: 'Compact and defragment it, raise --quota-backend-bytes if that was too small, then: etcdctl alarm disarm',
  },
  'too-many-operations': {
    code: 'LIMIT_REACHED',
    why: 'it has more conditions or changes than this etcd takes in one transaction',
    hint: 'Nothing was changed. Start etcd with --max-txn-ops 4096.',
  },
  'too-large': {
    code: 'LIMIT_REACHED',
    why: 'it is larger than what this etcd takes in one request',
    hint: 'Nothing was changed. Start etcd with --max-request-bytes 16777216.',
  },
  refused: {
    code: 'DATABASE_DENIED',
    why: 'etcd refused it',
    hint: 'The user needs to read and write all keys below /haven/; certificates and the login stand in etc/haven/host.json.',
  },
  corrupt: {
    code: 'DATABASE_CORRUPT',
    why: 'etcd says that its data is damaged',
    hint: 'Repair or replace the damaged member (etcdctl endpoint hashkv --cluster shows which).',
  },
  unsupported: {
    code: 'DATABASE_TOO_OLD',
    why: 'etcd does not know what it was asked',
    hint: 'Haven needs etcd 3.4 or later.',
  },
}

/** Makes what a caller of the database is thrown. `what`: what was tried, such as `'the commit failed'`. Errors that are Haven's own already stay as they are. */
export function wrapEtcdError(what: string, error: unknown): HaError {
  if (error instanceof HaError) return error
  const failure = readFailure(error)
  const { code, why, hint } = MEANINGS[failure.kind]
  return new HaError(code, `${what}: ${why}`, {
    hint,
    details: failure.message === '' ? [] : failure.message.split('; '),
    cause: error,
  })
}
