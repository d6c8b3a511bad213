import type { FastifyRequest } from 'fastify'
import { OPERATOR_HEADER } from './wire.ts'

/** Characters of a name that goes into the journal. */
const NAME_LENGTH_MAX = 64

/**
 * Names who asks, as the client says. Not a proof of anything: who may open the socket may do everything; it is for people who read the
 * journal later.
 */
export function operatorOf(request: Pick<FastifyRequest, 'headers'>): string {
  const header = request.headers[OPERATOR_HEADER]
  const name = typeof header === 'string' ? decode(header) : ''
  // Only letters that can be in a user name: the name is printed on terminals.
  const clean = name.replace(/[^\p{L}\p{N}._@\\-]/gu, '').slice(0, NAME_LENGTH_MAX)
  return clean === '' ? 'unknown' : clean
}

function decode(header: string): string {
  try {
    return decodeURIComponent(header)
  } catch {
    // Set by something that is not our client.
    return header
  }
}
