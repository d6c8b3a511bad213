import { HaError } from '../../errors/ha-error.ts'
import type { AdmittedRole, JoinToken } from '../../model/admission.ts'
import { isSecretOf } from '../../security/token.ts'
import type { AdmissionChange, AdmissionsSeen } from './book.ts'

/** Wrong secrets for one token after which it is of no use any more: then somebody tries to guess. */
export const TOKEN_FAILURES_MAX = 5
/** Tokens that are kept at the same time, used and expired ones not counted. */
export const TOKENS_MAX = 32
/** A token that was used stays so long after its time that whoever used it may still come again and hear why not. */
const KEPT_AFTER_MS = 3_600_000

/** What somebody comes with. */
export interface TokenShown {
  readonly tokenId: string
  /** Hexadecimal. */
  readonly secret: string
  readonly role: AdmittedRole
  /** Of the key that it wants to be let in with. */
  readonly keyFingerprint: string
}

/** What a token is worth. `isGuess`: the secret was wrong. */
export type TokenVerdict =
  | { readonly kind: 'good'; readonly token: JoinToken }
  | { readonly kind: 'refused'; readonly isGuess: boolean; readonly error: HaError }

const ANOTHER = 'Make another one on a host of the cluster: scadmin token'

/** Judges a token: it must be one of this cluster, unused, not expired, and made for that role. Whoever used it may use it again with the same key. */
export function judgeToken(
  { tokens }: Pick<AdmissionsSeen, 'tokens'>,
  shown: TokenShown,
  nowWallMs: number,
): TokenVerdict {
  const token = tokens.get(shown.tokenId)
  const refuse = (message: string, isGuess = false): TokenVerdict => {
    return { kind: 'refused', isGuess, error: new HaError('TOKEN_REFUSED', message, { hint: ANOTHER }) }
  }
  if (token === undefined) return refuse('the cluster knows no such token, or no longer')
  if (!isSecretOf(token.secretHash, Buffer.from(shown.secret, 'hex'))) return refuse('the token is wrong', true)
  if (token.failures >= TOKEN_FAILURES_MAX)
    return refuse(`the token is of no use any more: somebody tried ${token.failures} times to guess its secret`)
  const { usedBy } = token
  if (usedBy !== null && usedBy.keyFingerprint !== shown.keyFingerprint)
    return refuse(`the token was used already, by ${usedBy.name}`)
  if (token.expiresWallMs < nowWallMs) return refuse('the token has expired')
  if (token.role !== shown.role) {
    const [made, wanted] = token.role === 'host' ? ['physical host', 'witness'] : ['witness', 'physical host']
    return refuse(`the token is for a ${made}, not for a ${wanted}`)
  }
  return { kind: 'good', token }
}

/** Counts a guess. */
export function countGuess({ tokens }: AdmissionsSeen, id: string): readonly AdmissionChange[] {
  const token = tokens.get(id)
  if (token === undefined || token.failures >= TOKEN_FAILURES_MAX) return []
  return [{ kind: 'put-token', token: { ...token, failures: token.failures + 1 } }]
}

/** Removes tokens whose time is long over. */
export function forgetTokens({ tokens }: AdmissionsSeen, nowWallMs: number): readonly AdmissionChange[] {
  const gone = [...tokens.values()].filter(({ expiresWallMs }) => expiresWallMs + KEPT_AFTER_MS < nowWallMs)
  return gone.map(({ id }) => ({ kind: 'delete-token', id }))
}

/** Keeps a new token. Throws `LIMIT_REACHED`. */
export function keepToken(seen: AdmissionsSeen, token: JoinToken, nowWallMs: number): readonly AdmissionChange[] {
  const open = [...seen.tokens.values()].filter(
    ({ expiresWallMs, usedBy }) => usedBy === null && expiresWallMs >= nowWallMs,
  )
  if (open.length >= TOKENS_MAX) {
    throw new HaError('LIMIT_REACHED', `there are ${open.length} tokens that nobody has used yet`, {
      hint: 'Use them, or wait until they expire.',
    })
  }
  return [...forgetTokens(seen, nowWallMs), { kind: 'put-token', token }]
}
