import { execFile } from 'node:child_process'

/** Words of a program to run; at least its name. */
export type Words = readonly [string, ...string[]]

/** How a program ended. */
export interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** No single program of these tests should take this long on a slow machine; one that does hangs. */
const TIMEOUT_MS = 60_000
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
/** A user's path may lack the directories of the system's own programs. */
export const PATH = `/usr/sbin:/sbin:${process.env['PATH']}`

/** Runs a program to its end, whatever its exit code. Rejects when it cannot be started, is killed or hangs. */
export function tryProgram(words: Words, input = ''): Promise<Ended> {
  const [program, ...rest] = words
  return new Promise((resolve, reject) => {
    const options = {
      env: { ...process.env, PATH, LC_ALL: 'C' },
      maxBuffer: OUTPUT_BYTES_MAX,
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    } as const
    const child = execFile(program, rest, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code
      if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr })
      else reject(new Error(`${words.join(' ')}: ${error?.message}\n${stdout}${stderr}`, { cause: error }))
    })
    child.stdin?.on('error', () => undefined) // It ended without reading.
    child.stdin?.end(input)
  })
}

/** Runs a program that must succeed, and returns what it printed. */
export async function runProgram(words: Words, input = ''): Promise<string> {
  const { exitCode, stdout, stderr } = await tryProgram(words, input)
  if (exitCode !== 0) throw new Error(`exit code ${exitCode} of: ${words.join(' ')}\n${stdout}${stderr}`)
  return stdout
}
