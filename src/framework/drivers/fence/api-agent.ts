import type { FenceDevice } from '../../model/fencing.ts'
import type { RunCommand } from '../run-command.ts'
import type { Agent, PowerStatus } from './agent.ts'
import { type FenceAction, type FenceAnswer, type FenceCall, readOptions, runFenceProgram } from './fence-program.ts'
import { type AgentMetadata, plugNamesOf, readMetadata } from './read-metadata.ts'

/** Exit codes of `status`. The agents of ClusterLabs also end with 2 over a wrong option in rare cases, which is why `off` must have succeeded before. */
const STATUS_ON = 0
const STATUS_OFF = 2

/** Programs whose metadata is remembered; each is asked once in the life of a daemon, because a start of Python costs a tenth of a second. */
const REMEMBERED_MAX = 100
/** Telling what it is needs no device. */
const METADATA_MS = 10_000

/** Speaks with programs of the ClusterLabs FenceAgentAPI: options as `name=value` lines on stdin. */
export function apiAgent(run: RunCommand): Agent {
  const known = new Map<string, AgentMetadata | undefined>()

  const act = async (action: FenceAction, call: FenceCall): Promise<FenceAnswer> => {
    const metadata = action === 'metadata' ? undefined : await metadataOf(call)
    const options = await readOptions(call.device, call.host)
    const lines = [`action=${action}`, ...hostLines(call, metadata), ...Object.entries(options).map(toLine)]
    return runFenceProgram(run, [], call, { input: `${lines.join('\n')}\n` })
  }

  const metadataOf = async ({ device, signal }: FenceCall): Promise<AgentMetadata | undefined> => {
    const { program } = device
    if (known.has(program)) return known.get(program)
    const read = await readAgentMetadata(run, device, signal)
    // A program that is not there yet, or could not start, may be tomorrow.
    if (read !== undefined && known.size < REMEMBERED_MAX) known.set(program, read)
    return read
  }

  return {
    act,
    status: async (call) => {
      const metadata = await metadataOf(call)
      if (metadata !== undefined && !metadata.actions.includes('status')) return { kind: 'not-told' }
      return toStatus(await act('status', call))
    },
    probe: async (call) => {
      const metadata = await metadataOf(call)
      const isMonitored = metadata === undefined || metadata.actions.includes('monitor')
      if (isMonitored) return (await act('monitor', call)).complaint
      if (!metadata.actions.includes('status')) return ''
      const status = toStatus(await act('status', call))
      return status.kind === 'unknown' ? status.complaint : ''
    },
  }
}

/** Asks a program for its metadata. Undefined when it is not there or tells none. Rejects with the signal's reason. */
export async function readAgentMetadata(
  run: RunCommand,
  device: Pick<FenceDevice, 'program'>,
  signal: AbortSignal,
): Promise<AgentMetadata | undefined> {
  const bare = { ...device, options: {} } as FenceDevice
  const call = { device: bare, timeoutMs: METADATA_MS, signal }
  const { exitCode, stdout } = await runFenceProgram(run, [], call, { input: 'action=metadata\n' })
  return exitCode === 0 ? readMetadata(stdout) : undefined
}

function hostLines({ device, host }: FenceCall, metadata: AgentMetadata | undefined): readonly string[] {
  if (host === undefined) return []
  const plug = device.plugs[host] ?? host
  return [...plugNamesOf(metadata).map((name) => `${name}=${plug}`), `nodename=${host}`]
}

function toLine([name, value]: readonly [string, string]): string {
  return `${name}=${value}`
}

function toStatus({ exitCode, complaint }: FenceAnswer): PowerStatus {
  if (exitCode === STATUS_ON) return { kind: 'on' }
  if (exitCode === STATUS_OFF) return { kind: 'off' }
  return { kind: 'unknown', complaint }
}
