import { HaError } from '../../errors/ha-error.ts'
import { isSameValue } from '../../model/same-value.ts'
import type { ClusterDatabase, Guard, RecordKey, Snapshot, Write } from '../../ports/cluster-database.ts'
import { isOfMove, type Moved, moveRecord, ORIGIN_KEY, originOf } from './move-records.ts'

/** Writes in one commit: an etcd that nobody tuned takes 128 operations and 1.5 MB. */
const WRITES_MAX = 100
const BYTES_MAX = 1_000_000
/** Others may copy at the same moment; each time something of it is done. */
const TRIES_MAX = 50
/** Without this record there is no database: it comes with the last commit. */
const CLUSTER_KEY: RecordKey = 'cluster'

/**
 * Copies ahead what is there already, so that little is left to be copied while everybody waits. The target is no database yet afterwards.
 * Throws `CONFIG_INVALID` when it is one that did not come from here.
 */
export async function copyAhead(from: Snapshot, target: ClusterDatabase, { id }: Moved): Promise<void> {
  const there = await target.read()
  if (isComplete(there, id)) return
  for (const writes of inCommits(differences(from, there))) await commit(target, writes)
}

/**
 * Makes the target all that the sealed database was, in any number of commits, the last of which makes it valid. Idempotent; any number of
 * processes may do it at the same time, and one that comes late changes nothing any more: what is copied never changes again.
 */
export async function finishCopy(sealed: Snapshot, target: ClusterDatabase, { id }: Moved): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const there = await target.read()
    if (isComplete(there, id)) return
    const cluster = sealed.records.get(CLUSTER_KEY)
    const last: readonly Write[] = [
      ...(cluster === undefined ? [] : [put(CLUSTER_KEY, cluster.value)]),
      put(ORIGIN_KEY, moveRecord({ id, fromRevision: sealed.revision })),
    ]
    const commits = inCommits(differences(sealed, there))
    if ((await commitAll(target, commits)) && (await commit(target, last))) return
  }
  throw new HaError('LOST_RACE', 'the new place of the cluster database changed all the time', { hint: 'Try again.' })
}

async function commitAll(target: ClusterDatabase, commits: readonly (readonly Write[])[]): Promise<boolean> {
  for (const writes of commits) if (!(await commit(target, writes))) return false
  return true
}

/** Only as long as the target is not valid: afterwards it goes its own way. */
async function commit(target: ClusterDatabase, writes: readonly Write[]): Promise<boolean> {
  const guards: readonly Guard[] = [{ kind: 'absent', key: ORIGIN_KEY }]
  return (await target.commit(guards, writes, { durability: 'durable' })).kind === 'committed'
}

function isComplete(there: Snapshot, id: string): boolean {
  const origin = originOf(there)
  if (origin?.id === id) return true
  if (origin === undefined && !there.records.has(CLUSTER_KEY)) return false
  throw new HaError('CONFIG_INVALID', 'the new place holds a cluster database already, which is not this one', {
    hint: 'Name an etcd that has none of this cluster. If it is the remains of one that nobody needs, remove it there: etcdctl del --prefix /haven/CLUSTER/',
  })
}

function differences(from: Snapshot, there: Snapshot): readonly Write[] {
  const wanted = [...from.records.values()].filter(({ key }) => key !== CLUSTER_KEY && !isOfMove(key))
  const keys = new Set(wanted.map(({ key }) => key))
  const gone = [...there.records.keys()].filter((key) => !keys.has(key))
  return [
    ...gone.map((key): Write => ({ kind: 'delete', key })),
    ...wanted.flatMap(({ key, value }) => {
      const present = there.records.get(key)
      return present !== undefined && isSameValue(present.value, value) ? [] : [put(key, value)]
    }),
  ]
}

function put(key: RecordKey, value: Extract<Write, { kind: 'put' }>['value']): Write {
  return { kind: 'put', key, value }
}

function inCommits(writes: readonly Write[]): readonly (readonly Write[])[] {
  const commits: Write[][] = []
  let sizeBytes = Number.POSITIVE_INFINITY
  for (const write of writes) {
    const bytes =
      write.kind === 'put' ? Buffer.byteLength(JSON.stringify(write.value)) + write.key.length : write.key.length
    const last = commits.at(-1)
    if (last === undefined || last.length >= WRITES_MAX || sizeBytes + bytes > BYTES_MAX) {
      commits.push([write])
      sizeBytes = bytes
    } else {
      last.push(write)
      sizeBytes += bytes
    }
  }
  return commits
}
