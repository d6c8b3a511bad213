// @ts-check
/** The parts that need no rights, no packages and no more than a minute. `npm run check` is these; `npm test` begins with them. */
import { bin, runTests, runTool } from './parts.mjs'

/**
 * @param {string} seeds - how many seeds the simulation runs; SIMULATION_SEEDS in the environment overrides it
 * @param {boolean} isWhole - whether the slow tests (`*.slow.test.ts`) run too
 * @returns {Promise<import('./parts.mjs').Outcome[]>}
 */
export async function runQuickParts(seeds, isWhole) {
  const tools = [await runTool('build', process.execPath, ['scripts/build.mjs'])]
  // Each of them uses one core.
  tools.push(
    ...(await Promise.all([
      runTool('types', bin('tsc'), ['-p', '.']),
      runTool('imports', process.execPath, ['scripts/imports.mjs']),
      runTool('lint', bin('biome'), ['check', '--error-on-warnings', '.']),
    ])),
  )
  return [
    ...tools,
    await runTests('tests', ['tidy', 'unit', 'scenarios', 'contract', 'cli', 'api', 'simulation'], {
      SIMULATION_SEEDS: process.env['SIMULATION_SEEDS'] ?? seeds,
      HAVEN_TEST_WHOLE: isWhole ? '1' : '0',
    }),
  ]
}
