import { createRequire } from 'node:module'
import { build } from 'esbuild'

/** Bundles `writer-process.ts` into a file that Node.js 20 can run. */
export async function bundleWriter(outfile: string): Promise<void> {
  const addon = createRequire(import.meta.url).resolve('fs-native-extensions')
  await build({
    entryPoints: [`${import.meta.dirname}/writer-process.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    plugins: [
      {
        name: 'native-addon',
        // By its full path: the bundle is outside of the project.
        setup: (builder) =>
          builder.onResolve({ filter: /^fs-native-extensions$/ }, () => ({ path: addon, external: true })),
      },
    ],
  })
}
