import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HaError } from '../errors/ha-error.ts'
import { realFiles } from '../ports/real-files.ts'

/**
 * Makes sure that this is the only clustd below the root, by a lock that the kernel gives back when the process ends, in whatever way. `run/haven/clustd.json`
 * names the process for people. Returns what gives the lock back. Throws `CLUSTD_RUNNING`.
 */
export function becomeTheOnlyOne(root: string): () => void {
  const directory = join(root, 'run/haven')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const lock = realFiles.open('clustd:lock', join(directory, 'clustd.lock'), 'create')
  const facts = join(directory, 'clustd.json')
  if (!realFiles.tryLock('clustd:lock', lock)) {
    realFiles.close('clustd:lock', lock)
    throw new HaError('CLUSTD_RUNNING', `clustd is running below ${root} already${whoIs(facts)}`, {
      hint: 'End it with scadmin stopnode, or choose another HAVEN_ROOT.',
    })
  }
  writeFileSync(facts, `${JSON.stringify({ pid: process.pid })}\n`)
  return () => realFiles.close('clustd:lock', lock)
}

function whoIs(facts: string): string {
  try {
    const { pid } = JSON.parse(readFileSync(facts, 'utf8')) as { readonly pid: number }
    return ` as process ${pid}`
  } catch {
    // It is only for people; the lock is what counts.
    return ''
  }
}
