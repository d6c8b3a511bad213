import { HaError } from '../framework/errors/ha-error.ts'
import type { ProcSearch } from '../framework/ports/proc-search.ts'
import { searchProcByGrep } from '../framework/ports/real-proc-search.ts'
import { listPids } from './proc.ts'
import { TAG_VARIABLE } from './scope-names.ts'

/** The tags of this host by pid. */
export type Tags = ReadonlyMap<number, string>

/**
 * Makes a look for all processes that carry a tag of this host (`hostKey`). Looks that are asked for while one runs share the one after it: what was
 * there before the question is seen, and twenty logical hosts that leave together cost two looks.
 *
 * Throws `METHOD_FAILED` when the look fails: nothing is known then.
 */
export function createTagLook(hostKey: string, search: ProcSearch = searchProcByGrep): () => Promise<Tags> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<Tags> | undefined
  return () => {
    if (next === undefined) {
      next = running.then(() => {
        next = undefined
        return lookForTags(hostKey, search)
      })
      running = next.then(ignore, ignore)
    }
    return next
  }
}

async function lookForTags(hostKey: string, search: ProcSearch): Promise<Tags> {
  const variable = `${TAG_VARIABLE}=`
  const tag = `${variable}${hostKey}/`
  const tags = new Map<number, string>()
  const found = await search({ file: 'environ', pids: listPids(), texts: [tag] }).catch((error: unknown) => {
    throw lookFailed(error)
  })
  for (const [pid, entries] of found) {
    const own = entries.findLast((entry) => entry.startsWith(tag))
    if (own !== undefined) tags.set(pid, own.slice(variable.length))
  }
  return tags
}

function lookFailed(cause: unknown): HaError {
  return new HaError('METHOD_FAILED', 'the processes of this host could not be searched for those of a method', {
    hint: 'Check that grep is installed and that the machine can start processes, then try again.',
    cause,
  })
}

function ignore(): void {}
