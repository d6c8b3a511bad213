import { defineConfig } from 'vitest/config'

const isWhole = process.env['HAVEN_TEST_WHOLE'] === '1'

/** Makes the project of one test folder. No project retries a test, and none passes twice what it did not pass at first. */
const folder = (name: string, extra: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // What takes more than a few seconds belongs to `npm test`, not to the check before every commit.
    exclude: isWhole ? [] : ['**/*.slow.test.ts'],
    environment: 'node' as const,
    retry: 0,
    testTimeout: 10_000,
    hookTimeout: 20_000,
    ...extra,
  },
})

/** The files of one worker share what they import, which takes longer than most of their tests. Nothing in them may outlive its file. */
const QUICK = { isolate: false }

export default defineConfig({
  test: {
    passWithNoTests: true,
    // What is transformed once is kept in node_modules: the next check is a fifth shorter.
    experimental: { fsModuleCache: true },
    // Most of the longer tests wait for processes and clocks, not for a core.
    maxWorkers: 3,
    allowOnly: false,
    projects: [
      folder('unit', QUICK),
      folder('scenarios', QUICK),
      folder('contract', { testTimeout: 60_000 }),
      folder('simulation', { testTimeout: 600_000 }),
      folder('cli', { testTimeout: 30_000, ...QUICK }),
      folder('api', QUICK),
      // The end-to-end tests share the machine's network, loop devices and namespaces: one file after the other.
      folder('e2e', {
        testTimeout: 180_000,
        hookTimeout: 300_000,
        fileParallelism: false,
        globalSetup: ['test/e2e/lab/installation.ts'],
      }),
      folder('tidy', { include: ['test/tidy.test.ts', 'test/tidy/**/*.test.ts', 'test/eventually.test.ts'] }),
    ],
  },
})
