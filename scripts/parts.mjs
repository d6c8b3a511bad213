// @ts-check
/** Runs the parts that a check is made of, and adds up what they say. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const top = fileURLToPath(new URL('..', import.meta.url))

/** Names of the skipped tests that are printed; more would hide the rest of the report. */
const skipsShownMax = 50

/**
 * What one part found.
 * @typedef {{ testResults?: { status: string, assertionResults: { status: string, fullName: string }[] }[] }} Report
 * @typedef {{ name: string, passed: number, failed: number, skipped: number, skips: string[], seconds: number }} Outcome
 */

/**
 * Runs a tool that either passes or fails; counts as one.
 * @param {string} name - as it is shown
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<Outcome>}
 */
export async function runTool(name, command, args) {
  heading(name)
  const startedAt = performance.now()
  const code = await run(command, args, {})
  const counts = code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  return { name, ...counts, skipped: 0, skips: [], seconds: secondsSince(startedAt) }
}

/**
 * Runs the tests of some vitest projects; counts every test.
 * @param {string} name - as it is shown
 * @param {string[]} projects
 * @param {Record<string, string>} [env] - on top of our own environment
 * @param {{ under?: readonly string[], files?: readonly string[] }} [how] - `under`: a program, with words, that runs vitest; `files`: parts of the names of the
 *   test files that are meant, default all
 * @returns {Promise<Outcome>}
 */
export async function runTests(name, projects, env = {}, { under = [], files = [] } = {}) {
  heading(name)
  const startedAt = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'haven-report-'))
  try {
    const report = join(folder, 'report.json')
    const [program = '', ...words] = [...under, bin('vitest')]
    const code = await run(
      program,
      [
        ...words,
        'run',
        ...files,
        ...projects.flatMap((project) => ['--project', project]),
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      env,
    )
    const counts = countTests(JSON.parse(await readFile(report, 'utf8').catch(() => '{}')))
    // A file that cannot be loaded, an error outside of any test or a crash of the runner: no test failed, and yet it is a failure.
    const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed
    return { name, ...counts, failed, seconds: secondsSince(startedAt) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Counts the tests in a report of vitest's json reporter. A file that failed without a failed test in it counts as one failure.
 * @param {Report} report
 * @returns {Pick<Outcome, 'passed' | 'failed' | 'skipped' | 'skips'>}
 */
export function countTests(report) {
  const counts = { passed: 0, failed: 0, skipped: 0, skips: /** @type {string[]} */ ([]) }
  for (const file of report.testResults ?? []) {
    const failedBefore = counts.failed
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed += 1
      else if (test.status === 'failed') counts.failed += 1
      else {
        counts.skipped += 1
        counts.skips.push(test.fullName)
      }
    }
    if (file.status === 'failed' && counts.failed === failedBefore) counts.failed += 1
  }
  return counts
}

/**
 * Prints what each part found, and as the last line the sum; sets the exit code. A skipped test is a failure where CI is set.
 * @param {Outcome[]} outcomes
 */
export function conclude(outcomes) {
  /** @param {'passed' | 'failed' | 'skipped'} field */
  const sum = (field) => outcomes.reduce((total, outcome) => total + outcome[field], 0)
  const skips = outcomes.flatMap((outcome) => outcome.skips)
  console.log('')
  for (const outcome of outcomes) {
    const { name, passed, failed, skipped, seconds } = outcome
    console.log(
      `${failed > 0 ? 'FAILED' : 'ok    '} ${name}: ${passed}/${passed + failed + skipped} in ${seconds.toFixed(1)} s`,
    )
  }
  if (skips.length > 0) {
    console.log(`\nSkipped, as this machine cannot run them${inCi() ? ' (in CI that is a failure)' : ''}:`)
    for (const skip of skips.slice(0, skipsShownMax)) console.log(`  ${skip}`)
    if (skips.length > skipsShownMax) console.log(`  and ${skips.length - skipsShownMax} more`)
  }
  if (sum('failed') > 0 || (inCi() && skips.length > 0)) process.exitCode = 1
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
}

/**
 * Runs a program with our standard output and no standard input.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} env - on top of our own environment
 * @returns {Promise<number>} its exit code; 1 if a signal ended it
 */
export function run(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: top,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

/**
 * Names the program of an installed development dependency.
 * @param {string} name
 */
export function bin(name) {
  return join(top, 'node_modules/.bin', name)
}

function inCi() {
  return !['', 'false', '0'].includes(process.env['CI'] ?? '')
}

/** @param {string} name */
function heading(name) {
  console.log(`\n=== ${name}`)
}

/** @param {number} startedAt */
function secondsSince(startedAt) {
  return (performance.now() - startedAt) / 1000
}
