// @ts-check
/** Holds the esbuild options that the build and `run-ts.mjs` share. */

/** Packages that are imported as they are installed: they find their native code, or their files, by their own place in node_modules. */
const external = ['fs-native-extensions', 'etcd3', 'esbuild', 'vitest']

/**
 * CommonJS packages (winston, fastify, yargs) call `require` for node's own modules, which a bundle in ESM form does not have.
 * The names are unlikely ones, because a banner shares its scope with the bundled code.
 */
const banner = {
  js: [
    "import { createRequire as havenCreateRequire } from 'node:module'",
    'const require = havenCreateRequire(import.meta.url)',
  ].join('\n'),
}

/**
 * Leaves out the messages of zod in forty languages, which Haven does not speak: they take 3 MB of a daemon's memory.
 * @type {import('esbuild').Plugin}
 */
const speakEnglishOnly = {
  name: 'speak-english-only',
  setup: (bundler) => {
    bundler.onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, importer }) =>
      importer.includes('/node_modules/zod/') ? { path, namespace: 'no-languages' } : undefined,
    )
    bundler.onLoad({ filter: /.*/, namespace: 'no-languages' }, () => ({ contents: 'export {}' }))
  },
}

/** @type {import('esbuild').BuildOptions} */
export const bundleOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  outExtension: { '.js': '.mjs' },
  external,
  banner,
  plugins: [speakEnglishOnly],
  // Class names appear in error messages and in the log.
  keepNames: true,
  legalComments: 'none',
  // Comments go: Node.js keeps the text of a program in memory, and at two bytes for each character if a single one, in a comment of a package, is not Latin.
  minifyWhitespace: true,
  // Still lines that an editor, and a stack, can name.
  lineLimit: 160,
  logLevel: 'warning',
}
