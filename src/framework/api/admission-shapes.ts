import { z } from 'zod'
import type { CheckProgramsRequest, EvictRequest, JoinRequest, RenewRequest, TokenRequest } from './wire.ts'

// What other hosts send is not strict: hosts of neighbouring versions understand each other, so a field more is no error.

/** Characters of a name, an address or a path. */
const word = z.string().max(1_024)
/** Characters of a request for a certificate in PEM: one for an elliptic key has about 500. */
const pem = z.string().max(16_384)
const role = z.enum(['host', 'witness'])
const addresses = z.array(word).max(16)

/** Programs that one host asks another one about at a time. */
export const PROGRAMS_ASKED_MAX = 400

/** Body of `POST /v1/tokens`. */
export const tokenShape: z.ZodType<TokenRequest> = z.strictObject({
  role,
  ttlS: z.exactOptional(z.int().min(60).max(86_400)),
})

/** Body of `POST /v1/join`. */
export const joinShape: z.ZodType<JoinRequest> = z.object({
  tokenId: z.string().regex(/^[0-9a-f]{16}$/),
  secret: z.string().regex(/^([0-9a-f]{2}){1,64}$/),
  role,
  name: word,
  request: pem,
  addresses,
  port: z.int().min(1).max(65_535),
  interfaces: z.array(z.object({ network: word, adapter: word, address: word })).max(16),
  version: word,
  nowWallMs: z.number(),
  voterAddresses: addresses.nullable(),
})

/** Body of `POST /v1/renew`. */
export const renewShape: z.ZodType<RenewRequest> = z.object({ request: pem, addresses })

/** Body of `POST /v1/evict`. */
export const evictShape: z.ZodType<EvictRequest> = z.strictObject({ name: word, force: z.exactOptional(z.boolean()) })

/** Body of `POST /v1/host/programs`. */
export const programsShape: z.ZodType<CheckProgramsRequest> = z.object({
  programs: z.array(z.string().max(4_096).startsWith('/')).max(PROGRAMS_ASKED_MAX),
})
