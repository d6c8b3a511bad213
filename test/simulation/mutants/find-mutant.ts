import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { bundleOptions } from '../../../scripts/bundle-options.mjs'
import type { runHistory } from '../run-history.ts'

const TOP = fileURLToPath(new URL('../../..', import.meta.url))

/** What the histories of a planted bug showed. */
export interface Hunt {
  /** The sentence at the head of the patch. */
  readonly bug: string
  /** The first seed in which a referee objected; undefined when none of them did. */
  readonly seed: number | undefined
  readonly violation: string | undefined
}

/** Plants the bug of a patch into a copy of the sources, and runs histories with it until a referee objects, at most `seedsMax`. */
export async function hunt(patch: string, seedsMax: number): Promise<Hunt> {
  const file = fileURLToPath(new URL(`${patch}.patch`, import.meta.url))
  const bug = readFileSync(file, 'utf8').split('\n', 1)[0] ?? ''
  const copy = mkdtempSync(join(tmpdir(), `haven-${basename(patch)}-`))
  try {
    for (const folder of ['src', 'test/simulation']) cpSync(join(TOP, folder), join(copy, folder), { recursive: true })
    execFileSync('git', ['apply', '--whitespace=nowarn', file], {
      cwd: copy,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
    })
    const histories = await load(copy)
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { violation } = await histories.runHistory(seed)
      if (violation !== undefined) return { bug, seed, violation }
    }
    return { bug, seed: undefined, violation: undefined }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function load(copy: string): Promise<{ readonly runHistory: typeof runHistory }> {
  const bundle = join(copy, 'run-history.mjs')
  await build({
    ...bundleOptions,
    entryPoints: [join(copy, 'test/simulation/run-history.ts')],
    outfile: bundle,
    nodePaths: [join(TOP, 'node_modules')],
  })
  return (await import(pathToFileURL(bundle).href)) as { readonly runHistory: typeof runHistory }
}
