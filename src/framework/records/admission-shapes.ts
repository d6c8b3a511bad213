import { z } from 'zod'
import type { Admission, Authority, JoinToken } from '../model/admission.ts'
import { physicalHostName } from './config-shapes.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const role = z.enum(['host', 'witness'])
const wallMs = z.number()

export const admissionShape: z.ZodType<Admission> = z.object({
  name: physicalHostName,
  role,
  keyFingerprint: sha256,
  addresses: z.array(z.string()),
  port: z.int().min(1).max(65_535),
  admittedWallMs: wallMs,
  by: z.string(),
  validUntilWallMs: wallMs,
  evicted: z.object({ atWallMs: wallMs, by: z.string() }).nullable(),
})

export const authorityShape: z.ZodType<Authority> = z.object({ certificate: z.string() })

export const joinTokenShape: z.ZodType<JoinToken> = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  role,
  secretHash: sha256,
  expiresWallMs: wallMs,
  by: z.string(),
  failures: z.int().nonnegative(),
  usedBy: z.object({ name: physicalHostName, keyFingerprint: sha256 }).nullable(),
})
