import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isCleanExt4 } from '../../src/framework/drivers/disk-group/ext4-superblock.ts'
import { missingFor } from './driver-rig/namespace-host.ts'

const missing = await missingFor(['mkfs.ext4', 'e2fsck', 'tune2fs', 'debugfs'])
const why = missing === undefined ? '' : ` (skipped: ${missing})`
const DAY_MS = 86_400_000

describe.skipIf(missing !== undefined)(
  `an ext4 file system is clean when e2fsck -p says so and does nothing${why}`,
  () => {
    let directory: string
    let fresh: string

    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'haven-ext4-'))
      fresh = join(directory, 'fresh')
      writeFileSync(fresh, '')
      truncateSync(fresh, 16 * 1024 * 1024)
      execFileSync('mkfs.ext4', ['-q', '-O', 'orphan_file,metadata_csum', fresh])
    })
    afterAll(() => rmSync(directory, { recursive: true }))

    /** What both say of the same image. */
    async function ask(
      change: (image: string) => void,
      nowWallMs = Date.now(),
    ): Promise<{ readonly program: boolean; readonly superblock: boolean }> {
      const image = join(directory, 'image')
      copyFileSync(fresh, image)
      change(image)
      const superblock = await isCleanExt4(image, nowWallMs)
      const { stdout, status } = spawnSync('e2fsck', ['-p', image], { encoding: 'utf8' })
      return { program: status === 0 && stdout.includes(': clean,'), superblock }
    }

    const change =
      (program: string, ...words: readonly string[]) =>
      (image: string): void =>
        void execFileSync(program, [...words, image], { stdio: 'pipe' })
    const debugfs = (command: string) => change('debugfs', '-w', '-R', command)

    it.each([
      ['was just made', () => undefined],
      ['may be mounted more often', change('tune2fs', '-C', '3', '-c', '20')],
      ['is not due for a check', change('tune2fs', '-i', '30d')],
    ] as const)('so is one that %s', async (_, given) => {
      expect(await ask(given)).toEqual({ program: true, superblock: true })
    })

    it.each([
      ['was not unmounted', debugfs('ssv state 0')],
      ['has had an error', debugfs('ssv state 3')],
      ['was mounted often enough', change('tune2fs', '-C', '20', '-c', '20')],
      ['was not checked for too long', change('tune2fs', '-i', '1d', '-T', '20200101')],
    ] as const)('one is not that %s', async (_, given) => {
      expect(await ask(given)).toEqual({ program: false, superblock: false })
    })

    it.each([
      ['has a journal to be replayed', debugfs('feature needs_recovery')],
      ['has files to be released', debugfs('feature orphan_present')],
      ['counts errors', debugfs('ssv error_count 2')],
      ['was checked in the future', change('tune2fs', '-i', '1d', '-T', '20990101')],
      ['is none', (image: string) => writeFileSync(image, Buffer.alloc(16 * 1024))],
      ['is cut off', (image: string) => truncateSync(image, 1500)],
    ] as const)('of one that %s nothing is certain', async (_, given) => {
      expect((await ask(given)).superblock).toBe(false)
    })

    it('by the clock that is given', async () => {
      const given = change('tune2fs', '-i', '1d')
      expect((await ask(given, Date.now() + 2 * DAY_MS)).superblock).toBe(false)
    })
  },
)
