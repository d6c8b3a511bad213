import { lookup } from 'node:dns/promises'
import { access, constants, stat } from 'node:fs/promises'
import type { PhysicalHostName } from '../model/names.ts'
import type { HostFacts } from './host-facts.ts'

/** Programs that are looked at at the same time. */
const LOOKS_AT_ONCE = 32

/** Makes the facts that come from this host itself: its files and its resolver. Of other hosts' files it knows nothing. */
export function readLocalFacts(me: PhysicalHostName): Pick<HostFacts, 'missingPrograms' | 'lookUp'> {
  return {
    missingPrograms: (host, programs) => (host === me ? findMissing(programs) : Promise.resolve([])),
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

async function findMissing(programs: readonly string[]): Promise<readonly string[]> {
  const missing: string[] = []
  for (let first = 0; first < programs.length; first += LOOKS_AT_ONCE) {
    const some = programs.slice(first, first + LOOKS_AT_ONCE)
    const executable = await Promise.all(some.map(isExecutable))
    missing.push(...some.filter((_, index) => executable[index] === false))
  }
  return missing
}

/** A directory has the right to be searched, which is the same bit as to be executed. */
async function isExecutable(program: string): Promise<boolean> {
  try {
    await access(program, constants.X_OK)
    return (await stat(program)).isFile()
  } catch {
    // Absent, not executable, or in a directory that cannot be searched: it cannot be called.
    return false
  }
}
