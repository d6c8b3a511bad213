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
 * Makes a list that asks losetup(8) only when a loop device was attached or detached since it was last asked: which file a device carries, told by its inode,
 * no file of sysfs says, but that it has changed it does. A takeover asks ten times, a program takes five milliseconds, and sysfs a tenth of one.
 */
export function createLoopList(readSequence: () => string | undefined = readLoopSequence): ListLoops {
  let known: { readonly sequence: string; readonly loops: readonly Loop[] } | undefined
  return async (run, signal) => {
    // Before losetup looks: what changes meanwhile is seen next time.
    const sequence = readSequence()
    if (known !== undefined && known.sequence === sequence) return known.loops
    const loops = await askLosetup(run, signal)
    known = sequence === undefined ? undefined : { sequence, loops }
    return loops
  }
}

/** The one list of this process. */
export const listLoops: ListLoops = createLoopList()

const SYS_BLOCK = '/sys/block'

/** Describes which loop devices carry something, so that it reads otherwise after each change; undefined: this kernel (before 5.15) does not count them. */
function readLoopSequence(): string | undefined {
  try {
    const names = readdirSync(SYS_BLOCK).filter((name) => name.startsWith('loop'))
    const lines = names.map((name) => {
      const sequence = readFileSync(join(SYS_BLOCK, name, 'diskseq'), 'utf8').trim()
      return `${name} ${sequence} ${readBackingFile(name)}`
    })
    return lines.join('\n')
  } catch {
    return undefined
  }
}

function readBackingFile(name: string): string {
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
