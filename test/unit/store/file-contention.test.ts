import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { realFiles } from '../../../src/framework/ports/real-files.ts'
import { openFileDatabase } from '../../../src/framework/store/file/open-file-database.ts'

describe('the file engine while somebody else has the lock', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'haven-database-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('serves commits that follow at once on one that waited', async () => {
    const database = await openFileDatabase({ directory, effects: createRealEffects(), create: true })
    const other = realFiles.open('test', join(directory, 'lock'), 'create')
    const commit = (value: number) =>
      database.commit([], [{ kind: 'put', key: 'a/b', value }], { durability: 'volatile' })
    for (let round = 0; round < 20; round += 1) {
      expect(realFiles.tryLock('test', other)).toBe(true)
      const waited = commit(round)
      realFiles.unlock('test', other)
      await waited
      expect((await commit(round)).kind).toBe('committed')
      expect((await commit(round)).kind).toBe('committed')
    }
    realFiles.close('test', other)
    await database.close()
  })
})
