import { execFile } from 'node:child_process'
import { HaError } from '../framework/errors/ha-error.ts'
import { listPids } from './proc.ts'
import { TAG_VARIABLE } from './scope-names.ts'

/** The tags of this host by pid. */
export type Tags = ReadonlyMap<number, string>

/** Far more than a look at some thousand processes takes; a look that takes longer is stuck on one of them. */
const LOOK_MS_MAX = 5000
/** 200 bytes for each of 100,000 tagged processes; more is not a machine that we understand. */
const LOOK_BYTES_MAX = 20_000_000
/** Below every system's limit for the arguments of one program, at about 30 bytes each. */
const PIDS_PER_GREP = 20_000

const SEARCH_PATH = '/usr/bin:/bin'

/**
 * Makes a look for all processes that carry a tag of this host (`hostKey`). Looks that are asked for while one runs share the one after it: what was
 * there before the question is seen, and twenty logical hosts that leave together cost two looks.
 *
 * The look is the work of a `grep`, because reading `/proc/<pid>/environ` waits for the memory lock of that process, possibly for as long as a
 * dead disk does not answer: then the grep hangs, not the daemon. Throws `METHOD_FAILED` when the look fails: nothing is known then.
 */
export function createTagLook(hostKey: string): () => Promise<Tags> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<Tags> | undefined
  return () => {
    if (next === undefined) {
      next = running.then(() => {
        next = undefined
        return lookForTags(hostKey)
      })
      running = next.then(ignore, ignore)
    }
    return next
  }
}

async function lookForTags(hostKey: string): Promise<Tags> {
  const files = listPids().map((pid) => `/proc/${pid}/environ`)
  const tags = new Map<number, string>()
  for (let from = 0; from < files.length; from += PIDS_PER_GREP) {
    const found = await grep(`^${TAG_VARIABLE}=${escapePattern(hostKey)}/`, files.slice(from, from + PIDS_PER_GREP))
    for (const [pid, tag] of parseFound(found)) tags.set(pid, tag)
  }
  return tags
}

/** Returns `file:line` for each line (ended by NUL, as in an environment) that begins with the pattern. */
function grep(pattern: string, files: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      encoding: 'latin1' as const,
      env: { PATH: SEARCH_PATH, LC_ALL: 'C' },
      timeout: LOOK_MS_MAX,
      killSignal: 'SIGKILL' as const,
      maxBuffer: LOOK_BYTES_MAX,
    }
    const grep = execFile('grep', ['-zsaH', '-e', pattern, ...files], options, (error, stdout) => {
      // 1: nothing found; 2: some files could not be read, as those of other users or of processes that have ended meanwhile.
      if (error === null || error.code === 1 || error.code === 2) resolve(stdout)
      else reject(lookFailed(error))
    })
    // A grep that not even KILL ends must not keep a daemon that is leaving.
    grep.unref()
  })
}

function parseFound(found: string): readonly (readonly [number, string])[] {
  return found.split('\0').flatMap((entry) => {
    const [, pid, tag] = /^\/proc\/(\d+)\/environ:[^=]*=(.*)$/s.exec(entry) ?? []
    return pid === undefined || tag === undefined ? [] : [[Number(pid), tag] as const]
  })
}

function lookFailed(cause: Error): HaError {
  return new HaError('METHOD_FAILED', 'the processes of this host could not be searched for those of a method', {
    hint: 'Check that grep is installed and that the machine can start processes, then try again.',
    cause,
  })
}

function escapePattern(text: string): string {
  return text.replace(/[.[\]*^$\\]/g, '\\$&')
}

function ignore(): void {}
