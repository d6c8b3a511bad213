import type { ClusterConfig } from '../../src/framework/model/cluster-config.ts'
import type { Member } from '../../src/framework/model/cluster-state.ts'
import type { Fence } from '../../src/framework/model/fencing.ts'
import type { Snapshot } from '../../src/framework/ports/cluster-database.ts'
import { type Field, latestOf } from './referees.ts'

/** What the referees of fencing note. */
export interface FenceNotes {
  /** `host incarnation` -> true time at which that life became a member. */
  readonly joinedAtMs: Map<string, number>
  /** Host -> true time at which it lost its power last. */
  readonly offAtMs: Map<string, number>
  /** Host -> true time at which an operator did not ask for its fence; within any window. */
  readonly fencedAtMs: Map<string, number>
}

export function newFenceNotes(): FenceNotes {
  return { joinedAtMs: new Map(), offAtMs: new Map(), fencedAtMs: new Map() }
}

/** Clocks may be this much off, and a wall clock is not more exact than a millisecond. */
const TOLERANCE = 0.98

/** Judges a commit that touches fences or the membership. */
export function judgeFences(field: Field, notes: FenceNotes, before: Snapshot, after: Snapshot): void {
  for (const [key, record] of after.records) {
    if (before.records.get(key)?.revision === record.revision) continue
    if (key.startsWith('members/')) noteMember(field, notes, record.value as unknown as Member)
    if (key.startsWith('fences/')) judgeFence(field, notes, after, record.value as unknown as Fence)
  }
  const made = latestOf(after)
  if (made === undefined || made.cause.kind !== 'hosts-lost' || latestOf(before)?.number === made.number) return
  for (const { host, evidence } of made.cause.hosts) {
    const was = before.records.get(`members/${host}`)?.value as unknown as Member | undefined
    if (was === undefined || evidence !== 'fenced') continue
    const joinedMs = notes.joinedAtMs.get(`${host} ${was.incarnation}`) ?? Number.NEGATIVE_INFINITY
    const offMs = notes.offAtMs.get(host) ?? Number.NEGATIVE_INFINITY
    if (offMs < joinedMs)
      field.violation(
        `${host} was given up as fenced, and has not lost its power since its life ${was.incarnation} began`,
      )
  }
}

/** A device acts only for a fence that was committed before: without the database's majority nobody fences. */
export function judgeSwitchedOff(field: Field, notes: FenceNotes, host: string): void {
  const fence = field.snapshot().records.get(`fences/${host}`)?.value as unknown as Fence | undefined
  notes.offAtMs.set(host, field.nowMs())
  if (fence === undefined) field.violation(`${host} was fenced, and nobody had committed that`)
}

function noteMember(field: Field, notes: FenceNotes, { host, incarnation }: Member): void {
  const key = `${host} ${incarnation}`
  if (!notes.joinedAtMs.has(key)) notes.joinedAtMs.set(key, field.nowMs())
}

function judgeFence(field: Field, notes: FenceNotes, after: Snapshot, { host, outcome, operator }: Fence): void {
  if (outcome.kind !== 'asked' || operator !== '') return
  const cluster = after.records.get('cluster')?.value as unknown as ClusterConfig
  const { heartbeats, fencing } = cluster
  const silentMs = field.nowMs() - (field.stampedAtMs(host) ?? Number.NEGATIVE_INFINITY)
  if (silentMs < heartbeats.suspectMs * TOLERANCE)
    field.violation(`a fence of ${host} was asked for ${Math.round(silentMs)} ms after it had stamped`)
  notes.fencedAtMs.set(host, field.nowMs())
  const within = [...notes.fencedAtMs.values()].filter((at) => field.nowMs() - at < fencing.windowMs * TOLERANCE)
  const hosts = [...after.records.keys()].filter((key) => key.startsWith('physicalHosts/')).length
  const most = Math.max(1, Math.floor(hosts * fencing.shareMax))
  if (within.length > most)
    field.violation(`${within.length} of ${hosts} hosts fenced within the window, ${most} is the limit`)
  if (!after.records.has(`members/${host}`)) field.violation(`a fence of ${host} was asked for, which is no member`)
}
