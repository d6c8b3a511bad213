import { z } from 'zod'
import type { Member, Stamp } from '../model/cluster-state.ts'
import type { Fence, FenceDeviceStatus, FenceQuestion, Rejoins } from '../model/fencing.ts'
import type { Destination, LogicalHostState, Mastery, StartFailure } from '../model/mastery.ts'
import { MISSING_PROGRAMS_MAX, type MissingPrograms } from '../model/missing-programs.ts'
import type { NetworkSight } from '../model/network.ts'
import type { Leftover } from '../model/step.ts'
import {
  dataServiceName,
  fenceDeviceName,
  logicalHostName,
  methodName,
  networkName,
  physicalHostName,
} from './config-shapes.ts'

const wallMs = z.number()

export const memberShape: z.ZodType<Member> = z.object({
  host: physicalHostName,
  incarnation: z.int(),
  state: z.enum(['joined', 'leaving']),
  joinedWallMs: wallMs,
})

export const stampShape: z.ZodType<Stamp> = z.object({
  host: physicalHostName,
  incarnation: z.int(),
  sequence: z.int(),
  expiryMs: z.number(),
  seenRevision: z.int(),
})

export const missingProgramsShape: z.ZodType<MissingPrograms> = z.object({
  host: physicalHostName,
  programs: z.array(z.string()).min(1).max(MISSING_PROGRAMS_MAX),
})

export const networkSightShape: z.ZodType<NetworkSight> = z.object({
  host: physicalHostName,
  incarnation: z.int(),
  interfaces: z.array(
    z.object({
      network: networkName,
      link: z.enum(['up', 'down', 'unknown']),
      hears: z.array(physicalHostName).nullable(),
      reaches: z.boolean().nullable(),
    }),
  ),
  groups: z.array(
    z.object({
      name: z.string(),
      active: z.string(),
      state: z.enum(['ok', 'doubtful', 'failed', 'network-down']),
      faulty: z.array(z.string()),
    }),
  ),
})

export const fenceShape: z.ZodType<Fence> = z.object({
  host: physicalHostName,
  incarnation: z.int(),
  by: physicalHostName,
  operator: z.string(),
  why: z.string(),
  atWallMs: wallMs,
  byItselfWallMs: wallMs.nullable(),
  outcome: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('asked') }),
    z.object({ kind: z.literal('confirmed'), devices: z.array(fenceDeviceName), tookMs: z.number() }),
    z.object({ kind: z.literal('confirmed-by-operator') }),
    z.object({ kind: z.literal('failed'), message: z.string(), tookMs: z.number() }),
  ]),
})

export const fenceQuestionShape: z.ZodType<FenceQuestion> = z.object({
  host: physicalHostName,
  incarnation: z.int(),
  by: physicalHostName,
  atWallMs: wallMs,
})

export const rejoinsShape: z.ZodType<Rejoins> = z.object({
  host: physicalHostName,
  lostIncarnation: z.int().nullable(),
  atWallMs: wallMs,
  byItselfWallMs: z.array(wallMs),
})

export const fenceDeviceStatusShape: z.ZodType<FenceDeviceStatus> = z.object({
  device: fenceDeviceName,
  askedBy: physicalHostName,
  atWallMs: wallMs,
  isWell: z.boolean(),
  message: z.string(),
})

export const leftoverShape: z.ZodType<Leftover> = z.object({
  kind: z.enum(['process', 'mount', 'address', 'disk-group']),
  what: z.string(),
  remedy: z.string(),
})

const why = z.enum(['new', 'maintenance', 'no-possible-master', 'too-many-takeovers', 'cannot-be-taken-on'])

const destination: z.ZodType<Destination> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('to'), host: physicalHostName }),
  z.object({ kind: z.literal('nobody'), why }),
])

const mastery: z.ZodType<Mastery> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unmastered'), why, uncleanOn: z.array(physicalHostName) }),
  z.object({ kind: z.literal('takingOn'), by: physicalHostName, uncleanOn: z.array(physicalHostName) }),
  z.object({ kind: z.literal('mastered'), by: physicalHostName }),
  z.object({ kind: z.literal('adjusting'), by: physicalHostName }),
  z.object({
    kind: z.literal('givingUp'),
    by: physicalHostName,
    destination,
    uncleanOn: z.array(physicalHostName),
  }),
  z.object({
    kind: z.literal('stuck'),
    on: physicalHostName,
    leftovers: z.array(leftoverShape),
    destination,
    uncleanOn: z.array(physicalHostName),
  }),
])

export const startFailureShape: z.ZodType<StartFailure> = z.object({
  service: dataServiceName,
  host: physicalHostName,
  method: methodName,
  reconfiguration: z.int(),
  message: z.string(),
})

export const logicalHostStateShape: z.ZodType<LogicalHostState> = z.object({
  name: logicalHostName,
  mastery,
  generation: z.int().nonnegative(),
  reconfiguration: z.int().nonnegative(),
  sinceWallMs: wallMs,
  startFailures: z.array(startFailureShape),
  takeOnFailures: z.array(
    z.object({
      host: physicalHostName,
      atWallMs: z.number(),
      tries: z.int(),
      reconfiguration: z.int(),
      message: z.string(),
    }),
  ),
  without: z.array(dataServiceName),
  switchbackTo: physicalHostName.nullable(),
  takeoversWallMs: z.array(wallMs),
  // Records of earlier versions say nothing of these.
  formerLists: z.array(z.object({ physicalHosts: z.array(physicalHostName), heldAt: z.int() })).default([]),
  heirs: z.array(physicalHostName).nullable().default(null),
})

/** Numbers of the last reconfiguration and of the first one that is kept; 0 = none yet. */
export interface Journal {
  readonly last: number
  readonly first: number
}

export const journalShape: z.ZodType<Journal> = z.object({
  last: z.int().nonnegative(),
  first: z.int().nonnegative(),
})
