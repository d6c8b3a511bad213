import { execFile } from 'node:child_process'
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { openFileDatabase } from '../../src/framework/store/file/open-file-database.ts'
import type { Benchmark } from '../benchmark.ts'
import type { WriterResult, WriterTask } from '../commit-writer.ts'
import { type Figure, spreadOf } from '../figure.ts'
import { repeat, timeOf } from '../timing.ts'

/** As large as the record of a logical host. */
const VALUE = { schema: 1, text: 'x'.repeat(300) }
const BYTES = Buffer.from(JSON.stringify(VALUE))

/** As many commit at the same time where several do. */
const PROCESSES = 4
const runTs = resolve(import.meta.dirname, '../../scripts/run-ts.mjs')
const writer = resolve(import.meta.dirname, '../commit-writer.ts')

export const commits: Benchmark = {
  name: 'commits',
  summary: 'commits per second of the file engine, beside raw writes',
  run: async ({ workshop, isQuick }) => {
    const directory = join(workshop, 'commits')
    const database = await openFileDatabase({ directory, effects: createRealEffects(), create: true })
    const rounds = isQuick ? 2 : 9
    const each = isQuick ? 50 : 500
    const commit = (durability: 'durable' | 'volatile'): Promise<number> =>
      perSecond(each, async (index) => {
        await database.commit([], [{ kind: 'put', key: `mastery/ha${index % 20}`, value: VALUE }], { durability })
      })
    const raw = await open(join(workshop, 'raw'), 'a')
    const descriptor = openSync(join(workshop, 'raw-sync'), 'a')
    const rawDurable = (): Promise<number> =>
      perSecond(each, async () => {
        await raw.write(BYTES)
        await raw.datasync()
      })
    const rawVolatile = (): Promise<number> => perSecond(each, async () => void writeSync(descriptor, BYTES))
    try {
      fdatasyncSync(descriptor)
      const durable = await repeat(rounds, async () => ({ ours: await commit('durable'), raw: await rawDurable() }))
      const volatile = await repeat(rounds, async () => ({ ours: await commit('volatile'), raw: await rawVolatile() }))
      return [
        figureOf('durable commits, one after the other', 'write + fdatasync', durable),
        figureOf('volatile commits, one after the other (stamps)', 'write', volatile),
        await byManyProcesses(workshop, 'durable', { isQuick, alone: durable.map(({ ours }) => ours) }),
        await byManyProcesses(workshop, 'volatile', { isQuick, alone: volatile.map(({ ours }) => ours) }),
      ]
    } finally {
      await raw.close()
      await database.close()
    }
  },
}

function figureOf(
  name: string,
  reference: string,
  rounds: readonly { readonly ours: number; readonly raw: number }[],
): Figure {
  return {
    name,
    unit: 'per second',
    measured: spreadOf(rounds.map(({ ours }) => ours)),
    reference: { name: reference, measured: spreadOf(rounds.map(({ raw }) => raw)) },
    details: [],
  }
}

/** All commits of several processes together, beside those of one. */
async function byManyProcesses(
  workshop: string,
  durability: WriterTask['durability'],
  { isQuick, alone }: { readonly isQuick: boolean; readonly alone: readonly number[] },
): Promise<Figure> {
  const totals = await repeat(isQuick ? 1 : 3, async (round) => {
    const directory = join(workshop, `commits-${durability}-${round}`)
    const writers = Array.from({ length: PROCESSES }, (_, number) =>
      runWriter({ directory, number, durability, forMs: isQuick ? 200 : 1_500 }),
    )
    return (await Promise.all(writers)).reduce((sum, each) => sum + each.perSecond, 0)
  })
  return {
    name: `${durability} commits of ${PROCESSES} processes together`,
    unit: 'per second',
    measured: spreadOf(totals),
    reference: { name: 'those of one process', measured: spreadOf(alone) },
    details: [],
  }
}

async function runWriter(task: WriterTask): Promise<WriterResult> {
  const words = [runTs, writer, JSON.stringify(task)]
  const { stdout } = await promisify(execFile)(process.execPath, words, { encoding: 'utf8' })
  return JSON.parse(stdout) as WriterResult
}

async function perSecond(times: number, work: (index: number) => Promise<void>): Promise<number> {
  const tookMs = await timeOf(async () => {
    for (let index = 0; index < times; index += 1) await work(index)
  })
  return (times * 1000) / tookMs
}
