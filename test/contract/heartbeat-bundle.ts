import { join } from 'node:path'
import { build } from 'esbuild'

/** Bundles the thread of the heartbeats into a directory, as the build does for dist/. Returns its path. */
export async function bundleHeartbeats(directory: string): Promise<string> {
  const outfile = join(directory, 'heartbeat-worker.mjs')
  await build({
    entryPoints: [`${import.meta.dirname}/../../src/framework/drivers/network/heartbeat-worker.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
  })
  return outfile
}
