import { describeError, HaError } from '../errors/ha-error.ts'
import type { LogicalHostName } from '../model/names.ts'
import { isSameValue } from '../model/same-value.ts'
import type { Holding } from '../ports/guard.ts'
import { type GuardPlaces, makeGuardPlaces, readHoldings, removeHolding, writeHolding } from './guard-files.ts'

/**
 * Keeps one file for each logical host that is held, and writes only those that changed: a host that takes on 500 logical hosts says so 500 times.
 * Calls that come while one is being written share the one after it.
 */
export class HoldingFiles {
  private readonly places: GuardPlaces
  private written: Map<LogicalHostName, Holding> | undefined
  private running: Promise<unknown> = Promise.resolve()
  private next: { holdings: readonly Holding[]; readonly done: Promise<number> } | undefined
  private number = 0

  constructor(places: GuardPlaces) {
    this.places = places
  }

  /** Makes the files those of `holdings`, and returns how often they have changed; calls that share a change get the same number. Throws `GUARD_LOST` when that is not possible. */
  hold(holdings: readonly Holding[]): Promise<number> {
    if (this.next !== undefined) {
      this.next.holdings = holdings
      return this.next.done
    }
    const done = this.running.then(() => {
      const latest = this.next?.holdings ?? holdings
      this.next = undefined
      return this.write(latest)
    })
    this.next = { holdings, done }
    this.running = done.catch(() => undefined) // Whoever asked is told; the next one has his own try.
    return done
  }

  private async write(holdings: readonly Holding[]): Promise<number> {
    try {
      this.written ??= await this.readWritten()
      const { written } = this
      const wanted = new Map(holdings.map((holding) => [holding.logicalHost, holding]))
      const changed = holdings.filter((holding) => !isSameValue(written.get(holding.logicalHost), holding))
      const removed = [...written.keys()].filter((name) => !wanted.has(name))
      await Promise.all([
        ...changed.map((holding) => writeHolding(this.places, holding)),
        ...removed.map((name) => removeHolding(this.places, name)),
      ])
      this.written = wanted
      if (changed.length + removed.length > 0) this.number += 1
      return this.number
    } catch (error) {
      // What is there now is unknown: the next call begins with a look.
      this.written = undefined
      throw new HaError('GUARD_LOST', `the guard cannot be told what to stop: ${describeError(error)}`, {
        hint: `Look after the disk of ${this.places.holdings}.`,
        cause: error,
      })
    }
  }

  private async readWritten(): Promise<Map<LogicalHostName, Holding>> {
    await makeGuardPlaces(this.places)
    const holdings = await readHoldings(this.places)
    return new Map(holdings.map((holding) => [holding.logicalHost, holding]))
  }
}
