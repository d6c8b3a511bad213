// @ts-check
/**
 * Bundles the programs of Haven into dist/. A bundle starts several times faster than hundreds of small modules, and what a
 * command imports lazily (`await import(...)`) becomes a chunk of its own that is read only when it is needed.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundleOptions } from './bundle-options.mjs'

const top = fileURLToPath(new URL('..', import.meta.url))

const programs = {
  cli: 'src/cli/main.ts',
  clustd: 'src/framework/daemon/main.ts',
  failfastd: 'src/framework/failfast/main.ts',
  'http-server': 'dataservices/http/server.ts',
}

/** @type {Record<string, string>} */
const entryPoints = {}
for (const [name, source] of Object.entries(programs)) {
  if (existsSync(`${top}/${source}`)) entryPoints[name] = `${top}/${source}`
  else console.log(`build: dist/${name}.mjs is left out, ${source} does not exist yet`)
}

await rm(`${top}/dist`, { recursive: true, force: true })
if (Object.keys(entryPoints).length > 0) {
  const startedAt = performance.now()
  await build({ ...bundleOptions, entryPoints, outdir: `${top}/dist`, splitting: true, sourcemap: 'external' })
  const names = Object.keys(entryPoints).map((name) => `dist/${name}.mjs`)
  console.log(`build: ${names.join(', ')} in ${Math.round(performance.now() - startedAt)} ms`)
}
