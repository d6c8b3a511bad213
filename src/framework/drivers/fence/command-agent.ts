import type { RunCommand } from '../run-command.ts'
import type { Agent, PowerStatus } from './agent.ts'
import { type FenceAction, type FenceAnswer, type FenceCall, readOptions, runFenceProgram } from './fence-program.ts'

/** Exit codes of `status`; `docs/fencing.md` has the whole contract. 2 is what the FenceAgentAPI says too; 3 is for a program that cannot tell. */
const STATUS_ON = 0
const STATUS_OFF = 2
const STATUS_NOT_TOLD = 3

/** Speaks with any program that keeps the contract `program off|on|status|monitor HOST`, with the options in its environment. */
export function commandAgent(run: RunCommand): Agent {
  const act = async (action: FenceAction, call: FenceCall): Promise<FenceAnswer> => {
    const { device, host = '' } = call
    const options = await readOptions(device, call.host)
    const environment = {
      ...Object.fromEntries(Object.entries(options).map(([name, value]) => [variableOf(name), value])),
      HAVEN_FENCE_HOST: host,
      HAVEN_FENCE_PLUG: device.plugs[host] ?? host,
    }
    return runFenceProgram(run, host === '' ? [action] : [action, host], call, { environment })
  }
  return {
    act,
    status: async (call) => toStatus(await act('status', call)),
    probe: async (call) => (await act('monitor', call)).complaint,
  }
}

function toStatus({ exitCode, complaint }: FenceAnswer): PowerStatus {
  if (exitCode === STATUS_ON) return { kind: 'on' }
  if (exitCode === STATUS_OFF) return { kind: 'off' }
  if (exitCode === STATUS_NOT_TOLD) return { kind: 'not-told' }
  return { kind: 'unknown', complaint }
}

/** `ilo-user` becomes `HAVEN_FENCE_ILO_USER`. */
function variableOf(option: string): string {
  return `HAVEN_FENCE_${option.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}
