import { readdirSync, readFileSync, statSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
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

/** The loop devices of this machine. They are the same in every mount namespace, so another host's are among them. */
export interface LoopList {
  /** Finds all. Rejects with `CommandError`, or the signal's reason. */
  list(run: RunCommand, signal: AbortSignal): Promise<readonly Loop[]>
  /**
   * Takes in what somebody has just made and knows: that the device with this number carries this file. Not so, as far as can be seen, or another file by now:
   * losetup is asked next time. Never rejects.
   */
  remember(number: string, image: Pick<Loop, 'file' | 'inode' | 'onDevice'>): Promise<void>
}

interface Known {
  readonly attachment: string
  readonly loop: Loop
}

/**
 * Makes a list that asks losetup(8) only about what was attached since it was last asked: which file a device carries, told by its inode, no file of sysfs
 * says, but that it has changed it does. A switchover looks ten times, a program takes five milliseconds, and sysfs a tenth of one.
 */
export function createLoopList(readAttached: () => Attached | undefined = readAttachedLoops): LoopList {
  let known: ReadonlyMap<string, Known> = new Map()
  const list: LoopList['list'] = async (run, signal) => {
    // Before losetup looks: what is attached while it does is asked for next time.
    const attached = readAttached()
    if (attached === undefined) return askLosetup(run, signal)
    const isKnown = ([path, { words }]: readonly [string, Attachment]): boolean => known.get(path)?.attachment === words
    if (![...attached].every(isKnown)) {
      const loops = await askLosetup(run, signal)
      const found = loops.map(
        (loop) => [loop.path, { attachment: attached.get(loop.path)?.words ?? '', loop }] as const,
      )
      known = new Map(found)
      return loops
    }
    return [...attached.keys()].flatMap((path) => known.get(path)?.loop ?? [])
  }
  return {
    list,
    remember: async (number, image) => {
      const found = [...(readAttached() ?? [])].find(([, each]) => each.number === number)
      const facts = await stat(image.file).catch(() => undefined)
      if (found === undefined || facts?.ino !== image.inode || deviceName(facts.dev) !== image.onDevice) return
      const [path, { words, file }] = found
      if (file !== (await realpath(image.file).catch(() => undefined))) return
      known = new Map([...known, [path, { attachment: words, loop: { ...image, path, number } }]])
    },
  }
}

/** The one list of this process. */
export const loopList = createLoopList()

/** What a loop device carries. */
export interface Attachment {
  /** `major:minor` of the device. */
  readonly number: string
  /** The path that it was attached by. */
  readonly file: string
  /** Others after every change of what it carries. */
  readonly words: string
}

/** The loop devices that carry something, by path. */
export type Attached = ReadonlyMap<string, Attachment>

const SYS_BLOCK = '/sys/block'

/** Undefined: this kernel (before 5.15) does not count the changes. */
function readAttachedLoops(): Attached | undefined {
  try {
    const names = readdirSync(SYS_BLOCK).filter((name) => name.startsWith('loop') && carriesSomething(name))
    const all = names.map((name) => [`/dev/${name}`, readAttachment(name)] as const)
    return new Map(all.filter(([, { file }]) => file !== ''))
  } catch {
    return undefined
  }
}

/** Most carry nothing; to find that out must cost nothing, as there is a look before every step. */
function carriesSomething(name: string): boolean {
  return statSync(join(SYS_BLOCK, name, 'loop'), { throwIfNoEntry: false }) !== undefined
}

function readAttachment(name: string): Attachment {
  const read = (file: string): string => readFileSync(join(SYS_BLOCK, name, file), 'utf8').trim()
  const [number, file] = [read('dev'), backingFileOf(name)]
  return { number, file, words: `${read('diskseq')} ${file}` }
}

function backingFileOf(name: string): string {
  try {
    return readFileSync(join(SYS_BLOCK, name, 'loop/backing_file'), 'utf8').trim()
  } catch {
    return '' // It was detached just now.
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
