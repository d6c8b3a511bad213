// @ts-check
/** The parts that need no rights, no packages and no more than a minute. `npm run check` is these; `npm test` begins with them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bin, runTests, runTool, top } from './parts.mjs'

/**
 * @param {string} seeds - how many seeds the simulation runs; SIMULATION_SEEDS in the environment overrides it
 * @returns {Promise<import('./parts.mjs').Outcome[]>}
 */
export async function runQuickParts(seeds) {
  const production = ['src', 'dataservices', 'test', 'bench'].filter((folder) => existsSync(join(top, folder)))
  return [
    await runTool('build', process.execPath, ['scripts/build.mjs']),
    await runTool('lint', bin('biome'), ['check', '--error-on-warnings', '.']),
    await runTool('types', bin('tsc'), ['-p', '.']),
    await runTool('imports', bin('depcruise'), ['--config', '.dependency-cruiser.mjs', ...production]),
    await runTests('tests', ['tidy', 'unit', 'scenarios', 'contract', 'cli', 'api', 'simulation'], {
      SIMULATION_SEEDS: process.env['SIMULATION_SEEDS'] ?? seeds,
    }),
  ]
}
