import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLookForMissing } from '../../../src/framework/drivers/missing-programs.ts'
import { CommandError, createRunCommand } from '../../../src/framework/drivers/run-command.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'

const tag = `test-${process.pid}:h1/-/programs`
const look = createLookForMissing(createRunCommand({ effects: createRealEffects(), tag }))
const { signal } = new AbortController()

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'haven-programs-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function make(name: string, mode: number): string {
  const path = join(directory, name)
  writeFileSync(path, '', { mode })
  return path
}

describe('the look at programs', () => {
  it('finds what is absent, not executable, or no file, whatever its name', async () => {
    const good = [make('start', 0o755), make("it's $HOME; *\n-x", 0o700)]
    const plain = make('plain', 0o644)
    const folder = join(directory, 'folder')
    mkdirSync(folder)
    const absent = join(directory, 'ab sent\nä')
    expect(await look([absent, ...good, folder, plain], signal)).toEqual([absent, folder, plain])
    expect(await look(good, signal)).toEqual([])
    expect(await look([], signal)).toEqual([])
  })

  it('looks at any number', async () => {
    const absent = Array.from({ length: 1_001 }, (_, index) => join(directory, String(index)))
    expect(await look([make('start', 0o755), ...absent], signal)).toEqual(absent)
  })

  it('knows nothing when the look fails or is called off', async () => {
    const facts = { exitCode: null, isMissing: true, stderr: '' }
    const failing = createLookForMissing(() => Promise.reject(new CommandError(['sh'], 'is not there', facts)))
    await expect(failing(['/x'], signal)).rejects.toMatchObject({ code: 'METHOD_FAILED' })
    await expect(look(['/x'], AbortSignal.abort())).rejects.toMatchObject({ code: 'METHOD_FAILED' })
  })
})
