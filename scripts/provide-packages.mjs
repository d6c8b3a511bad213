// @ts-check
/** Installs the Debian packages that the end-to-end tests need and that are not there, as far as this machine and user allow. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, top } from './parts.mjs'

/**
 * Lists the packages of test/e2e/packages.txt: one per line, `#` begins a comment.
 * @param {string} text
 */
export function readPackages(text) {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
}

/** Never fails: a test whose package is missing skips itself, visibly. */
export async function provideEndToEndPackages() {
  const wanted = readPackages(readFileSync(join(top, 'test/e2e/packages.txt'), 'utf8'))
  const missing = wanted.filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  const names = missing.join(' ')
  if (process.getuid?.() !== 0 || !hasProgram('apt-get')) {
    console.log(`\nThe end-to-end tests would need these Debian packages, which only root can install: ${names}`)
    return
  }
  console.log(
    `\nAs root: installing the Debian packages that the end-to-end tests need (test/e2e/packages.txt): ${names}`,
  )
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  /** @param {string[]} args */
  const aptGet = (...args) => run('apt-get', ['-q', '-y', '-o', 'Dpkg::Use-Pty=0', ...args], env)
  const install = () => aptGet('install', '--no-install-recommends', ...missing)
  // The package lists may be missing or old; fetching them costs time, so only if it fails without.
  if ((await install()) === 0) return
  if ((await aptGet('update')) === 0 && (await install()) === 0) return
  console.log(`The packages could not be installed; the tests that need them are skipped: ${names}`)
}

/** @param {string} name */
function isInstalled(name) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is dpkg-query's
  const asked = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' })
  return asked.status === 0 && asked.stdout.endsWith(' installed')
}

/** @param {string} name */
function hasProgram(name) {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
}
