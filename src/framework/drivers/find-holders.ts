import { HaError } from '../errors/ha-error.ts'
import type { ProcQuestion, ProcSearch } from '../ports/proc-search.ts'
import { searchProcByGrep } from '../ports/real-proc-search.ts'
import { type Mount, readMounts } from './mount-table.ts'
import { type HeldThings, readLink, readUsedLinks, type Use, type UsedLink, usesAmong } from './process-uses.ts'
import { type LiveProcess, listPids, readProcess, readTags } from './processes.ts'

/** A process that uses a disk group. */
export interface Holder extends LiveProcess {
  /** Its tag, undefined for a process that Haven did not start. */
  readonly tag: string | undefined
  /** How it holds on: `cwd /ha1`, `file /ha1/data/17`; at least one, at most `USES_MAX`. */
  readonly uses: readonly string[]
  /** Whether it has something of it open for writing. */
  readonly writes: boolean
}

/** Finds who holds something; see `createHolderLook`. Rejects with the signal's reason, or with `DISK_GROUP_BUSY` when it cannot look. */
export type HolderLook = (things: HeldThings, signal: AbortSignal) => Promise<Holders>

/** What a look has found. */
export interface Holders {
  readonly holders: readonly Holder[]
  /** Processes whose memory cannot be looked into, as they hang in the kernel: they may have mapped files of it, and do not say whose they are. */
  readonly hung: readonly LiveProcess[]
}

/** Links are read in this thread, which has stamps to write between: after so many processes it gets a turn. */
const BATCH = 32

/** For a message some examples are enough. */
const USES_MAX = 4

interface Question {
  readonly things: HeldThings
  readonly signal: AbortSignal
}

/**
 * Makes a look for the processes of this pid namespace that have a directory, an open file or a memory map there, in whatever mount namespace.
 * Processes that this user may not look into are not found. The caller is never among them.
 *
 * One look at the machine answers all that was asked before it began. So each answer rests on what was read after its question, as if it had been asked
 * alone, and twenty logical hosts that leave together cost two looks.
 */
export function createHolderLook(search: ProcSearch = searchProcByGrep): HolderLook {
  let running: Promise<unknown> = Promise.resolve()
  let next: { readonly questions: Question[]; readonly answers: Promise<readonly Holders[]> } | undefined
  return async (things, signal) => {
    signal.throwIfAborted()
    if (next === undefined) {
      const questions: Question[] = []
      const answers = running.then(() => {
        next = undefined
        return findHolders(questions, search)
      })
      next = { questions, answers }
      running = answers.catch(() => undefined) // Whoever asked is told.
    }
    const { questions, answers } = next
    const index = questions.push({ things, signal }) - 1
    const found = (await answers)[index]
    signal.throwIfAborted()
    return found ?? { holders: [], hung: [] }
  }
}

/** Answers the questions in their order; one whose asker has given up gets no answer. */
async function findHolders(questions: readonly Question[], search: ProcSearch): Promise<readonly Holders[]> {
  const wanted = questions.filter(({ signal }) => !signal.aborted)
  const pids = listPids().filter((pid) => pid !== process.pid && wanted.some(({ things }) => isAmong(pid, things)))
  const namespaces = await readNamespaces(
    pids,
    wanted.some(({ things }) => things.devices.size > 0),
  )
  const views = new Map(wanted.map((question) => [question, viewsOf(question.things, namespaces)]))
  const directories = [...views.values()].flatMap((each) => [...each.values()]).flatMap((view) => view.directories)
  const used = await readAllLinks(pids)
  // After the links: who maps a file and closes it then is seen here if he was not there.
  const { found: maps, hung } = await searchAll(search, {
    file: 'maps',
    pids: [...used.keys()],
    texts: [...new Set(directories)],
  })
  const users = new Map<Question, ReadonlyMap<number, readonly Use[]>>()
  for (const question of questions) {
    const usesOf = new Map<number, readonly Use[]>()
    for (const [pid, links] of used) {
      const view = views.get(question)?.get(namespaces.of.get(pid))
      if (view === undefined || !isAmong(pid, view)) continue
      const uses = await usesAmong(pid, links, maps.get(pid) ?? [], view)
      if (uses.length > 0) usesOf.set(pid, uses)
    }
    users.set(question, usesOf)
  }
  const tags = await readTags(
    [...users.values()].flatMap((usesOf) => [...usesOf.keys()]),
    search,
  )
  return questions.map((question) => ({
    holders: [...(users.get(question) ?? [])].flatMap(([pid, uses]) => describe(pid, uses, tags)),
    hung: hung.flatMap((pid) => (isAmong(pid, question.things) ? (readProcess(pid) ?? []) : [])),
  }))
}

/** Searches, whether processes hang or not. Throws `DISK_GROUP_BUSY` when it cannot. */
async function searchAll(
  search: ProcSearch,
  question: ProcQuestion,
): Promise<{ readonly found: ReadonlyMap<number, readonly string[]>; readonly hung: readonly number[] }> {
  const hung: number[] = []
  try {
    return { found: await search({ ...question, onHung: (pids) => void hung.push(...pids) }), hung }
  } catch (error) {
    throw searchFailed(error)
  }
}

function isAmong(pid: number, { among }: HeldThings): boolean {
  return among?.has(pid) ?? true
}

/** Reads the links of processes that have any. */
async function readAllLinks(pids: readonly number[]): Promise<ReadonlyMap<number, readonly UsedLink[]>> {
  const used = new Map<number, readonly UsedLink[]>()
  for (const [index, pid] of pids.entries()) {
    if (index % BATCH === BATCH - 1) await new Promise((resolve) => setImmediate(resolve))
    const links = readUsedLinks(pid)
    if (links.length > 0) used.set(pid, links)
  }
  return used
}

/** The mount namespaces of processes; many share one. Undefined stands for one that cannot be read. */
interface Namespaces {
  readonly of: ReadonlyMap<number, string | undefined>
  readonly own: string | undefined
  readonly mounts: ReadonlyMap<string | undefined, readonly Mount[]>
}

async function readNamespaces(pids: readonly number[], areNeeded: boolean): Promise<Namespaces> {
  const of = new Map<number, string | undefined>()
  const mounts = new Map<string | undefined, readonly Mount[]>([[undefined, []]])
  const own = readLink('/proc/self/ns/mnt')
  for (const pid of areNeeded ? pids : []) {
    const name = readLink(`/proc/${pid}/ns/mnt`)
    of.set(pid, name)
    if (!mounts.has(name)) mounts.set(name, name === own ? [] : await readMounts(pid))
  }
  return { of, own, mounts }
}

/** Says what is looked for in the terms of each mount namespace. */
function viewsOf(things: HeldThings, { own, mounts }: Namespaces): ReadonlyMap<string | undefined, HeldThings> {
  return new Map(
    [...mounts].map(([name, there]) => {
      if (things.devices.size === 0 || name === undefined) return [name, things]
      if (name === own)
        return [name, { ...things, devices: new Set([...things.devices, ...(things.nestedDevices ?? [])]) }]
      const elsewhere = there.filter((mount) => things.devices.has(mount.device)).map((mount) => mount.mountPoint)
      return [name, { ...things, directories: [...things.directories, ...elsewhere] }]
    }),
  )
}

function describe(pid: number, uses: readonly Use[], tags: ReadonlyMap<number, string>): readonly Holder[] {
  const process_ = readProcess(pid)
  if (process_ === undefined) return []
  const described = uses.slice(0, USES_MAX).map((use) => use.what)
  return [{ ...process_, tag: tags.get(pid), uses: described, writes: uses.some((use) => use.writes) }]
}

function searchFailed(cause: unknown): HaError {
  return new HaError(
    'DISK_GROUP_BUSY',
    'the processes of this host could not be searched for those that hold a disk group',
    { hint: 'Check that grep is installed and that the machine can start processes, then try again.', cause },
  )
}

/** Describes a holder in a line of a message: `process 4711 (postgres): cwd /ha1/data`. */
export function describeHolder(holder: Holder): string {
  const tag = holder.tag === undefined ? '' : ` of ${holder.tag}`
  return `process ${holder.pid} (${holder.command})${tag}: ${holder.uses.join(', ')}`
}

/** Details of an error, one per holder, and one per process that may be one. */
export function holderDetails({ holders, hung }: Holders): NonNullable<HaError['details']> {
  const others = hung.filter(({ pid }) => !holders.some((holder) => holder.pid === pid))
  return [...holders.map(describeHolder), ...others.map(describeHung)]
}

/** Describes a process that may be a holder. */
export function describeHung({ pid, command }: LiveProcess): string {
  return `process ${pid} (${command}) hangs in the kernel and cannot be looked into`
}
