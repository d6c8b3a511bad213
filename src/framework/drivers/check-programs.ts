import { HaError } from '../errors/ha-error.ts'
import { CommandError, type RunCommand } from './run-command.ts'

/** Far more than it takes to read some hundred scripts; what takes longer hangs on a disk that does not answer. */
const CHECK_MS_MAX = 10_000
/** Paths of one check: at 4,096 bytes each below the system's limit for the words of one program. */
const PATHS_PER_CHECK = 400
/** Bytes of a program that is compared, at most: a method is a script, and this is a large program. */
const PROGRAM_BYTES_MAX = 64 * 1024 * 1024

const SCRIPT = `for path do
  executable=0 sum=
  if [ -f "$path" ]; then
    if [ -x "$path" ]; then executable=1; fi
    size=$(stat -Lc %s -- "$path" 2>/dev/null) || size=
    if [ -n "$size" ] && [ "$size" -le ${PROGRAM_BYTES_MAX} ]; then sum=$(sha256sum 2>/dev/null <"$path") || sum=; fi
  fi
  printf '%s %s\\n' "$executable" "\${sum%% *}"
done`

/** A program as it is on this host. */
export interface CheckedProgram {
  readonly path: string
  readonly isExecutable: boolean
  /** SHA-256, hexadecimal; null = not there, not readable, or larger than what is compared. */
  readonly sha256: string | null
}

/** Looks at programs, in their order. Throws `METHOD_FAILED` when nothing can be known, as when a disk hangs. */
export type CheckPrograms = (programs: readonly string[], signal: AbortSignal) => Promise<readonly CheckedProgram[]>

/** Makes the look at what programs are. It is the work of a shell for the reason that `missing-programs.ts` has: a disk may not answer. */
export function createCheckPrograms(run: RunCommand): CheckPrograms {
  return async (programs, signal) => {
    const checked: CheckedProgram[] = []
    for (let from = 0; from < programs.length; from += PATHS_PER_CHECK) {
      checked.push(...(await check(run, programs.slice(from, from + PATHS_PER_CHECK), signal)))
    }
    return checked
  }
}

async function check(
  run: RunCommand,
  programs: readonly string[],
  signal: AbortSignal,
): Promise<readonly CheckedProgram[]> {
  try {
    const { stdout } = await run(['/bin/sh', '-c', SCRIPT, 'sh', ...programs], { signal, timeoutMs: CHECK_MS_MAX })
    const lines = stdout.split('\n')
    return programs.map((path, index) => {
      const [executable, sum = ''] = (lines[index] ?? '').split(' ')
      return { path, isExecutable: executable === '1', sha256: /^[0-9a-f]{64}$/.test(sum) ? sum : null }
    })
  } catch (cause) {
    if (!(cause instanceof CommandError) && !signal.aborted) throw cause
    throw new HaError('METHOD_FAILED', 'the programs of the methods could not be looked at', {
      hint: 'Check that the disks of this host answer and that it can start processes.',
      cause,
    })
  }
}
