import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HaError } from '../errors/ha-error.ts'
import type { VoterFile } from './voter-file.ts'
import { voterPaths } from './voter-paths.ts'

/**
 * Makes sure that etcd starts on the data of this very life of the voter, or on none if it never started. Data of a former life are put aside, the ones
 * before them removed. Returns what was done, a sentence; empty = nothing.
 * Throws `DATABASE_ABSENT`: it was a voter and its data are gone. Starting empty it would forget what it has voted for; alone, it would be a new and empty database.
 */
export function prepareData(root: string, voter: VoterFile): string {
  const { data, dataOwner } = voterPaths(root)
  const hasData = existsSync(join(data, 'member'))
  const isOwn = readOwner(dataOwner) === voter.id
  if (voter.hasStarted) {
    if (isOwn && hasData) return ''
    throw goneError(data, voter)
  }
  if (isOwn) return ''
  if (hasData) {
    rmSync(`${data}.former`, { recursive: true, force: true })
    renameSync(data, `${data}.former`)
  }
  mkdirSync(dirname(dataOwner), { recursive: true })
  writeFileSync(`${dataOwner}.new`, `${voter.id}\n`, { flush: true })
  renameSync(`${dataOwner}.new`, dataOwner)
  return hasData ? `put the data of a former voter aside: ${data}.former` : ''
}

function readOwner(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function goneError(data: string, { name, others }: VoterFile): HaError {
  return new HaError('DATABASE_ABSENT', `the data of the voter ${name} are gone from ${data}`, {
    hint:
      others.length === 0
        ? 'It was the only voter. Mount its disk again; or bring a backup back with: scadmin setup, then scadmin database restore FILE'
        : `Mount its disk again. If they are lost: on another host, scadmin voters remove ${name}; then let this machine join anew.`,
  })
}
