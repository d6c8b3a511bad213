import { HaError } from '../../errors/ha-error.ts'
import type { Effects } from '../../ports/effects.ts'
import type { Files, OpenFile } from '../../ports/files.ts'
import { LOCK_BACKOFF_MS_MAX, LOCK_SPINS_MAX } from '../limits.ts'

export interface KernelLockOptions {
  readonly files: Files
  readonly effects: Effects
  readonly path: string
  /** Milliseconds that `waitFor` tries, at most. */
  readonly waitMsMax: number
}

/**
 * Keeps the writers of several processes apart (decision note 0002). What runs under the lock is one function without `await`: so two users of one process cannot
 * meet there either, although the kernel gives the lock to one open file twice, and a stopped process holds it with the least likelihood.
 */
export class KernelLock {
  readonly #options: KernelLockOptions
  readonly #file: OpenFile

  constructor(options: KernelLockOptions) {
    this.#options = options
    this.#file = options.files.open('lock:open', options.path, 'create')
  }

  /** Runs `section` if the lock is free now, or nearly so. Returns false, and has not run it, when it is not. */
  tryRun(section: () => void): boolean {
    const { files } = this.#options
    for (let spin = 0; !files.tryLock('lock:take', this.#file); spin += 1) if (spin >= LOCK_SPINS_MAX) return false
    try {
      section()
    } finally {
      files.unlock('lock:give', this.#file)
    }
    return true
  }

  /** Waits until it could run `section`. Throws `DATABASE_BUSY` after `waitMsMax`, and the reason of `signal`. */
  async run<T>(section: () => T, signal?: AbortSignal): Promise<T> {
    let result: { readonly value: T } | undefined
    const { effects, waitMsMax } = this.#options
    const startedMs = effects.nowMonotonicMs()
    const runIt = (): void => {
      result = { value: section() }
    }
    while (!this.tryRun(runIt)) {
      if (effects.nowMonotonicMs() - startedMs > waitMsMax) throw this.#busyError()
      await effects.sleep(LOCK_BACKOFF_MS_MAX * effects.random(), signal)
    }
    return (result as { readonly value: T }).value
  }

  /** Tells whether the path still names the file that is locked here: if not, others lock another one. */
  isStill(): boolean {
    return this.#options.files.isStill('lock:look', this.#options.path, this.#file)
  }

  close(): void {
    this.#options.files.close('lock:close', this.#file)
  }

  #busyError(): HaError {
    const { path, waitMsMax } = this.#options
    return new HaError(
      'DATABASE_BUSY',
      `another process has held the lock of the cluster database, ${path}, for more than ${waitMsMax} ms`,
      {
        hint: `Nothing was committed. A process that is stopped (state T) may hold it: find it with \`fuser ${path}\`, and let it go on or kill it.`,
      },
    )
  }
}
