import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { cutPower } from '../../scripts/demo/clear-stage.mjs'

const top = resolve(import.meta.dirname, '../..')
/** Far longer than the walkthroughs take. */
const WALK_MS_MAX = 150_000

/** Takes what a reader would paste out of the part that follows a heading; the address becomes one that nobody else uses. */
function pasteable(heading: string): string {
  const readme = readFileSync(join(top, 'README.md'), 'utf8')
  const part = readme.slice(readme.indexOf(`\n## ${heading}`))
  const blocks = [...part.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
  return blocks.join('\n').replaceAll('127.20.0.1', '127.81.0.1')
}

it('every line of the walkthroughs of README.md does what it says', async () => {
  const home = mkdtempSync(join(tmpdir(), 'haven-e2e-readme-'))
  const lab = join(home, 'haven-lab')
  try {
    const text = pasteable('A cluster to try things on')
    const { status, stdout, stderr } = spawnSync('sh', ['-e'], {
      cwd: top,
      env: { PATH: process.env['PATH'], HOME: home, TMPDIR: home },
      input: `${text}\nbeta scadmin stopnode; alpha scadmin stopnode`,
      encoding: 'utf8',
      timeout: WALK_MS_MAX,
    })
    const shown = stdout + stderr
    expect(status, shown).toBe(0)
    expect(stdout.match(/^visit .*$/gm)).toEqual([
      'visit 1, served by alpha',
      'visit 2, served by beta',
      'visit 3, served by beta',
      'visit 4, served by alpha',
    ])
    // The timeline that the text names by its number is the one that it means.
    expect(stdout).toMatch(/^Reconfiguration 7: alpha is leaving.*\n.*planned by alpha/m)
    expect(stdout).toMatch(/^\S+Z healthy$/m)
    expect(stdout).toContain('shop: beta starts fault monitors: done')
    expect(stdout).toMatch(/^alpha has left the cluster/m)
  } finally {
    for (const name of ['alpha', 'beta'])
      await cutPower({ cgroups: [] }, { name, root: join(lab, name), key: `lab:${name}` })
    rmSync(home, { recursive: true, force: true })
  }
})
