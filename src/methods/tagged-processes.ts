import { HaError } from '../framework/errors/ha-error.ts'
import type { ProcSearch } from '../framework/ports/proc-search.ts'
import { searchProcByGrep } from '../framework/ports/real-proc-search.ts'
import { type EarlierLook, judgeHung, readTicks } from './hung-tags.ts'
import { listPids } from './proc.ts'
import { TAG_VARIABLE } from './scope-names.ts'

/** The tags of this host by pid. */
export type Tags = ReadonlyMap<number, string>

/**
 * Makes a look for all processes that carry a tag of this host (`hostKey`). Looks that are asked for while one runs share the one after it: what was
 * there before the question is seen, and twenty logical hosts that leave together cost two looks. A process that hangs so that its tag cannot be read is
 * judged by its cgroup and by the look before (`judgeHung`); `keepsCgroups`, for tests, tells whether this host can make cgroups.
 *
 * Throws `METHOD_FAILED` when the look fails: nothing is known then.
 */
export function createTagLook(
  hostKey: string,
  search: ProcSearch = searchProcByGrep,
  keepsCgroups?: () => boolean,
): () => Promise<Tags> {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<Tags> | undefined
  let last: EarlierLook | undefined
  return () => {
    if (next === undefined) {
      next = running.then(async () => {
        next = undefined
        last = await lookForTags({ hostKey, search, earlier: last, keepsCgroups })
        return tagsOf(last)
      })
      running = next.then(ignore, ignore)
    }
    return next
  }
}

interface Look {
  readonly hostKey: string
  readonly search: ProcSearch
  readonly earlier: EarlierLook | undefined
  readonly keepsCgroups: (() => boolean) | undefined
}

async function lookForTags({ hostKey, search, earlier, keepsCgroups }: Look): Promise<EarlierLook> {
  const variable = `${TAG_VARIABLE}=`
  const tag = `${variable}${hostKey}/`
  const atTicks = readTicks()
  const pids = listPids()
  const hung: number[] = []
  const onHung = (each: readonly number[]): void => void hung.push(...each)
  const found = await search({ file: 'environ', pids, texts: [tag], onHung }).catch((error: unknown) => {
    throw lookFailed(error)
  })
  const verdicts = new Map<number, string | undefined>(pids.map((pid) => [pid, undefined]))
  for (const [pid, entries] of found) {
    const own = entries.findLast((entry) => entry.startsWith(tag))
    if (own !== undefined) verdicts.set(pid, own.slice(variable.length))
  }
  for (const pid of hung) verdicts.delete(pid)
  if (hung.length > 0) for (const verdict of judgeHung(hostKey, hung, earlier, keepsCgroups)) verdicts.set(...verdict)
  return { atTicks, verdicts }
}

function tagsOf({ verdicts }: EarlierLook): Tags {
  return new Map([...verdicts].flatMap(([pid, tag]) => (tag === undefined ? [] : [[pid, tag] as const])))
}

function lookFailed(cause: unknown): HaError {
  return new HaError('METHOD_FAILED', 'the processes of this host could not be searched for those of a method', {
    hint: 'Check that grep is installed and that the machine can start processes, then try again.',
    cause,
  })
}

function ignore(): void {}
