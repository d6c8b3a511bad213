import type { Effects } from '../ports/effects.ts'
import { CommandError, type CommandResult, type RunCommand } from './run-command.ts'

/** Runs a program that does what its standard input says. Rejects with `CommandError`, or the signal's reason. */
export type RunWithInput = (input: string, signal: AbortSignal) => Promise<CommandResult>

/** A program that may be started before it is needed, as its start takes longer than its work. What it does may be done twice: one that waited may have ended. */
export interface SpareProgram {
  /** Runs the one that waits, or another one. */
  readonly run: RunWithInput
  /** It will be needed soon: one is started, unless one waits already. Never waits, never throws. */
  expect(): void
  /** Ends the one that waits. */
  close(): void
}

/** Nobody came for so long: what was expected has been given up, or is in the middle of a long step. */
const WAITS_MS_MAX = 3_000
/** What is expected again so soon is the same: its program has been used, and another one would be in its way. */
const AGAIN_AFTER_MS = 1_000

/** Makes one. */
export function createSpareProgram(
  run: RunCommand,
  argv: readonly [string, ...string[]],
  effects: Pick<Effects, 'sleep' | 'nowMonotonicMs'>,
): SpareProgram {
  let waiting: Waiting | undefined
  let startedMs = Number.NEGATIVE_INFINITY
  const take = (): Waiting | undefined => {
    const taken = waiting
    waiting = undefined
    taken?.taken.abort()
    return taken
  }
  return {
    run: async (input, signal) => {
      signal.throwIfAborted()
      const taken = take()
      if (taken === undefined || taken.hasEnded) return await run(argv, { signal, input })
      const giveUp = (): void => taken.cut.abort(signal.reason)
      signal.addEventListener('abort', giveUp, { once: true })
      try {
        taken.feed(input)
        return await taken.result
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
      } finally {
        signal.removeEventListener('abort', giveUp)
      }
      return await run(argv, { signal, input })
    },
    expect: () => {
      const nowMs = effects.nowMonotonicMs()
      if (waiting?.hasEnded === false || nowMs - startedMs < AGAIN_AFTER_MS) return
      startedMs = nowMs
      take()
      const mine = new Waiting(run, argv)
      waiting = mine
      effects.sleep(WAITS_MS_MAX, mine.taken.signal).then(
        () => {
          if (waiting !== mine) return
          waiting = undefined
          mine.cut.abort(new Error('not needed'))
        },
        () => undefined, // Taken.
      )
    },
    close: () => take()?.cut.abort(new Error('not needed any more')),
  }
}

/** A run that waits for its input. */
class Waiting {
  readonly taken = new AbortController()
  readonly cut = new AbortController()
  readonly result: Promise<CommandResult>
  hasEnded = false
  #feed: (input: string) => void = () => undefined

  constructor(run: RunCommand, argv: readonly [string, ...string[]]) {
    const input = new Promise<string>((resolve) => {
      this.#feed = resolve
    })
    this.result = run(argv, { signal: this.cut.signal, input })
    const end = (): void => {
      this.hasEnded = true
    }
    this.result.then(end, end)
  }

  feed(input: string): void {
    this.#feed(input)
  }
}
