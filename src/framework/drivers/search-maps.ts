import { execFile } from 'node:child_process'
import { HaError } from '../errors/ha-error.ts'

/** Far more than a look at some thousand processes takes; a look that takes longer is stuck on one of them. */
const SEARCH_MS_MAX = 5_000
/** A process that maps ten thousand files of a disk group has lines of a megabyte; more is not a machine that we understand. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
/** Below every system's limit for the arguments of one program, at about 20 bytes each. */
const PIDS_PER_SEARCH = 20_000

/**
 * Finds the lines of `/proc/<pid>/maps` that hold one of these texts, by pid.
 *
 * It is the work of a `grep`, because the kernel may wait for the memory lock of a process that hangs on a dead disk: then the grep hangs, and neither
 * this process nor one of the few threads that read files for it. It also reads in a third of the time. Rejects when it cannot look: nothing is known then.
 */
export async function searchMaps(
  pids: readonly number[],
  texts: readonly string[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const lines = new Map<number, string[]>()
  if (texts.length === 0) return lines
  const patterns = texts.flatMap((text) => ['-e', text])
  for (let from = 0; from < pids.length; from += PIDS_PER_SEARCH) {
    const files = pids.slice(from, from + PIDS_PER_SEARCH).map((pid) => `/proc/${pid}/maps`)
    for (const line of (await grep([...patterns, ...files])).split('\n')) {
      const [, pid, rest] = /^\/proc\/(\d+)\/maps:(.*)$/.exec(line) ?? []
      if (pid === undefined || rest === undefined) continue
      const known = lines.get(Number(pid))
      if (known === undefined) lines.set(Number(pid), [rest])
      else known.push(rest)
    }
  }
  return lines
}

function grep(words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      encoding: 'utf8' as const,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      timeout: SEARCH_MS_MAX,
      killSignal: 'SIGKILL' as const,
      maxBuffer: OUTPUT_BYTES_MAX,
    }
    const child = execFile('grep', ['-asFH', ...words], options, (error, stdout) => {
      // 1: nothing found; 2: some files could not be read, as those of other users or of processes that have ended meanwhile.
      if (error === null || error.code === 1 || error.code === 2) resolve(stdout)
      else reject(searchFailed(error))
    })
    // A grep that not even KILL ends must not keep a daemon that is leaving.
    child.unref()
  })
}

function searchFailed(cause: Error): HaError {
  return new HaError(
    'DISK_GROUP_BUSY',
    'the processes of this host could not be searched for those that hold a disk group',
    {
      hint: 'Check that grep is installed and that the machine can start processes, then try again.',
      cause,
    },
  )
}
