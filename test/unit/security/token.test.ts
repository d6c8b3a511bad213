import { describe, expect, it } from 'vitest'
import { hashSecret, isSecretOf, makeToken, readToken, writeToken } from '../../../src/framework/security/token.ts'

const FINGERPRINT = 'ab'.repeat(32)

describe('a token', () => {
  it('is written and read again', () => {
    const token = makeToken(FINGERPRINT)
    expect(readToken(writeToken(token))).toEqual(token)
    expect(readToken(` ${writeToken(token)}\n`)).toEqual(token)
    expect(writeToken(token)).toMatch(/^haven1-[A-Za-z0-9_-]+$/)
  })

  it('is not whole when any letter of it is missing or another one', () => {
    const text = writeToken(makeToken(FINGERPRINT))
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A'
      for (const spoiled of [text.slice(0, at) + text.slice(at + 1), text.slice(0, at) + other + text.slice(at + 1)])
        expect(() => readToken(spoiled), `letter ${at}`).toThrow('not a whole token')
    }
    expect(() => readToken('')).toThrow('not a whole token')
  })

  it('is kept as a hash that only its secret fits', () => {
    const [one, other] = [makeToken(FINGERPRINT), makeToken(FINGERPRINT)]
    expect(isSecretOf(hashSecret(one.secret), one.secret)).toBe(true)
    expect(isSecretOf(hashSecret(one.secret), other.secret)).toBe(false)
    expect(isSecretOf(hashSecret(one.secret), one.secret.subarray(1))).toBe(false)
  })
})
