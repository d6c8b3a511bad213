/**
 * A map whose present content can be handed out: what was handed out never changes. It is copied by the first change after that, so that
 * many changes in a row cost one copy.
 */
export class CopiedMap<Key, Value> {
  #map = new Map<Key, Value>()
  #isHandedOut = false

  get size(): number {
    return this.#map.size
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key)
  }

  has(key: Key): boolean {
    return this.#map.has(key)
  }

  set(key: Key, value: Value): void {
    this.#own().set(key, value)
  }

  delete(key: Key): void {
    if (this.#map.has(key)) this.#own().delete(key)
  }

  /** Returns the content as it is now, for good. */
  handOut(): ReadonlyMap<Key, Value> {
    this.#isHandedOut = true
    return this.#map
  }

  #own(): Map<Key, Value> {
    if (this.#isHandedOut) {
      this.#map = new Map(this.#map)
      this.#isHandedOut = false
    }
    return this.#map
  }
}
