import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keyOf } from '../../scripts/demo/stage.mjs'
import { hostKey } from '../../src/methods/scope-names.ts'

const top = resolve(import.meta.dirname, '../..')

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs `npm run demo` in a directory for temporary files of its own; `interruptAt`: Ctrl-C when the demo has printed this. */
async function runDemo(temporary: string, { interruptAt }: { readonly interruptAt?: string } = {}): Promise<Ended> {
  const { PATH } = process.env
  // A process group of its own: Ctrl-C at a terminal reaches npm, the demo and the command that runs.
  const demo = spawn('npm', ['run', 'demo'], {
    cwd: top,
    env: { PATH, HOME: temporary, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  let isInterrupted = false
  const take = (text: Buffer): void => {
    output += text
    if (interruptAt === undefined || isInterrupted || !output.includes(interruptAt)) return
    isInterrupted = true
    process.kill(-(demo.pid ?? 0), 'SIGINT')
  }
  demo.stdout.on('data', take)
  demo.stderr.on('data', take)
  const code = await new Promise<number | null>((done, reject) => {
    // npm ends itself by the signal that it was sent; a shell makes 130 of that.
    demo.once('close', (exitCode, signal) => done(signal === 'SIGINT' ? 130 : exitCode))
    demo.once('error', reject)
  })
  return { code, output }
}

async function within(body: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), 'haven-e2e-demo-'))
  try {
    await body(temporary)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

const leftBehind = (temporary: string): readonly string[] =>
  readdirSync(temporary).filter((name) => name.startsWith('haven-demo-'))

describe('npm run demo', () => {
  it('moves a web server, twice at the same time, and leaves nothing behind', () =>
    within(async (temporary) => {
      const ended = await Promise.all([runDemo(temporary), runDemo(temporary)])
      for (const { code, output } of ended) {
        expect(output).toMatch(/^Demo passed: \d+ checks in [\d.]+ s\.$/m)
        expect(code, output).toBe(0)
      }
      expect(leftBehind(temporary)).toEqual([])
    }))

  it.each(['alpha$ scadmin startcluster', 'A client begins', '$ kill -KILL'])(
    'cleans up after Ctrl-C at "%s"',
    (moment) =>
      within(async (temporary) => {
        const { code, output } = await runDemo(temporary, { interruptAt: moment })
        expect(output).toMatch(/^Demo interrupted after [\d.]+ s\.$/m)
        expect(code, output).toBe(130)
        expect(leftBehind(temporary)).toEqual([])
      }),
  )

  it('looks for leftovers under the names that Haven gives them', () => {
    const place = { root: '/tmp/haven-demo-1/alpha', cluster: 'demo', physicalHost: 'alpha' }
    expect(keyOf(place.root, place.physicalHost)).toBe(hostKey(place))
  })
})
