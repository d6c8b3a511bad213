import { describeError, HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import { MISSING_PROGRAMS_MAX } from '../model/missing-programs.ts'
import { isSameValue } from '../model/same-value.ts'
import { neededPrograms } from '../plan/needed-programs.ts'
import { type Draft, putMissingPrograms, remove, toWrite } from '../records/encode.ts'
import { keyOf } from '../records/keys.ts'
import type { Host } from './host.ts'

/** Programs come and go without telling anybody. Often enough to be seen before the next takeover, seldom enough to cost nothing. */
export const LOOK_EVERY_MS = 30_000

/** Shows all hosts which programs of methods this one could not execute, so that a broken standby is known before it is needed. */
export class ProgramWatch {
  readonly #host: Host
  /** What the last look was based on: the same maps as long as nothing in them has changed. */
  #basis: readonly unknown[] = []
  #wake = new AbortController()

  constructor(host: Host) {
    this.#host = host
    host.knowledge.listen((touched) => {
      if (touched.state && this.#isOutdated()) this.#wake.abort()
    })
  }

  /** Looks when what is registered changes, and now and then, until the life ends. */
  async run(): Promise<void> {
    const { parts, life } = this.#host
    while (!life.signal.aborted) {
      this.#wake = new AbortController()
      await this.#look()
      await sleepUntilAborted(parts.effects, LOOK_EVERY_MS, AbortSignal.any([life.signal, this.#wake.signal]))
    }
  }

  async #look(): Promise<void> {
    const { parts, life } = this.#host
    this.#basis = this.#basisNow()
    const needed = neededPrograms(this.#host.state(), parts.host, parts.identity.root)
    const programs = [...new Set(needed.flatMap((one) => one.programs))]
    try {
      const missing = programs.length === 0 ? [] : await parts.missingPrograms(programs, life.signal)
      if (!life.signal.aborted) await this.#publish(missing.slice(0, MISSING_PROGRAMS_MAX))
    } catch (error) {
      if (!(error instanceof HaError)) throw error
      // What was found last stays: it is looked at again soon, and whoever needs to know that the database is away reads it from the stamps.
      parts.log.write({ level: 'debug', message: `missing programs are not known: ${describeError(error)}` })
    }
  }

  /** Guarded on the member record: a host that is gone writes nothing any more, and its record was removed with its membership. */
  async #publish(programs: readonly string[]): Promise<void> {
    const { parts, view, knowledge } = this.#host
    const known = view.missingPrograms().get(parts.host)?.programs ?? []
    if (isSameValue(known, programs) || this.#host.ownMember() === undefined) return
    const key = keyOf.programs(parts.host)
    const draft: Draft = programs.length === 0 ? remove(key) : putMissingPrograms({ host: parts.host, programs })
    const guards = [view.guardOf(keyOf.member(parts.host))]
    const outcome = await parts.database.commit(guards, [toWrite(draft)], { durability: 'volatile' })
    // Another life of this host, or its leave, was faster; the next look sees what is so then.
    if (outcome.kind === 'lost-race') return
    knowledge.take(view.committed(outcome.revision, [draft]))
    this.#log(programs)
  }

  #log(programs: readonly string[]): void {
    const { host, log } = this.#host.parts
    if (programs.length === 0) log.write({ level: 'info', message: `${host} can execute all registered programs` })
    else
      log.write({
        level: 'warn',
        message: `${host} cannot execute ${programs.length} of the registered programs`,
        facts: { programs },
      })
  }

  #isOutdated(): boolean {
    return this.#host.view.isConfigured && this.#basisNow().some((map, index) => map !== this.#basis[index])
  }

  #basisNow(): readonly unknown[] {
    const { logicalHosts, dataServices } = this.#host.state()
    return [logicalHosts, dataServices]
  }
}
