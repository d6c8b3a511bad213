import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClusterDatabase } from '../../../src/framework/ports/cluster-database.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { openFileDatabase } from '../../../src/framework/store/file/open-file-database.ts'
import { checkFileDatabase } from '../../../src/framework/store/inspect.ts'
import { seededRandom } from './model-work.ts'
import { bundleWriter } from './writer-bundle.ts'

const KILLS = 1000
/** Databases with a writer each in the process that is killed: one kill ends as many writers, each somewhere else. */
const LANES = 10
/** So short that a writer is often killed while it replaces the log. */
const LOG_SIZE_BYTES_MAX = 60_000
/** Milliseconds between two commits of the writers that live on. */
const LIVING_PAUSE_MS = 100
/** A process starts ten threads, on a machine that is busy with other things. */
const START_MS_MAX = 60_000
/** Longest time, in milliseconds, that the writers are left alive after the first answer of each. */
const LIFE_MS_MAX = 30

/** A process with a writer for each database, and the last commit of each that it said was answered. */
interface Writers {
  readonly process: ChildProcess
  /** Resolves when they have ended and all that they printed was read, with the signal that ended them; null = they ended by themselves. */
  readonly ended: Promise<NodeJS.Signals | null>
  readonly answered: number[]
  readonly errors: () => string
  /** Resolves when each has been answered once. */
  readonly started: Promise<void>
}

const effects = createRealEffects()
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(`${tmpdir()}/haven-kill-`)
  await bundleWriter(`${directory}/writer.mjs`)
})

afterAll(() => rmSync(directory, { recursive: true }))

describe('file database, real writers', () => {
  it(`are killed ${KILLS} times at any point: every answered commit is there, no half one, and living writers beside them are never held up for 2 s`, {
    timeout: 600_000,
  }, async () => {
    const random = seededRandom(1)
    const living = startWriters('living', LIVING_PAUSE_MS)
    await living.started
    let tails = 0
    const databases = await Promise.all(
      livingPlaces().map((place) => openFileDatabase({ directory: place, effects, log: () => (tails += 1) })),
    )
    for (let kills = 0; kills < KILLS; kills += LANES) {
      const writers = startWriters('killed', 0)
      await writers.started
      await effects.sleep(random() * LIFE_MS_MAX)
      await kill(writers)
      for (const [lane, database] of databases.entries()) {
        await expectKept(database, 'killed', writers.answered[lane] ?? 0)
        await expectKept(database, 'living', living.answered[lane] ?? 0)
      }
    }
    // A commit that waits for the lock for 2 s is refused with DATABASE_BUSY, and its process would have ended.
    expect([living.process.exitCode, living.errors()]).toEqual([null, ''])
    await kill(living)
    for (const [lane, database] of databases.entries()) await expectSound(livingPlaces()[lane] ?? '', database)
  })
})

const livingPlaces = (): string[] => Array.from({ length: LANES }, (_, lane) => `${directory}/${lane}`)

function startWriters(name: string, pauseMs: number): Writers {
  const args = [`${directory}/writer.mjs`, directory, LANES, name, LOG_SIZE_BYTES_MAX, pauseMs].map(String)
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes
  })
  const answered: number[] = []
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('close', (_code, signal) => resolve(signal))
  })
  const started = new Promise<void>((resolve, reject) => {
    const tooLate = (): void =>
      reject(new Error(`not every writer was answered in time, only those of lanes ${list(answered)}`))
    const over = new AbortController()
    effects.sleep(START_MS_MAX, over.signal).then(tooLate, () => undefined)
    child.once('exit', () => {
      over.abort()
      reject(new Error(`the writers ended by themselves: ${errors}`))
    })
    // A line is cut off when its writer was killed in the middle of printing it; then it says nothing, as the write was not over.
    createInterface(child.stdout).on('line', (line) => {
      const [lane = '', number] = line.split(' ')
      answered[Number(lane)] = Math.max(answered[Number(lane)] ?? 0, Number(number ?? 0))
      if (Object.keys(answered).length < LANES) return
      over.abort()
      resolve()
    })
  })
  return { process: child, ended, answered, errors: () => errors, started }
}

/** Kills them, and waits until all that they printed was read. Throws when they had ended before. */
async function kill(writers: Writers): Promise<void> {
  writers.process.kill('SIGKILL')
  const signal = await writers.ended
  if (signal !== 'SIGKILL') throw new Error(`the writers ended by themselves: ${writers.errors()}`)
}

function list(answered: readonly number[]): string {
  return Object.entries(answered)
    .map(([lane, number]) => `${lane}: ${number}`)
    .join(', ')
}

async function expectKept(database: ClusterDatabase, writer: string, answered: number): Promise<void> {
  const { records } = await database.read()
  const left = Number(records.get(`${writer}/left`)?.value)
  expect(left).toBeGreaterThanOrEqual(answered)
  expect(records.get(`${writer}/right`)).toMatchObject({
    value: left,
    revision: records.get(`${writer}/left`)?.revision,
  })
}

/** A fresh start and a check come to the same as the one that looked on all the time. */
async function expectSound(place: string, database: ClusterDatabase): Promise<void> {
  expect(checkFileDatabase(place).verdict).toMatch(/^(sound|torn)$/)
  const fresh = await openFileDatabase({ directory: place, effects })
  expect(await fresh.read()).toEqual(await database.read())
  await fresh.close()
  await database.close()
  expect(checkFileDatabase(place).verdict).toBe('sound')
}
