import type { CommitOutcome, Guard, Snapshot, Write } from '../../src/framework/ports/cluster-database.ts'
import { MemoryDatabaseCore } from '../../src/framework/store/memory.ts'

/** The memory engine with somebody who looks at every commit. */
export class WatchedCore extends MemoryDatabaseCore {
  /** Told every commit that changes a mastery or the membership, with the database before and after it. */
  onState: (before: Snapshot, after: Snapshot) => void = () => {}

  /** Told every stamp that was committed. */
  onStamp: (host: string) => void = () => {}

  override commit(guards: readonly Guard[], writes: readonly Write[]): CommitOutcome {
    const touchesState = writes.some(({ key }) => /^(mastery|members|fences)\//.test(key))
    const before = touchesState ? this.snapshot() : undefined
    const outcome = super.commit(guards, writes)
    if (outcome.kind !== 'committed') return outcome
    for (const { kind, key } of writes) {
      if (kind === 'put' && key.startsWith('stamps/')) this.onStamp(key.slice('stamps/'.length))
    }
    if (before !== undefined) this.onState(before, this.snapshot())
    return outcome
  }
}
