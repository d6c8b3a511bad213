import type { FenceDevice } from '../../model/fencing.ts'
import { createLookForMissing } from '../missing-programs.ts'
import type { RunCommand } from '../run-command.ts'
import { readAgentMetadata } from './api-agent.ts'
import { FILE_SUFFIX } from './fence-program.ts'
import { optionProblems } from './read-metadata.ts'

/**
 * Makes the look at a device that is being configured: what is wrong with it, one sentence each, as far as this host can tell. An agent that is not
 * installed here tells nothing: it may be where it is needed, and the regular probes of the other hosts will say so.
 */
export function createDeviceCheck(run: RunCommand): (device: FenceDevice) => Promise<readonly string[]> {
  const lookForMissing = createLookForMissing(run)
  return async (device) => {
    const { signal } = new AbortController()
    const { name, program, agent, options } = device
    if (agent === 'command') {
      const isPath = program.startsWith('/')
      const missing = isPath ? await lookForMissing([program], signal) : []
      return missing.map(
        (path) => `${path}, the program of fence device ${name}, is missing or not executable on this host`,
      )
    }
    const metadata = await readAgentMetadata(run, device, signal)
    if (metadata === undefined) return []
    const names = Object.keys(options).map((option) => option.replace(FILE_SUFFIX, ''))
    return optionProblems(metadata, names).map((problem) => `fence device ${name}: ${problem}`)
  }
}
