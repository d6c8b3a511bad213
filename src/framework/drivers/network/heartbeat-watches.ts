/** A line as far as its silence matters. */
export interface Heard {
  readonly heardMs: number
}

/** Finds out when lines fall silent and are heard again, for each length of silence that somebody asked about. */
export class SilenceWatches<Line extends Heard> {
  readonly #watches = new Map<number, Watch<Line>>()

  add(id: number, silentMs: number): void {
    this.#watches.set(id, { silentMs, audible: new Set() })
  }

  remove(id: number): void {
    this.#watches.delete(id)
  }

  /** Notes that a line was heard just now. Returns the watches for which it was silent before. */
  heard(line: Line): readonly number[] {
    const changed: number[] = []
    for (const [id, { audible }] of this.#watches) {
      if (audible.has(line)) continue
      audible.add(line)
      changed.push(id)
    }
    return changed
  }

  /** Forgets lines that are no more. Returns the watches for which one of them was heard. */
  keep(lines: ReadonlySet<Line>): readonly number[] {
    return this.#drop((line) => !lines.has(line))
  }

  /** Returns the watches for which a line has fallen silent. What lies before `listeningSinceMs` was not listened to, and is no silence. */
  judge(nowMs: number, listeningSinceMs: number): readonly number[] {
    return this.#drop((line, silentMs) => nowMs - Math.max(line.heardMs, listeningSinceMs) >= silentMs)
  }

  /** When the next line falls silent if it is not heard any more; `Infinity` = none can. */
  nextMs(listeningSinceMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const { silentMs, audible } of this.#watches.values()) {
      for (const line of audible) nextMs = Math.min(nextMs, Math.max(line.heardMs, listeningSinceMs) + silentMs)
    }
    return nextMs
  }

  #drop(isGone: (line: Line, silentMs: number) => boolean): readonly number[] {
    const changed: number[] = []
    for (const [id, { silentMs, audible }] of this.#watches) {
      const gone = [...audible].filter((line) => isGone(line, silentMs))
      for (const line of gone) audible.delete(line)
      if (gone.length > 0) changed.push(id)
    }
    return changed
  }
}

interface Watch<Line> {
  readonly silentMs: number
  /** Lines that are not silent. */
  readonly audible: Set<Line>
}
