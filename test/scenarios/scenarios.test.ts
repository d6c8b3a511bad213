import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { replay } from './runner/replay.ts'

const folder = import.meta.dirname
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort()

// A scenario is its own golden. When the planner changed: `npx vitest run --project scenarios -u`, then read the diff.
// Commit it only if you understand every changed line and want it. What the words of the commands mean: test/scenarios/README.md.
describe('scenarios', () => {
  it('are many', () => {
    expect(files.length).toBeGreaterThanOrEqual(80)
  })

  it.each(files)('%s', async (name) => {
    const path = join(folder, name)
    const { text, faults } = replay(readFileSync(path, 'utf8'))
    await expect(text).toMatchFileSnapshot(path)
    expect(faults).toEqual([])
    expect(text.split('\n').filter((line) => line.length > 99)).toEqual([])
  })
})
