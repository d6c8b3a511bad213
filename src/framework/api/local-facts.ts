import { lookup } from 'node:dns/promises'
import { isHaError } from '../errors/ha-error.ts'
import type { HostFacts } from './host-facts.ts'
import type { CheckedProgramJson } from './wire.ts'

/** Makes the facts that come from this host itself: its files, by `look` and `check`, and its resolver. */
export function readLocalFacts(
  look: (programs: readonly string[], signal: AbortSignal) => Promise<readonly string[]>,
  check: (programs: readonly string[], signal: AbortSignal) => Promise<readonly CheckedProgramJson[]>,
): Pick<HostFacts, 'missingPrograms' | 'checkPrograms' | 'lookUp'> {
  return {
    checkPrograms: (programs) => check(programs, new AbortController().signal),
    missingPrograms: async (programs) => {
      try {
        return await look(programs, new AbortController().signal)
      } catch (error) {
        // Nothing is known then; what cannot be looked at is no reason to refuse, and the start will tell.
        if (isHaError(error, 'METHOD_FAILED')) return []
        throw error
      }
    },
    lookUp: async (name) => {
      try {
        return (await lookup(name)).address
      } catch {
        // Unknown, or the resolver is away: for the caller the same, as the name cannot be used now.
        return undefined
      }
    },
  }
}
