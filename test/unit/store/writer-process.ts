import { writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import type { Effects } from '../../../src/framework/ports/effects.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { openFileDatabase } from '../../../src/framework/store/file/open-file-database.ts'

/**
 * Runs in a process of its own, with a thread for each of several databases, so that one kill meets many writers wherever they are. Each commits without end: one number in two records
 * of its own, now durable, now volatile, of any size. It prints `LANE NUMBER` and a line end for each commit as soon as it was answered, and before the next one.
 * Arguments: parent of the databases, how many (their names are 0, 1, ...), name of the writer, bytes of the log at most, milliseconds between commits.
 */
const [parent = '', lanes = '0', writer = '', logSizeBytesMax = '', pauseMs = '0'] = process.argv.slice(2)

if (isMainThread) {
  const opened = new SharedArrayBuffer(4)
  for (let lane = 0; lane < Number(lanes); lane += 1) {
    new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), workerData: { lane: String(lane), opened } })
  }
} else await write(workerData)

/** Waits for all to be there: the first would take the processor from those that still start. */
function waitForOthers(opened: SharedArrayBuffer): void {
  const count = new Int32Array(opened)
  Atomics.add(count, 0, 1)
  Atomics.notify(count, 0)
  for (let there = Atomics.load(count, 0); there < Number(lanes); there = Atomics.load(count, 0))
    Atomics.wait(count, 0, there)
}

/** Whoever reads it may be busy for a while; then there is no more room, and a file descriptor that does not block says so. */
async function print(line: string, effects: Pick<Effects, 'sleep'>): Promise<void> {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await effects.sleep(1)
    }
  }
}

async function write({ lane, opened }: { readonly lane: string; readonly opened: SharedArrayBuffer }): Promise<void> {
  const effects = createRealEffects()
  const options = { create: true, logSizeBytesMax: Number(logSizeBytesMax) }
  const database = await openFileDatabase({ directory: `${parent}/${lane}`, effects, ...options })
  waitForOthers(opened)
  const before = (await database.read()).records.get(`${writer}/left`)?.value
  for (let number = typeof before === 'number' ? before + 1 : 1; ; number += 1) {
    const filling = 'x'.repeat(Math.floor(effects.random() ** 6 * 10_000))
    const outcome = await database.commit(
      [],
      [
        { kind: 'put', key: `${writer}/left`, value: number },
        { kind: 'put', key: `${writer}/filling`, value: filling },
        { kind: 'put', key: `${writer}/right`, value: number },
      ],
      { durability: effects.random() < 0.1 ? 'durable' : 'volatile' },
    )
    if (outcome.kind !== 'committed') throw new Error('a commit without guards lost a race')
    await print(`${lane} ${number}\n`, effects)
    if (pauseMs !== '0') await effects.sleep(Number(pauseMs))
  }
}
