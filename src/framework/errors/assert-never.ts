import assert from 'node:assert/strict'

/** Ends a `switch` over a tagged union: the compiler proves it unreachable, and a value from outside that slipped in stops the daemon. */
export function assertNever(value: never): never {
  assert.fail(`unexpected variant ${JSON.stringify(value)}`)
}
