import { describe, expect, it } from 'vitest'
import { ModelDisk } from './model-disk.ts'
import { isKilled, numbersIn, openModel, seededRandom, settleTurns, Work } from './model-work.ts'

const COMMITS = 40

/** Counts the file calls of a process that creates a database and works on it undisturbed. */
async function callsOfWork(): Promise<number> {
  let calls = 0
  const disk = new ModelDisk()
  await workUntilKilled(disk, (_op, count) => {
    calls = count
    return 'go on'
  })
  return calls
}

async function workUntilKilled(disk: ModelDisk, interfere: Parameters<ModelDisk['startProcess']>[0]): Promise<Work> {
  const work = new Work()
  try {
    const database = await openModel(disk.startProcess(interfere), { create: true })
    // Two at a time, so that some are appended while others are synced.
    await Promise.all([work.commitSome(database, COMMITS / 2), work.commitSome(database, COMMITS / 2)])
    await settleTurns()
    expect(work.refused).toEqual([])
  } catch (error) {
    if (!isKilled(error)) throw error
  }
  return work
}

describe('file database, a process that is killed', () => {
  it('at any of its file calls, in the middle of a write too: the next start finds every answered commit and no half one', async () => {
    const calls = await callsOfWork()
    expect(calls).toBeGreaterThan(300)
    for (let at = 1; at <= calls; at += 1) {
      const disk = new ModelDisk()
      const work = await workUntilKilled(disk, (_op, count) => (count === at ? 'kill' : 'go on'))
      const database = await openModel(disk.startProcess(), { create: true })
      const number = work.expectKept(await database.read(), 'all')
      expect(number).toBeLessThanOrEqual(work.lastNumber)
      await database.close()
    }
  })

  it('at any of its file calls: another one that works at the same time notices nothing', async () => {
    const calls = await callsOfWork()
    for (let at = 40; at <= calls; at += 1) {
      const disk = new ModelDisk()
      const other = await openModel(disk.startProcess(), { create: true })
      const others = new Work()
      const [work] = await Promise.all([
        workUntilKilled(disk, (_op, count) => (count === at ? 'kill' : 'go on')),
        others.commitSome(other, COMMITS),
      ])
      await settleTurns()
      expect(others.refused).toEqual([])
      const all = [...work.answered, ...others.answered].map(({ revision }) => revision)
      expect(new Set(all).size).toBe(all.length)
      expect((await other.read()).revision).toBeGreaterThanOrEqual(Math.max(...all))
      const next = await openModel(disk.startProcess())
      expect(await next.read()).toEqual(await other.read())
      await other.close()
      await next.close()
    }
  })
})

describe('file database, a process that is stopped for a while', () => {
  it('in any of its syncs, while another one replaces log and checkpoint several times: it does no harm when it goes on', async () => {
    for (let at = 1; at <= 60; at += 1) {
      const disk = new ModelDisk()
      const work = new Work()
      const others = new Work()
      const [stopped, other] = [
        await openModel(disk.startProcess(), { create: true }),
        await openModel(disk.startProcess()),
      ]
      let goOn = (): void => undefined
      let syncs = 0
      const usual = disk.whileSyncing
      disk.whileSyncing = () => {
        syncs += 1
        if (syncs !== at) return usual()
        return new Promise((resolve) => {
          goOn = resolve
        })
      }
      const working = work.commitSome(stopped, COMMITS)
      await settleTurns(200)
      disk.whileSyncing = usual
      await others.commitSome(other, COMMITS)
      goOn()
      await working
      await settleTurns()
      expect([...work.refused, ...others.refused]).toEqual([])
      const next = await openModel(disk.startProcess())
      expect(await next.read()).toEqual(await other.read())
      expect(await next.read()).toEqual(await stopped.read())
      for (const database of [stopped, other, next]) await database.close()
    }
  })
})

describe('file database, a loss of power', () => {
  it.each([1, 2])(
    'at any file call, whatever survives of what was not synced (seed %i): every durable commit is there, none half, none out of order',
    async (seed) => {
      const calls = await callsOfWork()
      const random = seededRandom(seed)
      for (let at = 1; at <= calls; at += 1) {
        const disk = new ModelDisk()
        const work = await workUntilKilled(disk, (_op, count) => (count === at ? 'kill' : 'go on'))
        disk.losePower(random)
        const database = await openModel(disk.startProcess(), { create: true })
        const kept = work.expectKept(await database.read(), 'durable')
        const lost = { above: kept, upTo: work.lastNumber }
        await work.commitSome(database, Math.floor(3 * random()))
        disk.losePower(random)
        // What was cut off must not come back behind what was written in its place.
        const again = await openModel(disk.startProcess())
        const snapshot = await again.read()
        work.expectKept(snapshot, 'durable')
        for (const number of numbersIn(snapshot)) expect(number > lost.above && number <= lost.upTo).toBe(false)
        await again.close()
      }
    },
  )

  it.each([7, 8])(
    'after a process was killed and another one went on from what it left (seed %i): every durable commit is there',
    async (seed) => {
      const calls = await callsOfWork()
      const random = seededRandom(seed)
      for (let at = 1; at <= calls; at += 1) {
        const disk = new ModelDisk()
        const work = await workUntilKilled(disk, (_op, count) => (count === at ? 'kill' : 'go on'))
        const database = await openModel(disk.startProcess(), { create: true })
        await work.commitSome(database, Math.floor(8 * random()))
        disk.losePower(random)
        const again = await openModel(disk.startProcess())
        work.expectKept(await again.read(), 'durable')
        await again.close()
      }
    },
  )
})
