import { readFileSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createClient, operatorOf, socketPathOf } from '../framework/api/client.ts'
import { HaError } from '../framework/errors/ha-error.ts'
import type { Output } from './context.ts'
import type { World } from './run-command.ts'

/** Characters of a line where there is no terminal: what the tables are made for. */
const COLUMNS_DEFAULT = 100

/** Makes the world that commands run in. */
export function realWorld(): World {
  const environment = process.env
  const root = resolve(environment['HAVEN_ROOT'] || '/')
  return {
    stdout: toOutput(process.stdout),
    stderr: toOutput(process.stderr),
    environment,
    root,
    // All commands are links to, or copies of the path of, `<installation>/bin/<name>`.
    installation: dirname(dirname(realpathSync(process.argv[1] ?? '.'))),
    api: createClient({ socketPath: socketPathOf(root), operator: operatorOf(environment) }),
    nowMs: () => performance.now(),
    sleep,
    onInterrupt: (listener) => {
      process.on('SIGINT', listener)
      return () => process.off('SIGINT', listener)
    },
    ask: process.stdin.isTTY === true && process.stderr.isTTY === true ? ask : undefined,
    adapters: readAdapters,
    offline: () => import('../framework/daemon/offline.ts'),
  }
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const closed = new Promise<never>((_, reject) => {
    terminal.once('close', () => reject(new HaError('ABORTED', 'nothing was done')))
  })
  try {
    return await Promise.race([terminal.question(question), closed])
  } finally {
    terminal.close()
  }
}

/** Not from /sys, which may show another network namespace. */
function readAdapters(): readonly string[] {
  try {
    const lines = readFileSync('/proc/self/net/dev', 'utf8').split('\n')
    return lines.flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.[1] ?? [])
  } catch {
    return []
  }
}

function toOutput(stream: NodeJS.WriteStream): Output {
  // A reader that has seen enough (`hastat | head`) is no failure of the command.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return {
    write: (text) => stream.write(text),
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.isTTY === true && stream.columns > 0 ? stream.columns : COLUMNS_DEFAULT
    },
    get rows() {
      return stream.isTTY === true && stream.rows > 0 ? stream.rows : Number.POSITIVE_INFINITY
    },
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal?.aborted === true) return done()
    const timer = setTimeout(finish, ms)
    signal?.addEventListener('abort', finish, { once: true })
    function finish(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
      done()
    }
  })
}
