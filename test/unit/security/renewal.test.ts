import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { isSignedBy, readCertificate } from '../../../src/framework/security/certificate.ts'
import { makeFirstIdentity } from '../../../src/framework/security/certify.ts'
import { type Identity, readIdentity, writeIdentity } from '../../../src/framework/security/identity-files.ts'
import { renewOwnCertificate } from '../../../src/framework/security/renew.ts'
import { isRenewalDue } from '../../../src/framework/security/validity.ts'

const MADE_MS = 1_790_000_000_000
const DAY_MS = 86_400_000

let root: string
let made: Identity
let nowWallMs: number
const log: string[] = []
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'haven-renewal-'))
  nowWallMs = MADE_MS
  log.length = 0
  made = await makeFirstIdentity({ cluster: 'demo', name: 'alpha', addresses: ['10.0.0.1'], nowWallMs: MADE_MS })
  writeIdentity(root, made)
})
afterEach(() => rmSync(root, { recursive: true }))

const renew = (addresses: readonly string[] = []): Promise<boolean> => {
  const effects = { ...createRealEffects(), nowWallMs: () => nowWallMs }
  return renewOwnCertificate({ root, effects, tell: (sentence) => log.push(sentence) }, addresses)
}

const certificate = (): string => readIdentity(root)?.hostCertificate ?? ''

describe('the certificate of a host', () => {
  it('stays as it is until a third of its time is left', async () => {
    nowWallMs = MADE_MS + 59 * DAY_MS
    expect(await renew(['10.0.0.1'])).toBe(false)
    expect(certificate()).toBe(made.hostCertificate)
    expect(log).toEqual([])
  })

  it.each([
    ['when a third of its time is left', 61],
    ['after a year in which the host was off', 365],
  ])('is renewed for the same key %s', async (_when, days) => {
    nowWallMs = MADE_MS + days * DAY_MS
    expect(await renew()).toBe(true)
    const [before, after] = [readCertificate(made.hostCertificate), readCertificate(certificate())]
    expect(isSignedBy(certificate(), made.caCertificate)).toBe(true)
    expect(after).toEqual({
      ...before,
      validFromWallMs: nowWallMs - 3_600_000,
      validUntilWallMs: nowWallMs + 90 * DAY_MS,
    })
    expect(log).toEqual([expect.stringContaining('renewed the certificate of this host')])
    expect(await renew()).toBe(false)
  })

  it('is made for further addresses, and keeps those it had', async () => {
    expect(await renew(['10.0.1.1', '10.0.0.1'])).toBe(true)
    expect(readCertificate(certificate()).addresses).toEqual(expect.arrayContaining(['10.0.0.1', '10.0.1.1', 'alpha']))
    expect(await renew(['10.0.1.1'])).toBe(false)
    nowWallMs = MADE_MS + 61 * DAY_MS
    expect(await renew()).toBe(true)
    expect(readCertificate(certificate()).addresses).toEqual(expect.arrayContaining(['10.0.0.1', '10.0.1.1', 'alpha']))
  })

  it('is left to others where there is no key of the authority, and where there is nothing', async () => {
    nowWallMs = MADE_MS + 365 * DAY_MS
    writeIdentity(root, { ...made, caKey: undefined })
    expect(await renew()).toBe(false)
    rmSync(join(root, 'etc'), { recursive: true })
    expect(await renew()).toBe(false)
  })
})

describe('a short certificate', () => {
  it('is due when a third of it is left', () => {
    const short = { validFromWallMs: MADE_MS - 3_600_000, validUntilWallMs: MADE_MS + 90_000 }
    expect(isRenewalDue(short, MADE_MS + 59_000)).toBe(false)
    expect(isRenewalDue(short, MADE_MS + 61_000)).toBe(true)
  })
})
