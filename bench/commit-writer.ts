import { createRealEffects } from '../src/framework/ports/real-effects.ts'
import { openFileDatabase } from '../src/framework/store/file/open-file-database.ts'

/** What one process does that commits beside others. */
export interface WriterTask {
  readonly directory: string
  readonly number: number
  readonly durability: 'durable' | 'volatile'
  readonly forMs: number
}

/** What it prints, as JSON. */
export interface WriterResult {
  readonly perSecond: number
}

/** The others start meanwhile; what is committed by then does not count. */
const WARM_UP_MS = 500
/** As large as the record of a logical host. */
const VALUE = { schema: 1, text: 'x'.repeat(300) }

const { directory, number, durability, forMs } = JSON.parse(process.argv[2] ?? '{}') as WriterTask
const database = await openFileDatabase({ directory, effects: createRealEffects(), create: true })

async function commitFor(ms: number): Promise<number> {
  const startedMs = performance.now()
  let count = 0
  while (performance.now() < startedMs + ms) {
    await database.commit([], [{ kind: 'put', key: `mastery/ha${number}`, value: VALUE }], { durability })
    count += 1
  }
  return count / ((performance.now() - startedMs) / 1000)
}

await commitFor(WARM_UP_MS)
const result: WriterResult = { perSecond: await commitFor(forMs) }
await database.close()
console.log(JSON.stringify(result))
