// @ts-check
import { isDeepStrictEqual } from 'node:util'

/** Collects what was not as it should be. A failed check does not end the demo: the rest of the story tells why. */
export class Checks {
  count = 0
  /** @type {string[]} */
  failures = []

  /**
   * @param {string} what - a sentence that holds when all is well
   * @param {unknown} seen
   * @param {unknown} wanted
   */
  expect(what, seen, wanted) {
    this.count += 1
    if (isDeepStrictEqual(seen, wanted)) return
    this.failures.push(`Not so: ${what}. Expected ${JSON.stringify(wanted)}, saw ${JSON.stringify(seen)}.`)
  }

  /** @param {string} message */
  fail(message) {
    this.count += 1
    this.failures.push(message)
  }
}
