import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openFileDatabase } from '../../src/framework/store/file/open-file-database.ts'
import { MemoryDatabaseCore } from '../../src/framework/store/memory.ts'
import { describeClusterDatabase } from './cluster-database.contract.ts'
import type { DatabaseHarness } from './cluster-database-harness.ts'

describeClusterDatabase('memory', async () => {
  const core = new MemoryDatabaseCore()
  return { connect: async () => core.connect(), end: async () => undefined }
})

describeClusterDatabase('file', async () => fileHarness({}))

// So small a log that it is replaced in the middle of everything.
describeClusterDatabase('file, with checkpoints all the time', async () => fileHarness({ logSizeBytesMax: 500 }))

/** Opens one directory several times: each client is what another process would be, with a lock, a memory and a watch of its own. */
function fileHarness(options: { readonly logSizeBytesMax?: number }): DatabaseHarness {
  const directory = mkdtempSync(`${tmpdir()}/haven-database-`)
  const clients: ClusterDatabase[] = []
  return {
    connect: async () => {
      const client = await openFileDatabase({ directory, effects: createRealEffects(), create: true, ...options })
      clients.push(client)
      return client
    },
    end: async () => {
      for (const client of clients) await client.close()
      rmSync(directory, { recursive: true })
    },
  }
}
