/** Writes the man pages, docs/errors.md and the shell completion from the definitions in the code: `npm run docs`. A test fails when they are out of date. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeDocuments } from '../src/cli/generate/documents.ts'
import { versionOf } from '../src/cli/version.ts'

const top = join(import.meta.dirname, '..')

for (const { path, text } of await makeDocuments(await versionOf(top))) {
  await mkdir(dirname(join(top, path)), { recursive: true })
  await writeFile(join(top, path), text)
  console.log(`docs: ${path}`)
}
