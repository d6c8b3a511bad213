import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'

/** Enough for a takeover, what led to it and what followed. */
const LINES_MAX = 40

/** Tells what the daemons of all hosts have logged lately, in the order of time: for a test that failed. */
export function storyOf(lab: Lab): string {
  const lines = [...lab.hosts.values()].flatMap(({ name, root }) => [
    ...linesOf(join(root, 'var/log/haven/clustd.log')).map((line) => readClustd(name, line)),
    ...linesOf(join(root, 'var/log/haven/failfastd.log')).map((line) => line.replace(/^\S+/, `$& ${name}`)),
    ...linesOf(join(root, 'var/log/haven/clustd.out')).map((line) => `~ ${name} clustd.out: ${line}`),
  ])
  return lines.toSorted().join('\n')
}

function linesOf(path: string): readonly string[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .slice(-LINES_MAX)
}

function readClustd(host: string, line: string): string {
  const { at, level, reconfiguration, message, facts } = JSON.parse(line) as Readonly<Record<string, unknown>>
  const number = reconfiguration === undefined ? '' : ` (${String(reconfiguration)})`
  return `${String(at)} ${host} clustd ${String(level)}${number} ${String(message)} ${facts === undefined ? '' : JSON.stringify(facts)}`
}
