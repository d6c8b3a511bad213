import { z } from 'zod'
import type { Cause, Reconfiguration } from '../model/reconfiguration.ts'
import type { Action, AfterFailure, Half, Step } from '../model/step.ts'
import type { HalfOutcome, HalfRun, Progress, StepRun } from '../model/timeline.ts'
import {
  addressShape,
  dataServiceName,
  diskGroupName,
  logicalHostName,
  methodName,
  networkName,
  physicalHostName,
} from './config-shapes.ts'
import { leftoverShape, startFailureShape } from './state-shapes.ts'

const by = z.string()
const logicalHosts = z.array(logicalHostName)
const services = z.array(dataServiceName)
const lostHost = z.object({
  host: physicalHostName,
  evidence: z.enum(['expired', 'fenced', 'confirmed', 'restarted']),
  silentMs: z.number().exactOptional(),
  provedBy: z.string().exactOptional(),
  operator: z.string().exactOptional(),
  tookMs: z.number().exactOptional(),
  seenRevision: z.int().exactOptional(),
})

const cause: z.ZodType<Cause> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cluster-started'), host: physicalHostName }),
  z.object({ kind: z.literal('host-joined'), host: physicalHostName }),
  z.object({ kind: z.literal('host-leaving'), host: physicalHostName, by }),
  z.object({ kind: z.literal('hosts-lost'), hosts: z.array(lostHost) }),
  z.object({ kind: z.literal('switchover'), logicalHosts, to: physicalHostName, by }),
  z.object({ kind: z.literal('host-left'), host: physicalHostName }),
  z.object({ kind: z.literal('maintenance'), logicalHosts, by }),
  z.object({ kind: z.literal('reconfigure'), by }),
  z.object({ kind: z.literal('services-on'), services, by }),
  z.object({ kind: z.literal('services-off'), services, by }),
  z.object({
    kind: z.literal('service-hosts'),
    service: dataServiceName,
    add: logicalHosts,
    remove: logicalHosts,
    by,
  }),
  z.object({
    kind: z.literal('half-failed'),
    logicalHost: logicalHostName,
    host: physicalHostName,
    half: z.enum(['take-on', 'adjust']),
    follows: z.int(),
    start: startFailureShape.exactOptional(),
    message: z.string(),
  }),
  z.object({
    kind: z.literal('heir-lost'),
    logicalHost: logicalHostName,
    host: physicalHostName,
    follows: z.int(),
  }),
  z.object({
    kind: z.literal('interface-failed'),
    host: physicalHostName,
    network: networkName,
    group: z.string(),
  }),
  z.object({ kind: z.literal('cleared'), logicalHost: logicalHostName, by }),
  z.object({ kind: z.literal('settle'), why: z.string() }),
])

const addressOn = z.object({ address: addressShape, adapter: z.string() })

const action: z.ZodType<Action> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('import'),
    diskGroup: diskGroupName,
    mountPoint: z.string(),
    force: z.boolean(),
    lostHosts: z.array(physicalHostName),
  }),
  z.object({ kind: z.literal('export'), diskGroup: diskGroupName, mountPoint: z.string() }),
  z.object({
    kind: z.literal('address-up'),
    address: addressShape,
    adapter: z.string(),
    isReleased: z.literal(true).exactOptional(),
  }),
  z.object({ kind: z.literal('address-down'), address: addressShape, adapter: z.string() }),
  z.object({ kind: z.literal('method'), service: dataServiceName, method: methodName, program: z.string() }),
  z.object({ kind: z.literal('end-processes'), service: z.union([z.literal('all'), dataServiceName]) }),
  z.object({
    kind: z.literal('prove-released'),
    diskGroups: z.array(diskGroupName),
    addresses: z.array(addressOn),
  }),
])

const step: z.ZodType<Step> = z.lazy(() => z.object({ action, timeoutMs: z.number(), ifItFails: afterFailure }))

const afterFailure: z.ZodType<AfterFailure> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('end-half') }),
  z.object({ kind: z.literal('note') }),
  z.object({ kind: z.literal('ladder'), steps: z.array(step) }),
])

const halfKind = z.enum(['give-up', 'take-on', 'adjust', 'watch-stop', 'watch-start'])

const half: z.ZodType<Half> = z.object({
  logicalHost: logicalHostName,
  host: physicalHostName,
  kind: halfKind,
  steps: z.array(step),
})

/** A reconfiguration as its first record holds it. `parts`: how many further records hold its halves. */
export interface ReconfigurationHead extends Reconfiguration {
  readonly parts: number
}

export const reconfigurationShape: z.ZodType<ReconfigurationHead> = z.object({
  number: z.int(),
  cause,
  because: z.array(z.object({ logicalHost: logicalHostName, sentence: z.string() })),
  halves: z.array(half),
  plannedBy: physicalHostName,
  atWallMs: z.number(),
  parts: z.int().nonnegative(),
})

/** Further halves of a reconfiguration; `part` counts from 1. */
export interface ReconfigurationPart {
  readonly number: number
  readonly part: number
  readonly halves: readonly Half[]
}

export const reconfigurationPartShape: z.ZodType<ReconfigurationPart> = z.object({
  number: z.int(),
  part: z.int().positive(),
  halves: z.array(half),
})

const outcome: z.ZodType<HalfOutcome> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('failed'), failedStep: z.int(), message: z.string() }),
  z.object({ kind: z.literal('unproved'), leftovers: z.array(leftoverShape) }),
  z.object({ kind: z.literal('forbidden'), message: z.string() }),
])

const stepRun: z.ZodType<StepRun> = z.object({
  action,
  lists: z.tuple([z.string(), z.string()]).readonly().exactOptional(),
  onLadder: z.boolean(),
  startedWallMs: z.number(),
  durationMs: z.number(),
  timeoutMs: z.number(),
  outcome: z.enum(['done', 'failed', 'timed-out', 'skipped']),
  message: z.string(),
  output: z.array(z.string()),
})

export const halfRunShape: z.ZodType<HalfRun> = z.object({
  reconfiguration: z.int(),
  logicalHost: logicalHostName,
  host: physicalHostName,
  incarnation: z.int(),
  kind: halfKind,
  startedWallMs: z.number(),
  durationMs: z.number(),
  outcome,
  steps: z.array(stepRun),
})

export const progressShape: z.ZodType<Progress> = z.object({
  reconfiguration: z.int(),
  logicalHost: logicalHostName,
  host: physicalHostName,
  kind: halfKind,
  step: z.int(),
  steps: z.int(),
  action,
  startedWallMs: z.number(),
  timeoutMs: z.number(),
})
