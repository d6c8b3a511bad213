import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFirstIdentity } from '../../../src/framework/security/certify.ts'
import {
  finishIdentity,
  type Identity,
  prepareHostKey,
  readIdentity,
  writeHostCertificate,
  writeIdentity,
} from '../../../src/framework/security/identity-files.ts'
import { securityPaths } from '../../../src/framework/security/paths.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'haven-identity-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const make = (): Promise<Identity> =>
  makeFirstIdentity({ cluster: 'demo', name: 'alpha', addresses: [], nowWallMs: 1_790_000_000_000 })

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

describe('what a host proves itself with', () => {
  it('is written and read again, and nobody else may look', async () => {
    expect(readIdentity(root)).toBeUndefined()
    const identity = await make()
    writeIdentity(root, identity)
    expect(readIdentity(root)).toEqual(identity)
    const { directory, ...files } = securityPaths(root)
    expect(modeOf(directory)).toBe('700')
    for (const file of Object.values(files)) expect(modeOf(file), file).toBe('600')
  })

  it('is replaced as a whole: a witness keeps no key of the authority', async () => {
    writeIdentity(root, await make())
    const witness = { ...(await make()), caKey: undefined, clusterKey: undefined }
    writeIdentity(root, witness)
    expect(readIdentity(root)).toEqual(witness)
    const { caKey, clusterKey, directory } = securityPaths(root)
    expect([caKey, clusterKey, `${directory}.new`, `${directory}.former`].filter(existsSync)).toEqual([])
  })

  it('is refused when a part of it is missing or cut off', async () => {
    writeIdentity(root, await make())
    const { hostCertificate, clusterKey } = securityPaths(root)
    writeFileSync(clusterKey, 'short')
    expect(() => readIdentity(root)).toThrow('not whole')
    rmSync(clusterKey)
    rmSync(hostCertificate)
    expect(() => readIdentity(root)).toThrow('not whole')
  })

  it('gets another certificate while its key stays', async () => {
    const identity = await make()
    writeIdentity(root, identity)
    writeHostCertificate(root, 'another')
    expect(readIdentity(root)).toEqual({ ...identity, hostCertificate: 'another' })
  })
})

describe('the key of a host that is about to join', () => {
  it('is the same after a try that was cut off, wherever it was cut', async () => {
    const key = prepareHostKey(root)
    expect(prepareHostKey(root)).toBe(key)
    expect(readIdentity(root)).toBeUndefined()
    writeIdentity(root, { ...(await make()), hostKey: key }, { isUnfinished: true })
    expect(prepareHostKey(root)).toBe(key)
    expect(prepareHostKey(root)).toBe(key)
  })

  it('is another one when the host had joined and joins anew', async () => {
    const key = prepareHostKey(root)
    writeIdentity(root, { ...(await make()), hostKey: key }, { isUnfinished: true })
    finishIdentity(root)
    expect(prepareHostKey(root)).not.toBe(key)
    expect(readIdentity(root)?.hostKey).toBe(key)
  })
})
