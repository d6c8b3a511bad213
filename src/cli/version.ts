import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Reads which version of Haven is installed there. */
export async function versionOf(installation: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(installation, 'package.json'), 'utf8')) as {
    readonly version?: unknown
  }
  return String(manifest.version)
}
