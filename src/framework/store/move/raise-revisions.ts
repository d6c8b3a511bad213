import type {
  Change,
  ClusterDatabase,
  CommitOutcome,
  DatabaseRecord,
  Guard,
  Snapshot,
  WatchEvent,
} from '../../ports/cluster-database.ts'

/**
 * Lets the revisions of a database count on from those of the one that it was copied from. Revisions stand in records (what a stamp has seen, when a
 * list of possible masters held), so they may only grow, also when the engine changes.
 */
export function raiseRevisions(database: ClusterDatabase, by: number): ClusterDatabase {
  const raiseRecord = (record: DatabaseRecord): DatabaseRecord => ({ ...record, revision: record.revision + by })
  // What did not change stays the same object: readers compare.
  let last: { readonly from: Snapshot; readonly raised: Snapshot } | undefined
  return {
    read: async () => {
      const from = await database.read()
      const records = new Map<string, DatabaseRecord>()
      for (const [key, record] of from.records) {
        const isKnown = last?.from.records.get(key) === record
        records.set(key, (isKnown ? last?.raised.records.get(key) : undefined) ?? raiseRecord(record))
      }
      const raised = { revision: from.revision + by, records }
      last = { from, raised }
      return raised
    },
    commit: async (guards, writes, options) => {
      const lowered = guards.map((guard): Guard => {
        return guard.kind === 'at' ? { ...guard, revision: lower(guard.revision, by) } : guard
      })
      return raiseOutcome(await database.commit(lowered, writes, options), by)
    },
    watch: (fromRevision, onEvent) =>
      database.watch(Math.max(0, fromRevision - by), (event) => onEvent(raiseEvent(event, by, raiseRecord))),
    close: () => database.close(),
  }
}

/** A revision of the former place never comes again: that record has been written anew since, by the copying at least. */
function lower(revision: number, by: number): number {
  return revision <= by ? Number.MAX_SAFE_INTEGER : revision - by
}

function raiseOutcome(outcome: CommitOutcome, by: number): CommitOutcome {
  return outcome.kind === 'committed' ? { ...outcome, revision: outcome.revision + by } : outcome
}

function raiseEvent(event: WatchEvent, by: number, raise: (record: DatabaseRecord) => DatabaseRecord): WatchEvent {
  if (event.kind === 'gap') return event
  const changes = event.changes.map((change): Change => {
    return change.kind === 'put'
      ? { kind: 'put', record: raise(change.record) }
      : { ...change, revision: change.revision + by }
  })
  return { ...event, revision: event.revision + by, changes }
}
