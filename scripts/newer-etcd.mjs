// @ts-check
/** Runs what Haven asks of etcd once more on a newer etcd than that of Debian 12: of its answers, other words have changed than those its notes tell of. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, runTests } from './parts.mjs'

const name = 'newer etcd'
/** Its etcd is 3.5, and runs on Debian 12 as well. */
const release = 'trixie'
const mirror = 'http://deb.debian.org/debian'
/** Where Debian's package has its program, and the tests look for it. */
const place = '/usr/bin/etcd'
/** The contract of the cluster database, and all that is done with voters. */
const files = ['cluster-database-etcd.test', 'voter/voter']
/** In a mount namespace of its own: nobody else sees the other program. $0 = that program */
const instead = `mount --bind "$0" ${place} && exec "$@"`

/**
 * Fetches it without installing it, and runs the tests; where that cannot be done, they count as one that is skipped.
 * @returns {Promise<import('./parts.mjs').Outcome>}
 */
export async function runWithNewerEtcd() {
  const directory = mkdtempSync(join(tmpdir(), 'haven-newer-etcd-'))
  try {
    const why = await fetchInto(directory)
    if (why !== undefined) return { name, passed: 0, failed: 0, skipped: 1, skips: [`${name}: ${why}`], seconds: 0 }
    const under = ['unshare', '--mount', 'sh', '-c', instead, join(directory, place)]
    return await runTests(name, ['contract', 'unit'], { HAVEN_TEST_WHOLE: '1' }, { under, files })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/**
 * Says why it cannot be had; undefined = it is there.
 * @param {string} directory
 */
async function fetchInto(directory) {
  if (process.getuid?.() !== 0) return 'only root can put it in the place of the other one'
  if (spawnSync('test', ['-x', place]).status !== 0) return `there is no ${place} that it could stand in for`
  const lists = join(directory, 'lists')
  const sources = join(directory, 'sources.list')
  mkdirSync(join(lists, 'partial'), { recursive: true })
  writeFileSync(sources, `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${release} main\n`)
  // Of apt, nothing but its own files here is used or changed.
  const own = [`Dir::Etc::SourceList=${sources}`, 'Dir::Etc::SourceParts=/dev/null', `Dir::State::Lists=${lists}`]
  const rest = ['Dir::Cache::pkgcache=', 'Dir::Cache::srcpkgcache=', 'APT::Sandbox::User=root']
  const options = ['-q', ...[...own, ...rest].flatMap((option) => ['-o', option])]
  const fetched = [
    'set -e; cd "$0"; apt-get "$@" update; apt-get "$@" download etcd-server; dpkg -x etcd-server_*.deb .',
  ]
  const code = await run('sh', ['-c', ...fetched, directory, ...options], {})
  return code === 0 ? undefined : `etcd-server of Debian ${release} cannot be fetched`
}
