// @ts-check
/**
 * Runs one TypeScript file: `node scripts/run-ts.mjs FILE [ARGUMENT...]`. It is bundled into node_modules/.cache first, as Node.js 20
 * does not read TypeScript. `import.meta.url` and `import.meta.dirname` of a bundled module are those of its source.
 */
import { rmSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { bundleOptions } from './bundle-options.mjs'

const top = fileURLToPath(new URL('..', import.meta.url))

/**
 * Puts the place of each source into it, since all of them end up in one file elsewhere.
 * @type {import('esbuild').Plugin}
 */
const placeOfSource = {
  name: 'place-of-source',
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const contents = text
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.filename', JSON.stringify(path))
      return { contents, loader: 'ts' }
    })
  },
}

const file = process.argv[2]
if (file === undefined) {
  console.error('run-ts: name the TypeScript file to run')
  process.exit(2)
}

const cache = `${top}/node_modules/.cache/haven`
// The pid keeps two runs of one file apart.
const bundle = `${cache}/${basename(file, '.ts')}.${process.pid}.mjs`
await mkdir(cache, { recursive: true })
await build({
  ...bundleOptions,
  entryPoints: [resolve(file)],
  outfile: bundle,
  packages: 'external',
  sourcemap: 'inline',
  plugins: [...(bundleOptions.plugins ?? []), placeOfSource],
})
process.setSourceMapsEnabled(true)
process.argv.splice(1, 2, resolve(file))
process.on('exit', () => rmSync(bundle, { force: true }))
await import(pathToFileURL(bundle).href)
