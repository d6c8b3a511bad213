import { mkdirSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Effects } from '../framework/ports/effects.ts'
import { isAlive, type ProcessFacts, readProcess, signalProcess } from './proc.ts'
import { endProcessGroup } from './process-group.ts'
import type { Tags } from './tagged-processes.ts'

// A daemon that is killed leaves methods and commands of drivers behind that are still at work. A later daemon would call the same methods beside them,
// and an old START could finish long after the logical host has moved on. So each method writes its pid into a file before it becomes the method, and a
// daemon that starts ends whatever such a file names. What a method left behind on purpose has another process group, and runs on.

/** What is not gone this long after KILL hangs in the kernel. */
const GONE_WITHIN_MS = 1000
const LOOK_EVERY_MS = 5

/** Runs of this process so far, so that each has a file of its own. */
let count = 0

/** Names the file into which the next method of this host writes its pid, and makes the directory of such files; empty when it cannot be made. */
export function nameRunFile(root: string): string {
  const directory = directoryOf(root)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    count += 1
    return join(directory, `${process.pid}.${count}`)
  } catch {
    // The method is worth more than the chance to find it after a crash; a host that cannot write there does not start at all.
    return ''
  }
}

/** What is to be known for ending strays. */
export interface StrayPlace {
  readonly root: string
  readonly hostKey: string
  lookForTags(): Promise<Tags>
  readonly effects: Effects
}

/**
 * Ends the methods and the commands of drivers that a clustd which is dead had under way on this host; to be called before a new one acts. Nothing there:
 * done at once. Throws `METHOD_FAILED` when the processes cannot be looked at.
 */
export async function endStrays(place: StrayPlace): Promise<void> {
  const tags = await place.lookForTags()
  await Promise.all([endRuns(place, tags), endCommands(place, tags)])
}

/** Ends the process groups of methods whose files are there; a file whose pid is somebody else's by now only goes. */
async function endRuns({ root, hostKey, effects }: StrayPlace, tags: Tags): Promise<void> {
  const directory = directoryOf(root)
  const files = await readdir(directory).catch((): string[] => [])
  await Promise.all(
    files.map(async (file) => {
      const path = join(directory, file)
      const pid = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10)
      const process = Number.isNaN(pid) ? undefined : readProcess(pid)
      const isOurs = process?.group === pid && tags.get(pid)?.startsWith(`${hostKey}/`) === true
      if (isOurs) await endProcessGroup(pid, { graceMs: 0, effects })
      await rm(path, { force: true })
    }),
  )
}

/** Ends the commands of drivers: no logical host is called `-`, by which their tag is told from that of a method. */
async function endCommands({ hostKey, effects }: StrayPlace, tags: Tags): Promise<void> {
  const commands = [...tags].flatMap(([pid, tag]): readonly ProcessFacts[] => {
    const process = tag.startsWith(`${hostKey}/-/`) ? readProcess(pid) : undefined
    return process === undefined ? [] : [process]
  })
  for (const command of commands) signalProcess(command, 'SIGKILL')
  const untilMs = effects.nowMonotonicMs() + GONE_WITHIN_MS
  while (commands.some(isAlive) && effects.nowMonotonicMs() < untilMs) await effects.sleep(LOOK_EVERY_MS)
}

function directoryOf(root: string): string {
  return join(root, 'run/haven/method-runs')
}
