import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describeError, type ErrorJson, HaError } from '../errors/ha-error.ts'
import type { StartWish } from './join.ts'

/** What a detached clustd tells whoever started it, once. */
export type Told = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly error: unknown }

type Message = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly error: Omit<ErrorJson, 'retryable'> }

/** Tells the parent how the start went, and lets go of it. Does nothing when clustd was started in the foreground. */
export function tellParent(told: Told): void {
  if (process.send === undefined || !process.connected) return
  const message: Message = told.kind === 'ready' ? told : { kind: 'failed', error: toJson(told.error) }
  process.send(message, () => process.disconnect())
}

/**
 * A daemon that moves something once a month need not keep what it needed for that. Measured (resident, 15 s after six switchovers): 86 MB without,
 * 80 MB with the first, 74 MB with both. A young generation of this size costs nothing that can be measured when 20 logical hosts move at once.
 */
const NODE_OPTIONS = ['--max-semi-space-size=1']
/** What glibc begins with. Said aloud, it stays so; otherwise one large block that was freed makes glibc keep many. */
const MALLOC = { MALLOC_TRIM_THRESHOLD_: '131072' }

/**
 * Starts a clustd that goes on in the background; resolves when its host is a member. Rejects with why it is not: what the start threw, or
 * `INTERNAL` when it ended without a word.
 */
export async function startDetached({
  root,
  mode,
  program = process.argv[1] ?? '',
}: {
  readonly root: string
  readonly mode: StartWish
  /** Path of `bin/clustd`; default: this program. */
  readonly program?: string
}): Promise<void> {
  const output = openOutput(join(root, 'var/log/haven/clustd.out'))
  const child = spawn(process.execPath, [...process.execArgv, ...NODE_OPTIONS, program, '--mode', mode], {
    detached: true,
    cwd: '/',
    env: { ...process.env, ...MALLOC, HAVEN_ROOT: root },
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  const message = await firstMessage(child)
  child.unref()
  if (message.kind === 'ready') return
  const { code, message: text, hint, details } = message.error
  throw new HaError(code, text, { details, ...(hint === null ? {} : { hint }) })
}

function firstMessage(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`
      reject(new HaError('INTERNAL', `clustd ended ${how} while it started`, { hint: 'See var/log/haven/clustd.out.' }))
    })
  })
}

function openOutput(path: string): number {
  mkdirSync(dirname(path), { recursive: true })
  return openSync(path, 'a', 0o600)
}

function toJson(error: unknown): Omit<ErrorJson, 'retryable'> {
  if (error instanceof HaError) {
    return { code: error.code, message: error.message, hint: error.hint ?? null, details: error.details }
  }
  return { code: 'INTERNAL', message: describeError(error), hint: null, details: [] }
}
