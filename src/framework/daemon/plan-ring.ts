import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeError } from '../errors/ha-error.ts'
import type { PlanInput } from '../execute/commit-plan.ts'
import type { Effects } from '../ports/effects.ts'
import type { Log } from '../ports/log.ts'

/** Enough to hold the story of a bad day; a large cluster's state is some hundred kilobytes. */
const PLANS_MAX = 100
/** Writing out a state costs milliseconds that the plan itself should not wait for. */
const WRITE_AFTER_MS = 1_000

/** Keeps what the last plans were made from, so that a bug in the field becomes a scenario: `var/lib/haven/plans/00.json` to `99.json`, by number. */
export class PlanRing {
  readonly #directory: string
  readonly #effects: Effects
  readonly #log: Log
  #waiting: PlanInput[] = []
  #isWriting = false

  constructor(root: string, effects: Effects, log: Log) {
    this.#directory = join(root, 'var/lib/haven/plans')
    this.#effects = effects
    this.#log = log
  }

  /** Never throws, never waits. */
  record(input: PlanInput): void {
    this.#waiting.push(input)
    this.#waiting = this.#waiting.slice(-PLANS_MAX)
    if (this.#isWriting) return
    this.#isWriting = true
    void this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    try {
      await this.#effects.sleep(WRITE_AFTER_MS)
      await this.flush()
    } finally {
      this.#isWriting = false
    }
  }

  /** Writes what is waiting. */
  async flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    try {
      if (waiting.length > 0) await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      for (const input of waiting) await this.#write(input)
    } catch (error) {
      this.#log.write({ level: 'warn', message: `what a plan was made from is not kept: ${describeError(error)}` })
    }
  }

  async #write(input: PlanInput): Promise<void> {
    const name = String(input.plan.number % PLANS_MAX).padStart(2, '0')
    const draft = join(this.#directory, `.${name}.new`)
    await writeFile(draft, JSON.stringify(input, mapsAsObjects), { mode: 0o600 })
    await rename(draft, join(this.#directory, `${name}.json`))
  }
}

function mapsAsObjects(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}
