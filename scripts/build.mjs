// @ts-check
/**
 * Bundles the programs of Haven into dist/. A bundle starts several times faster than hundreds of small modules, and what a
 * command imports lazily (`await import(...)`) becomes a chunk of its own that is read only when it is needed.
 * `node scripts/build.mjs [DIRECTORY]`: into another directory, which the end-to-end tests do so that nobody builds under their feet.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundleOptions } from './bundle-options.mjs'

const top = fileURLToPath(new URL('..', import.meta.url))
const outdir = process.argv[2] === undefined ? `${top}/dist` : resolve(process.argv[2])

const programs = {
  cli: 'src/cli/main.ts',
  clustd: 'src/framework/daemon/main.ts',
  failfastd: 'src/framework/failfast/main.ts',
  voterd: 'src/framework/voter/main.ts',
  'heartbeat-worker': 'src/framework/drivers/network/heartbeat-worker.ts',
  'http-server': 'dataservices/http/server.ts',
}

/** @type {Record<string, string>} */
const entryPoints = {}
for (const [name, source] of Object.entries(programs)) {
  if (existsSync(`${top}/${source}`)) entryPoints[name] = `${top}/${source}`
  else console.log(`build: ${name}.mjs is left out, ${source} does not exist yet`)
}

await rm(outdir, { recursive: true, force: true })
if (Object.keys(entryPoints).length > 0) {
  const startedAt = performance.now()
  await build({ ...bundleOptions, entryPoints, outdir, splitting: true, sourcemap: 'external' })
  const names = Object.keys(entryPoints).map((name) => `${name}.mjs`)
  console.log(`build: ${names.join(', ')} into ${outdir} in ${Math.round(performance.now() - startedAt)} ms`)
}
