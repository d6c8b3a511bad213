import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCheckPrograms } from '../../../src/framework/drivers/check-programs.ts'
import { createRunCommand } from '../../../src/framework/drivers/run-command.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'

const tag = `test-${process.pid}:h1/-/check`
const check = createCheckPrograms(createRunCommand({ effects: createRealEffects(), tag }))
const { signal } = new AbortController()

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'haven-check-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

function make(name: string, mode: number, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text, { mode })
  return path
}

describe('what programs are', () => {
  it('is told in their order: absent, executable or not, and their hashes, whatever they are called', async () => {
    const odd = make("it's $HOME; *\n-x\\", 0o755, 'one')
    const plain = make('plain', 0o644, 'two')
    const folder = join(directory, 'folder')
    mkdirSync(folder)
    const absent = join(directory, 'absent')
    expect(await check([absent, odd, folder, plain], signal)).toEqual([
      { path: absent, isExecutable: false, sha256: null },
      { path: odd, isExecutable: true, sha256: hash('one') },
      { path: folder, isExecutable: false, sha256: null },
      { path: plain, isExecutable: false, sha256: hash('two') },
    ])
    expect(await check([], signal)).toEqual([])
  })

  it('is not known when the look is called off', async () => {
    await expect(check(['/x'], AbortSignal.abort())).rejects.toMatchObject({ code: 'METHOD_FAILED' })
  })
})
