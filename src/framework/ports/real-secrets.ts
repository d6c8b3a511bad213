import { randomBytes } from 'node:crypto'

/**
 * Makes random bytes that nobody can foresee, for keys, tokens and serial numbers. Not part of `Effects`: a seed that brings the same
 * secret again is what a secret must not have, and nothing that is simulated depends on one.
 */
export function makeSecret(bytes: number): Buffer {
  return randomBytes(bytes)
}
