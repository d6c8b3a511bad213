import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

/** Makes a private key (ECDSA, P-256): PEM, PKCS #8. */
export function makePrivateKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Returns the SHA-256 of a public key (SubjectPublicKeyInfo), hexadecimal: it names the key, whichever certificate holds it. */
export function fingerprintOfKey(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

/** Returns the fingerprint of the public half of a private key in PEM. */
export function fingerprintOfPrivateKey(key: string): string {
  return fingerprintOfKey(createPublicKey(createPrivateKey(key)))
}
