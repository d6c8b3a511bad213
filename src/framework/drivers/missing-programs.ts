import { describeError, HaError } from '../errors/ha-error.ts'
import { CommandError, type RunCommand } from './run-command.ts'

/** Far more than a look at some hundred files takes; one that takes longer hangs on a disk that does not answer. */
const LOOK_MS_MAX = 5_000
/** Paths of one look: at 4,096 bytes each below the system's limit for the words of one program. */
const PATHS_PER_LOOK = 400
/** A directory has the right to be searched, which is the same bit as to be executed: only files count. */
const SCRIPT = `for path do [ -f "$path" ] && [ -x "$path" ] || printf '%s\\0' "$path"; done; true`

/** Returns those of the programs that cannot be executed on this host, in their order. Throws `METHOD_FAILED` when nothing can be known, as when a disk hangs. */
export type LookForMissing = (programs: readonly string[], signal: AbortSignal) => Promise<readonly string[]>

/**
 * Makes the look at programs. It is the work of a shell, because a file on a disk that does not answer is waited for in the kernel: then the shell
 * hangs, and not all the work with files of a daemon that has to stamp.
 */
export function createLookForMissing(run: RunCommand): LookForMissing {
  return async (programs, signal) => {
    const missing: string[] = []
    for (let from = 0; from < programs.length; from += PATHS_PER_LOOK) {
      missing.push(...(await look(run, programs.slice(from, from + PATHS_PER_LOOK), signal)))
    }
    return missing
  }
}

async function look(run: RunCommand, programs: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  try {
    const options = { signal, timeoutMs: LOOK_MS_MAX }
    const { stdout } = await run(['/bin/sh', '-c', SCRIPT, 'sh', ...programs], options)
    return stdout.split('\0').slice(0, -1)
  } catch (cause) {
    if (!(cause instanceof CommandError) && !signal.aborted) throw cause
    throw new HaError('METHOD_FAILED', `programs could not be looked for: ${describeReason(cause)}`, {
      hint: 'Check that the disks of this host answer and that it can start processes.',
      cause,
    })
  }
}

/** Without the command line, which names all programs. */
function describeReason(cause: unknown): string {
  if (!(cause instanceof CommandError)) return describeError(cause)
  const { isMissing, stderr } = cause.facts
  return isMissing ? 'there is no /bin/sh' : stderr.trim() || `the look at them did not end within ${LOOK_MS_MAX} ms`
}
