import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { PATH } from './run-program.ts'

const programs = [
  'etcd',
  'gcc',
  'ip',
  'losetup',
  'mkfs.ext4',
  'mkfs.xfs',
  'nft',
  'nsenter',
  'perl',
  'pgrep',
  'ping',
  'psql',
  'setpriv',
  'unshare',
  'xfs_io',
]

/** What this machine lacks for the end-to-end tests; undefined = nothing. */
export const missing: string | undefined = whatIsMissing()

function whatIsMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'they need root'
  const absent = programs.filter(
    (program) => !PATH.split(':').some((directory) => existsSync(`${directory}/${program}`)),
  )
  if (postgresBin() === undefined) absent.push('initdb')
  if (absent.length > 0) return `there is no ${absent.join(', ')}; test/e2e/packages.txt names the packages`
  const isAllowed = (...words: readonly string[]): boolean =>
    spawnSync(words[0] ?? '', words.slice(1), { env: { PATH } }).status === 0
  if (!isAllowed('unshare', '--net', '--mount', '--pid', '--fork', 'true')) return 'nobody may make namespaces here'
  return isAllowed('losetup', '--find') ? undefined : 'there are no loop devices here'
}

/** Directory of PostgreSQL's own programs: of the newest version that Debian has installed here. */
export function postgresBin(): string | undefined {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base).map(Number).filter(Number.isInteger) : []
  const newest = Math.max(...versions)
  return existsSync(`${base}/${newest}/bin/initdb`) ? `${base}/${newest}/bin` : undefined
}
