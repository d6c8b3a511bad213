import { dirname } from 'node:path'
import { DatabaseState } from '../state.ts'
import { checkpointGeneration, encodeCheckpoint } from './checkpoint.ts'
import { corruptError, systemCode } from './file-errors.ts'
import { encodeHeader, findFrames, HEADER_BYTES } from './frame.ts'
import {
  checkpointPath,
  logGenerations,
  logPath,
  type Place,
  readWhole,
  syncDirectory,
  unfinishedPath,
} from './place.ts'

const FIRST_GENERATION = 1

/** Tells whether there is a database. Throws `DATABASE_CORRUPT` and `DATABASE_NEWER`. */
export function databaseExists(place: Place): boolean {
  try {
    checkpointGeneration(place)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Finds a log that holds commits although there is no checkpoint: then the checkpoint was lost, and a new database would bury the rest. */
export function refuseOrphans(place: Place): void {
  for (const generation of logGenerations(place)) {
    const path = logPath(place, generation)
    if (findFrames(readWhole(place, 'create:look', path), HEADER_BYTES).next().done === true) continue
    throw corruptError({
      path: checkpointPath(place),
      offset: 0,
      what: `it is missing, although ${path} holds commits`,
    })
  }
}

/** Makes an empty database, under the lock, and leaves the last sync of the directory to whoever opens it, in a directory that is there; nothing if somebody else just did. */
export function createDatabase(place: Place): void {
  if (databaseExists(place)) return
  refuseOrphans(place)
  const state = new DatabaseState()
  writeFile(place, `${place.directory}/log`, logPath(place, FIRST_GENERATION), [encodeHeader('log', FIRST_GENERATION)])
  // The checkpoint makes it a database, so all else comes first, durably: without a checkpoint it is the remains of a creation, without its log it would be damaged.
  syncDirectory(place, 'create:sync-directory')
  syncDirectory({ ...place, directory: dirname(place.directory) }, 'create:sync-parent')
  writeFile(place, checkpointPath(place), checkpointPath(place), encodeCheckpoint(FIRST_GENERATION, state.snapshot()))
}

function writeFile(place: Place, stem: string, to: string, pieces: Iterable<Buffer>): void {
  const { files } = place
  const path = unfinishedPath(stem, FIRST_GENERATION, 'create')
  files.remove('create:tidy', path) // Of a creator that was killed: this one has the lock.
  const file = files.open('create:open', path, 'create-new')
  try {
    files.write('create:write', file, Buffer.concat([...pieces]), 0)
    files.syncNow('create:sync', file)
  } finally {
    files.close('create:close', file)
  }
  files.rename('create:rename', path, to)
}
