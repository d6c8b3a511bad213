import { readFile } from 'node:fs/promises'
import { HaError } from '../../errors/ha-error.ts'
import type { FenceDevice } from '../../model/fencing.ts'
import type { PhysicalHostName } from '../../model/names.ts'
import { CommandError, type RunCommand } from '../run-command.ts'

/** What programs of fence devices are asked. */
export type FenceAction = 'off' | 'on' | 'status' | 'monitor' | 'metadata'

/** How a program answered: its exit code, and the end of what it said. */
export interface FenceAnswer {
  /** Null: it could not be started, was killed, or was not done in time. */
  readonly exitCode: number | null
  /** What went wrong, in one line; empty when it ended with 0. */
  readonly complaint: string
  readonly stdout: string
}

/** What one call of a program says beside the action. */
export interface FenceCall {
  readonly device: FenceDevice
  /** Whom it is about; undefined: the device itself. */
  readonly host: PhysicalHostName | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** An option of this name has its value in the first line of the file that it names: no secret gets into the cluster database, its backups or a listing. */
export const FILE_SUFFIX = '@file'

/** Every exit code is an answer: what it means depends on the agent and the action. */
const ANY_EXIT_CODE: readonly number[] = Array.from({ length: 256 }, (_, code) => code)
/** Of what a program says the end matters, and a line of a status page is no log. */
const COMPLAINT_LENGTH_MAX = 300

/** Runs the program of a device. Rejects with the signal's reason when it aborts, and with nothing else. */
export async function runFenceProgram(
  run: RunCommand,
  words: readonly string[],
  { device, timeoutMs, signal }: Pick<FenceCall, 'device' | 'timeoutMs' | 'signal'>,
  given: { readonly input?: string; readonly environment?: Readonly<Record<string, string>> },
): Promise<FenceAnswer> {
  try {
    const { exitCode, stdout, stderr } = await run([device.program, ...words], {
      signal,
      timeoutMs: Math.max(1, Math.ceil(timeoutMs)),
      accept: ANY_EXIT_CODE,
      ...given,
    })
    const complaint = exitCode === 0 ? '' : `exit code ${exitCode}${said(stderr, stdout)}`
    return { exitCode, complaint, stdout }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const { isMissing, stderr } = error.facts
    const how = isMissing ? `there is no ${device.program} on this host` : error.how
    return { exitCode: null, complaint: `${how}${said(stderr, '')}`, stdout: '' }
  }
}

/** Puts in the host for `HOST`, and the first lines of files for the options that name them. Throws `FENCE_FAILED` for a file that cannot be read. */
export async function readOptions(
  device: FenceDevice,
  host: PhysicalHostName | undefined,
): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(device.options).map(async ([name, value]): Promise<[string, string]> => {
    const filled = host === undefined ? value : value.replaceAll(/\bHOST\b/g, host)
    if (!name.endsWith(FILE_SUFFIX)) return [name, filled]
    return [name.slice(0, -FILE_SUFFIX.length), await readFirstLine(device, filled)]
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function readFirstLine(device: FenceDevice, path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).split('\n', 1)[0] ?? ''
  } catch (cause) {
    throw new HaError('FENCE_FAILED', `${path}, an option of the fence device ${device.name}, cannot be read`, {
      hint: 'The file must be on every host that may ask the device, readable by root.',
      cause,
    })
  }
}

function said(stderr: string, stdout: string): string {
  const lines = `${stderr.trim() === '' ? stdout : stderr}`.split('\n').map((line) => line.trim())
  const text = lines.filter((line) => line !== '').join('; ')
  return text === '' ? '' : `: ${text.slice(-COMPLAINT_LENGTH_MAX)}`
}
