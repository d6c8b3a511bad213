import type { Effects } from '../../ports/effects.ts'
import { checkpointGeneration, writeCheckpoint } from './checkpoint.ts'
import type { LogFollower } from './follower.ts'
import { encodeHeader } from './frame.ts'
import type { KernelLock } from './kernel-lock.ts'
import {
  checkpointPath,
  logPath,
  type Place,
  parseName,
  syncDirectory,
  syncDirectoryAside,
  unfinishedPath,
} from './place.ts'

export interface ReplaceLogContext {
  readonly place: Place
  readonly lock: KernelLock
  readonly follower: LogFollower
  readonly effects: Effects
}

/**
 * Replaces a log that has grown long by the next one, and all that was before by a checkpoint.
 *
 * 1. The next log is made, then the present one gets a seal as its last record. That is the switch: readers in other processes come to the seal after they have
 *    read every commit, and go on in the next log. Both under the lock; it costs one fsync of the directory there.
 * 2. Without the lock, the state at the seal is written as a checkpoint and synced, together with the sealed log: whoever starts from the checkpoint alone may call
 *    things durable that follow it.
 * 3. Under the lock it takes the place of the old checkpoint, unless somebody put a newer one there meanwhile. The directory is synced, and only then what it replaces is removed.
 *
 * Killed anywhere, it leaves a checkpoint and an unbroken chain of logs. Throws what the files throw; the switch may then have happened or not.
 */
export async function replaceLog({ place, lock, follower, effects }: ReplaceLogContext): Promise<void> {
  const { files } = place
  const old = follower.log
  const generation = old.generation + 1
  const tag = Math.floor(effects.random() * 2 ** 40).toString(36)
  await old.sync() // Before the lock is taken, so that less is left for the sync after it.
  const unfinishedLog = unfinishedPath(`${place.directory}/log`, generation, tag)
  const unfinished = unfinishedPath(checkpointPath(place), generation, tag)
  try {
    await createLog(place, unfinishedLog, generation)
    const sealed = await lock.run(() => {
      follower.catchUp()
      if (follower.log !== old) return undefined // Another process was first.
      files.rename('log:switch', unfinishedLog, logPath(place, generation))
      syncDirectory(place, 'log:switch')
      follower.seal()
      return { snapshot: follower.snapshot(), synced: follower.log.sync() }
    })
    if (sealed === undefined) return
    await sealed.synced
    await writeCheckpoint(place, { path: unfinished, generation, snapshot: sealed.snapshot, effects })
    const isNewest = await lock.run(() => {
      if (checkpointGeneration(place) >= generation) return false
      files.rename('checkpoint:switch', unfinished, checkpointPath(place))
      return true
    })
    if (!isNewest) return
    await syncDirectoryAside(place, 'checkpoint:settle')
    removeReplaced(place, generation)
  } finally {
    for (const path of [unfinishedLog, unfinished]) files.remove('store:tidy', path)
  }
}

/** Makes an empty log under a name of its own. */
export async function createLog({ files }: Place, path: string, generation: number): Promise<void> {
  const file = files.open('log:create', path, 'create-new')
  try {
    files.write('log:create', file, encodeHeader('log', generation), 0)
    await files.sync('log:create', file)
  } finally {
    files.close('log:close', file)
  }
}

/** Removes the logs before `generation`, and what dead processes left unfinished up to it. A living one whose file goes finds that it is not needed. */
function removeReplaced({ files, directory }: Place, generation: number): void {
  for (const name of files.list('store:list', directory)) {
    const named = parseName(name)
    const isOver =
      named?.kind === 'log' ? named.generation < generation : named !== undefined && named.generation <= generation
    if (isOver) files.remove('store:tidy', `${directory}/${name}`)
  }
}
