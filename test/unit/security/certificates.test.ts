import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { fingerprintOf, isSignedBy, readCertificate } from '../../../src/framework/security/certificate.ts'
import { fingerprintOfPrivateKey, makePrivateKey } from '../../../src/framework/security/keys.ts'
import {
  type CertifiedKey,
  makeAuthority,
  makeCertificate,
  makeRequest,
  readRequest,
} from '../../../src/framework/security/make-certificates.ts'

const NOW_MS = 1_790_000_000_000
const DAY_MS = 86_400_000

let authority: CertifiedKey
beforeAll(async () => {
  authority = await makeAuthority('demo', NOW_MS)
})

const publicOf = (key: string): KeyObject => createPublicKey(createPrivateKey(key))

async function certify(key: string, addresses: readonly string[] = []): Promise<string> {
  const names = { cluster: 'demo', name: 'alpha', role: 'host' as const, addresses }
  return makeCertificate({ ...names, authority, publicKey: publicOf(key), nowWallMs: NOW_MS })
}

describe('a certificate', () => {
  it('says who it is for, for how long, and whose key it holds', async () => {
    const key = makePrivateKey()
    const certificate = await certify(key, ['10.0.0.1', 'fd00::1', 'alpha.example.com'])
    expect(readCertificate(certificate)).toEqual({
      cluster: 'demo',
      name: 'alpha',
      role: 'host',
      keyFingerprint: fingerprintOfPrivateKey(key),
      validFromWallMs: NOW_MS - 3_600_000,
      validUntilWallMs: NOW_MS + 90 * DAY_MS,
      addresses: ['alpha', '10.0.0.1', 'fd00::1', 'alpha.example.com', 'localhost', '127.0.0.1', '::1'],
    })
  })

  it('is that of its authority and of no other one', async () => {
    const certificate = await certify(makePrivateKey())
    const other = await makeAuthority('demo', NOW_MS)
    expect(isSignedBy(certificate, authority.certificate)).toBe(true)
    expect(isSignedBy(certificate, other.certificate)).toBe(false)
    expect(fingerprintOf(other.certificate)).not.toBe(fingerprintOf(authority.certificate))
  })

  it('never has the serial number of another one', async () => {
    const key = makePrivateKey()
    const serials = await Promise.all(
      Array.from({ length: 20 }, async () => new X509Certificate(await certify(key)).serialNumber),
    )
    expect(new Set(serials).size).toBe(20)
  })

  it('of something else is refused', () => {
    expect(() => readCertificate(authority.certificate)).toThrow('not that of a host')
    expect(() => readCertificate('rubbish')).toThrow('cannot be read')
  })
})

describe('a request for a certificate', () => {
  it('names the key that it was signed with', async () => {
    const key = makePrivateKey()
    const publicKey = await readRequest(await makeRequest('alpha', key))
    expect(publicKey.equals(publicOf(key))).toBe(true)
  })

  it('is refused when it was changed on the way', async () => {
    const request = await makeRequest('alpha', makePrivateKey())
    const lines = request.split('\n')
    const body = Buffer.from(lines.slice(1, -2).join(''), 'base64')
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1
    const changed = [lines[0], body.toString('base64'), lines.at(-2)].join('\n')
    await expect(readRequest(changed)).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' })
    await expect(readRequest('rubbish')).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' })
  })
})
