import type { Files } from '../../ports/files.ts'

/** Where a database is, and what reaches its files. */
export interface Place {
  readonly directory: string
  readonly files: Files
}

/** The lock file is empty and is never replaced: two files of that name would mean two locks. */
export const lockPath = ({ directory }: Place): string => `${directory}/lock`
export const checkpointPath = ({ directory }: Place): string => `${directory}/checkpoint`
/** The log of a generation continues the checkpoint of the same generation, and the log of the generation before. */
export const logPath = ({ directory }: Place, generation: number): string => `${directory}/log.${generation}`
/** A file in the making. `tag` keeps two processes apart. */
export const unfinishedPath = (path: string, generation: number, tag: string): string =>
  `${path}.${generation}.${tag}.new`

/** What the name of a file in the directory says; undefined for names that are not ours. */
export type Named =
  | { readonly kind: 'log'; readonly generation: number }
  | { readonly kind: 'unfinished'; readonly generation: number }
  | undefined

/** Reads the name of a file in the directory. */
export function parseName(name: string): Named {
  const log = /^log\.(\d+)$/.exec(name)
  if (log !== null) return { kind: 'log', generation: Number(log[1]) }
  const unfinished = /^(?:log|checkpoint)\.(\d+)\.\w+\.new$/.exec(name)
  return unfinished === null ? undefined : { kind: 'unfinished', generation: Number(unfinished[1]) }
}

/** Lists the generations of the logs in the directory, the oldest first. */
export function logGenerations(place: Place): readonly number[] {
  const named = place.files.list('store:list', place.directory).map(parseName)
  return named.flatMap((name) => (name?.kind === 'log' ? [name.generation] : [])).sort((a, b) => a - b)
}

/** Makes renames and removals in the directory survive a loss of power. */
export function syncDirectory({ files, directory }: Place, op: string): void {
  const file = files.open(`${op}:open`, directory, 'directory')
  try {
    files.syncNow(op, file)
  } finally {
    files.close(`${op}:close`, file)
  }
}

/** The same, without blocking the event loop. */
export async function syncDirectoryAside({ files, directory }: Place, op: string): Promise<void> {
  const file = files.open(`${op}:open`, directory, 'directory')
  try {
    await files.sync(op, file)
  } finally {
    files.close(`${op}:close`, file)
  }
}

/** Reads a whole file. */
export function readWhole({ files }: Place, op: string, path: string): Buffer {
  const file = files.open(`${op}:open`, path, 'read')
  try {
    const bytes = Buffer.allocUnsafe(files.sizeBytes(op, file))
    let there = 0
    while (there < bytes.length) {
      const read = files.read(op, file, bytes.subarray(there), there)
      if (read === 0) break
      there += read
    }
    return bytes.subarray(0, there)
  } finally {
    files.close(`${op}:close`, file)
  }
}
