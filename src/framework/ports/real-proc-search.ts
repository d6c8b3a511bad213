import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Effects } from './effects.ts'
import type { ProcQuestion, ProcSearch } from './proc-search.ts'

/** Far more than a look at some thousand processes takes. */
const SEARCH_MS_MAX = 5_000
/** A search that takes longer than this, and so much for each process, may be stuck on one of them: then those that may hang are searched one by one. */
const HASTE_MS = { least: 300, perProcess: 1 }
/** One process is read in a fraction of a millisecond, a `grep` is started in two; the rest is for a busy machine. */
const SUSPECT_MS_MAX = 200
/** On a machine with more to do than it can, starting a `grep` alone takes longer than that; whoever is late once is tried again, more patiently. */
const SUSPECT_AGAIN_MS_MAX = 1_500
/** Each is a process of its own while it lasts. */
const SUSPECTS_AT_ONCE = 16
/** To read so many takes as long as to start a `grep`, on a machine that has nothing else to do; on a busy one much longer. */
const FEW = 20
/** 200 bytes for each of 100,000 tagged processes, or the maps of a disk group in thousands of them; more is not a machine that we understand. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
/** Below every system's limit for the arguments of one program, at about 30 bytes each. */
const PIDS_PER_GREP = 20_000
const READ_BYTES = 128 * 1024
const SEARCH_PATH = '/usr/bin:/bin'
const SEPARATOR = { environ: '\0', maps: '\n' } as const

/**
 * Makes what searches files of /proc. To read them the kernel waits for the memory lock of their process, possibly for as long as a dead disk does not
 * answer; so whoever reads them may hang.
 *
 * Few are read here, one after the other in the thread pool, in a third of the time of a `grep`. If that hangs, it costs one thread and no more: until it
 * goes on, and also while another search reads, a `grep` does it, which hangs instead of us and is killed.
 */
export function createProcSearch(effects: Pick<Effects, 'sleep'>): ProcSearch {
  let isReading = false
  return async (question) => {
    const pids = question.pids.filter(hasProgram)
    if (isReading || pids.length > FEW) return await searchProcByGrep({ ...question, pids })
    isReading = true
    const timer = new AbortController()
    const reading = readInTurn({ ...question, pids }).finally(() => {
      isReading = false
      timer.abort('read')
    })
    const late = effects.sleep(hasteMs(pids), timer.signal).then(
      () => searchAroundHung({ ...question, pids }),
      () => reading,
    )
    return await Promise.race([reading, late])
  }
}

/** Most processes of a machine are threads of its kernel, which have no environment and map nothing. Whose program is hidden from this user, so is the rest. */
function hasProgram(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`)
    return true
  } catch {
    return false
  }
}

async function readInTurn({ file, pids, texts }: ProcQuestion): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, readonly string[]>()
  const wanted = texts.map((text) => Buffer.from(text))
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  for (const pid of pids) {
    const content = await readWhole(`/proc/${pid}/${file}`, buffer)
    if (!wanted.some((text) => content.includes(text))) continue
    const entries = content.toString('utf8').split(SEPARATOR[file])
    const hits = entries.filter((entry) => texts.some((text) => entry.includes(text)))
    if (hits.length > 0) found.set(pid, hits)
  }
  return found
}

/** Returns what it could read; the next call may overwrite it. */
async function readWhole(path: string, buffer: Buffer): Promise<Buffer> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const pieces: Buffer[] = []
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
      if (bytesRead === 0) return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
      pieces.push(Buffer.from(buffer.subarray(0, bytesRead)))
    }
  } catch {
    return Buffer.alloc(0) // It has ended, or is not ours to look into.
  } finally {
    await file?.close()
  }
}

/** Lets a `grep` read: slower where there is little to read, but nothing of this process can hang. */
export const searchProcByGrep: ProcSearch = async (question) => {
  try {
    return await grepAll(question, hasteMs(question.pids))
  } catch (error) {
    if (!(error instanceof LateError)) throw error
    return await searchAroundHung(question)
  }
}

function hasteMs(pids: readonly number[]): number {
  return Math.min(SEARCH_MS_MAX, HASTE_MS.least + HASTE_MS.perProcess * pids.length)
}

/** Searches those that may hang each by itself, so that they hold up nobody but themselves. */
async function searchAroundHung(question: ProcQuestion): Promise<ReadonlyMap<number, readonly string[]>> {
  const suspects = question.pids.filter(mayHang)
  const others = question.pids.filter((pid) => !suspects.includes(pid))
  const searching = grepAll({ ...question, pids: others }, SEARCH_MS_MAX)
  searching.catch(() => undefined) // Awaited below.
  const found = new Map<number, readonly string[]>()
  const hung: number[] = []
  for (let from = 0; from < suspects.length; from += SUSPECTS_AT_ONCE) {
    const some = suspects.slice(from, from + SUSPECTS_AT_ONCE)
    await Promise.all(
      some.map(async (pid) => {
        const alone = { ...question, pids: [pid] }
        const entries =
          (await grepAll(alone, SUSPECT_MS_MAX).catch(unlessLate)) ??
          (await grepAll(alone, SUSPECT_AGAIN_MS_MAX).catch(unlessLate))
        if (entries === undefined) hung.push(pid)
        else for (const [, each] of entries) found.set(pid, each)
      }),
    )
  }
  for (const [pid, entries] of await searching) found.set(pid, entries)
  if (hung.length > 0) {
    if (question.onHung === undefined) throw new Error(`/proc/*/${question.file} of ${hung.join(', ')} cannot be read`)
    question.onHung(hung)
  }
  return found
}

function unlessLate(error: unknown): undefined {
  if (!(error instanceof LateError)) throw error
}

/** Tells whether a thread of a process waits in the kernel in a way that no signal but perhaps KILL ends. Its state can be read even then. */
function mayHang(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')
      return stat.charAt(stat.lastIndexOf(')') + 2) === 'D'
    })
  } catch {
    return false // It has ended.
  }
}

/** A search that did not end in its time. */
class LateError extends Error {}

async function grepAll(
  { file, pids, texts }: ProcQuestion,
  withinMs: number,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, string[]>()
  if (texts.length === 0 || pids.length === 0) return found
  const words = [file === 'environ' ? '-zasFH' : '-asFH', ...texts.flatMap((text) => ['-e', text])]
  for (let from = 0; from < pids.length; from += PIDS_PER_GREP) {
    const files = pids.slice(from, from + PIDS_PER_GREP).map((pid) => `/proc/${pid}/${file}`)
    for (const line of (await grep([...words, ...files], withinMs)).split(SEPARATOR[file])) {
      const [, pid, entry] = /^\/proc\/(\d+)\/[a-z]+:(.*)$/s.exec(line) ?? []
      if (pid === undefined || entry === undefined) continue
      const entries = found.get(Number(pid)) ?? []
      entries.push(entry)
      found.set(Number(pid), entries)
    }
  }
  return found
}

function grep(words: readonly string[], withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      encoding: 'utf8' as const,
      env: { PATH: SEARCH_PATH, LC_ALL: 'C' },
      timeout: withinMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: OUTPUT_BYTES_MAX,
    }
    const child = execFile('grep', [...words], options, (error, stdout) => {
      // 1: nothing found; 2: some files could not be read, as those of other users or of processes that have ended meanwhile.
      if (error === null || error.code === 1 || error.code === 2) resolve(stdout)
      else if (error.killed === true && error.signal === 'SIGKILL')
        reject(new LateError(`a search of /proc did not end within ${withinMs} ms`, { cause: error }))
      else reject(error)
    })
    // A grep that not even KILL ends must not keep a daemon that is leaving.
    child.unref()
  })
}
