import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openFileDatabase } from '../../src/framework/store/file/open-file-database.ts'
import { MemoryDatabaseCore } from '../../src/framework/store/memory.ts'
import { followMoves } from '../../src/framework/store/move/follow-move.ts'
import { MOVED_KEY, type Moved, moveRecord } from '../../src/framework/store/move/move-records.ts'
import { raiseRevisions } from '../../src/framework/store/move/raise-revisions.ts'
import { isWhole } from '../whole.ts'
import { describeClusterDatabase } from './cluster-database.contract.ts'
import type { DatabaseHarness } from './cluster-database-harness.ts'

if (isWhole) {
  describeClusterDatabase('memory, counting on from another one', async () => {
    const core = new MemoryDatabaseCore()
    return { connect: async () => raiseRevisions(core.connect(), 1_000_000), end: async () => undefined }
  })

  describeClusterDatabase('file, ready to move', async () => {
    const files = filesOf()
    return {
      ...files,
      connect: async () =>
        followMoves({ first: await files.open(), openNext: neverNeeded, ...UNPREPARED, log: () => undefined }),
    }
  })
}

// What is asked first finds out that the files have moved, each client for itself.
describeClusterDatabase('memory, reached by files that have moved there', async () => {
  const files = filesOf()
  const first = await files.open()
  const moved: Moved = { id: 'move', to: { kind: 'etcd', endpoints: ['http://127.0.0.1:1'], isManaged: true } }
  await first.commit([], [{ kind: 'put', key: MOVED_KEY, value: moveRecord(moved) }], { durability: 'durable' })
  const core = new MemoryDatabaseCore()
  return {
    ...files,
    connect: async () => {
      const openNext = async (): Promise<ClusterDatabase> => raiseRevisions(core.connect(), 1)
      const client = followMoves({ first: await files.open(), openNext, ...UNPREPARED, log: () => undefined })
      await client.read()
      return client
    },
  }
})

function filesOf(): Pick<DatabaseHarness, 'end'> & { open(): Promise<ClusterDatabase> } {
  const directory = mkdtempSync(`${tmpdir()}/haven-database-`)
  const clients: ClusterDatabase[] = []
  return {
    open: async () => {
      const client = await openFileDatabase({ directory, effects: createRealEffects(), create: true })
      clients.push(client)
      return client
    },
    end: async () => {
      for (const client of clients) await client.close()
      rmSync(directory, { recursive: true })
    },
  }
}

const UNPREPARED = { prepareNext: async () => undefined, forget: async () => undefined }

function neverNeeded(): never {
  throw new Error('it did not move')
}
