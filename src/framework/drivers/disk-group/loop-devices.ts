import { readdirSync, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { deviceName } from '../mount-table.ts'
import type { RunCommand } from '../run-command.ts'

/** A loop device that carries a file. */
export interface Loop {
  readonly path: string
  /** `major:minor`. */
  readonly number: string
  readonly inode: number
  readonly onDevice: string
  readonly file: string
}

/** Finds the loop devices of this machine. They are the same in every mount namespace, so another host's are among them. */
export type ListLoops = (run: RunCommand, signal: AbortSignal) => Promise<readonly Loop[]>

/**
 * Makes a list that asks losetup(8) only about what was attached since it was last asked: which file a device carries, told by its inode, no file of sysfs
 * says, but that it has changed it does. A switchover looks ten times, a program takes five milliseconds, and sysfs a tenth of one.
 */
export function createLoopList(readAttached: () => Attached | undefined = readAttachedLoops): ListLoops {
  let known: ReadonlyMap<string, { readonly attachment: string; readonly loop: Loop }> = new Map()
  return async (run, signal) => {
    // Before losetup looks: what is attached while it does is asked for next time.
    const attached = readAttached()
    if (attached === undefined) return askLosetup(run, signal)
    const isKnown = ([path, attachment]: readonly [string, string]): boolean =>
      known.get(path)?.attachment === attachment
    if (![...attached].every(isKnown)) {
      const loops = await askLosetup(run, signal)
      const found = loops.map((loop) => [loop.path, { attachment: attached.get(loop.path) ?? '', loop }] as const)
      known = new Map(found)
      return loops
    }
    return [...attached.keys()].flatMap((path) => known.get(path)?.loop ?? [])
  }
}

/** The one list of this process. */
export const listLoops: ListLoops = createLoopList()

/** The loop devices that carry something, by path, each with words that are others after every change of what it carries. */
export type Attached = ReadonlyMap<string, string>

const SYS_BLOCK = '/sys/block'

/** Undefined: this kernel (before 5.15) does not count the changes. */
function readAttachedLoops(): Attached | undefined {
  try {
    const names = readdirSync(SYS_BLOCK).filter((name) => name.startsWith('loop'))
    const described = names.map((name) => {
      const count = readFileSync(join(SYS_BLOCK, name, 'diskseq'), 'utf8').trim()
      return [`/dev/${name}`, count, backingFileOf(name)] as const
    })
    return new Map(described.filter(([, , file]) => file !== '').map(([path, ...words]) => [path, words.join(' ')]))
  } catch {
    return undefined
  }
}

function backingFileOf(name: string): string {
  try {
    return readFileSync(join(SYS_BLOCK, name, 'loop/backing_file'), 'utf8').trim()
  } catch {
    return '' // It carries nothing.
  }
}

async function askLosetup(run: RunCommand, signal: AbortSignal): Promise<readonly Loop[]> {
  const columns = 'NAME,BACK-INO,BACK-MAJ:MIN,BACK-FILE'
  const { stdout } = await run(['losetup', '--json', '--list', '--output', columns], { signal })
  if (stdout.trim() === '') return [] // None at all.
  const parsed = JSON.parse(stdout) as { loopdevices?: readonly Readonly<Record<string, unknown>>[] }
  const rows = parsed.loopdevices ?? []
  const loops = await Promise.all(rows.map(parseLoop))
  return loops.filter((loop) => loop !== undefined)
}

async function parseLoop(row: Readonly<Record<string, unknown>>): Promise<Loop | undefined> {
  const path = String(row['name'])
  const facts = await stat(path).catch(() => undefined) // Detached meanwhile, with its node.
  if (facts === undefined) return undefined
  const [inode, onDevice, file] = [row['back-ino'], row['back-maj:min'], row['back-file']]
  return {
    path,
    number: deviceName(facts.rdev),
    inode: Number(inode),
    onDevice: String(onDevice).trim(),
    file: String(file),
  }
}
