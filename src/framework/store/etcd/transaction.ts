import type { ICompare, IRequestOp, ITxnRequest, ITxnResponse } from 'etcd3'
import type { Guard, Write } from '../../ports/cluster-database.ts'
import type { Keyspace } from './keyspace.ts'
import { TRANSACTION_OPERATIONS_DEFAULT } from './limits.ts'

/** What the transaction of one commit is made of. */
export interface TransactionParts {
  /** The key of the writer that is compared and rewritten with everything else, see `committer.ts`. */
  readonly lane: Buffer
  /** Revision at which the lane must be; 0 = absent. */
  readonly laneRevision: number
  /** What the lane holds afterwards. */
  readonly id: string
  readonly guards: readonly Guard[]
  readonly writes: readonly Write[]
}

/** What the lane and the guarded records held when a transaction was refused. */
export interface Refusal {
  readonly lane: { readonly revision: number; readonly id: string }
  /** Revision of the record of each guard; 0 = absent. */
  readonly guarded: readonly number[]
}

/** Makes the transaction of a commit. When it is refused it answers with what its comparisons looked at, as `readRefusal` reads it. */
export function makeTransaction(keyspace: Keyspace, parts: TransactionParts): ITxnRequest {
  const { lane, laneRevision, id, guards, writes } = parts
  const compare = [
    isAt(lane, laneRevision),
    ...guards.map((guard) => isAt(keyspace.ofRecord(guard.key), guard.kind === 'absent' ? 0 : guard.revision)),
  ]
  const operations = [put(lane, id), ...writes.map((write) => operationOf(keyspace, write))]
  return {
    compare,
    success: packed(operations, compare.length),
    failure: [read(lane, false), ...guards.map(({ key }) => read(keyspace.ofRecord(key), true))],
  }
}

/** Reads why a transaction of `makeTransaction` was refused. */
export function readRefusal({ responses }: ITxnResponse): Refusal {
  const [lane, ...guarded] = responses.map(({ response_range: range }) => range.kvs[0])
  return {
    lane: { revision: Number(lane?.mod_revision ?? 0), id: lane?.value.toString() ?? '' },
    guarded: guarded.map((found) => Number(found?.mod_revision ?? 0)),
  }
}

/**
 * Puts more operations than one transaction may have into transactions inside it. etcd counts the operations of each by itself, and grants those inside what the one around them
 * left over (`checkTxnRequest` in `etcdserver/api/v3rpc/key.go`). All of them are done at one revision. Comparisons cannot be multiplied like this.
 */
export function packed(operations: readonly IRequestOp[], comparisons: number): IRequestOp[] {
  const most = TRANSACTION_OPERATIONS_DEFAULT
  if (operations.length <= most) return [...operations]
  for (let inner = 1; inner < most; inner += 1) {
    const each = most - Math.max(inner, comparisons)
    if (inner * each < operations.length) continue
    return Array.from({ length: Math.ceil(operations.length / each) }, (_, index) => ({
      request_txn: { success: operations.slice(index * each, (index + 1) * each) },
    }))
  }
  return [...operations] // An etcd that was started for more may take it as it is; another one refuses it whole.
}

function operationOf(keyspace: Keyspace, write: Write): IRequestOp {
  const key = keyspace.ofRecord(write.key)
  return write.kind === 'put' ? put(key, JSON.stringify(write.value)) : { request_delete_range: { key } }
}

function isAt(key: Buffer, revision: number): ICompare {
  return { key, target: 'Mod', result: 'Equal', mod_revision: revision }
}

function put(key: Buffer, text: string): IRequestOp {
  return { request_put: { key, value: Buffer.from(text) } }
}

function read(key: Buffer, withoutValue: boolean): IRequestOp {
  return { request_range: { key, keys_only: withoutValue } }
}
