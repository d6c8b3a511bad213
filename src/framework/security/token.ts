import { createHash, timingSafeEqual } from 'node:crypto'
import { HaError } from '../errors/ha-error.ts'
import { makeSecret } from '../ports/real-secrets.ts'

/** A token in its parts. */
export interface TokenParts {
  /** SHA-256 of the certificate of the authority, hexadecimal: whoever joins knows by it that it speaks with the right cluster. */
  readonly authorityFingerprint: string
  /** Names the record of the token; 16 hexadecimal digits. */
  readonly id: string
  readonly secret: Buffer
}

const PREFIX = 'haven1-'
const FINGERPRINT_BYTES = 32
const ID_BYTES = 8
/** Nobody guesses 24 bytes, so that the limit of attempts is a limit of noise. */
const SECRET_BYTES = 24
/** Finds a token that was cut off or mistyped before anybody is asked. */
const CHECK_BYTES = 4

/** Makes a new token for the cluster with that authority. */
export function makeToken(authorityFingerprint: string): TokenParts {
  return { authorityFingerprint, id: makeSecret(ID_BYTES).toString('hex'), secret: makeSecret(SECRET_BYTES) }
}

/** Writes a token as the text that is handed on; letters, digits, `-` and `_` only. */
export function writeToken({ authorityFingerprint, id, secret }: TokenParts): string {
  const bytes = Buffer.concat([Buffer.from(authorityFingerprint, 'hex'), Buffer.from(id, 'hex'), secret])
  return `${PREFIX}${Buffer.concat([bytes, checkOf(bytes)]).toString('base64url')}`
}

/** Reads a token. Throws `TOKEN_REFUSED` when it is none, or not whole. */
export function readToken(text: string): TokenParts {
  const encoded = text.trim().slice(PREFIX.length)
  const all = Buffer.from(encoded, 'base64url')
  const bytes = all.subarray(0, -CHECK_BYTES)
  const isWhole =
    all.length === FINGERPRINT_BYTES + ID_BYTES + SECRET_BYTES + CHECK_BYTES &&
    // The last letter has bits to spare: several decode to the same.
    all.toString('base64url') === encoded &&
    checkOf(bytes).equals(all.subarray(-CHECK_BYTES))
  if (!text.trim().startsWith(PREFIX) || !isWhole) {
    throw new HaError('TOKEN_REFUSED', 'this is not a whole token', {
      hint: 'Copy all of what `scadmin token` printed, or make a new one on a host of the cluster.',
    })
  }
  return {
    authorityFingerprint: bytes.subarray(0, FINGERPRINT_BYTES).toString('hex'),
    id: bytes.subarray(FINGERPRINT_BYTES, FINGERPRINT_BYTES + ID_BYTES).toString('hex'),
    secret: Buffer.from(bytes.subarray(FINGERPRINT_BYTES + ID_BYTES)),
  }
}

/** Returns what the database keeps of a secret. */
export function hashSecret(secret: Uint8Array): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Tells whether it is the secret of that hash, in a time that says nothing about it. */
export function isSecretOf(secretHash: string, secret: Uint8Array): boolean {
  return timingSafeEqual(Buffer.from(secretHash, 'hex'), Buffer.from(hashSecret(secret), 'hex'))
}

function checkOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, CHECK_BYTES)
}
