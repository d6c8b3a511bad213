import { FORMER_LISTS_MAX, type FormerList, uncleanOf } from '../model/mastery.ts'
import type { LogicalHostName, PhysicalHostName } from '../model/names.ts'
import type { LossEvidence } from '../model/reconfiguration.ts'
import type { Draft } from './draft.ts'

/** A host that was lost, with what is known of it. */
export interface Loss {
  readonly host: PhysicalHostName
  readonly evidence: LossEvidence
  /** Revision of the database that it had read when it stamped last; absent = not known. */
  readonly seenRevision?: number
  /** Who wanted it so; absent = nobody. */
  readonly operator?: string
}

/**
 * Returns who may take over from a lost host; null = every possible master.
 *
 * A host that does not reach the database acts on as long as all possible masters that it knows of promise to take nothing over. One that was added to
 * the list later was never asked, so it must not take over from it, until it is proved that the lost host has stopped.
 */
export function heirsOf(draft: Draft, name: LogicalHostName, loss: Loss): readonly PhysicalHostName[] | null {
  const { mastery, heirs } = draft.state(name)
  const others = uncleanOf(mastery).filter((host) => host !== loss.host)
  const earlier = others.length > 0 ? heirs : null
  if (loss.evidence !== 'expired') return earlier
  const known = knownTo(draft, name, loss.seenRevision)
  return earlier === null ? known : known.filter((host) => earlier.includes(host))
}

/** Whether the host may take the logical host on as far as lost hosts are concerned that may still hold it. */
export function isHeir(draft: Draft, name: LogicalHostName, host: PhysicalHostName): boolean {
  return draft.state(name).heirs?.includes(host) ?? true
}

/**
 * Once every host that left it unclean is a member again, which it can only be after it has cleaned up, or is `proved` to be off, nobody holds it unseen
 * any more.
 */
export function forgetHeirs(draft: Draft, name: LogicalHostName, proved: readonly PhysicalHostName[] = []): void {
  const { mastery, heirs } = draft.state(name)
  const isOver = (host: PhysicalHostName): boolean => draft.member(host) !== undefined || proved.includes(host)
  if (heirs === null || !uncleanOf(mastery).every(isOver)) return
  draft.remember(name, { heirs: null })
}

/** The present possible masters that were in every list which the host may have acted by: the one at `seenRevision`, and those since. */
function knownTo(draft: Draft, name: LogicalHostName, seenRevision: number | undefined): readonly PhysicalHostName[] {
  const { formerLists } = draft.state(name)
  const [oldest] = formerLists
  if (seenRevision === undefined) return []
  // What was before the oldest list that is kept is not known.
  if (oldest !== undefined && formerLists.length >= FORMER_LISTS_MAX && seenRevision < oldest.heldAt) return []
  const sinceThen = formerLists.filter((_, index) => replacedBy(draft, name, formerLists, index) > seenRevision)
  return draft
    .logicalHost(name)
    .physicalHosts.filter((host) => sinceThen.every(({ physicalHosts }) => physicalHosts.includes(host)))
}

/** A revision at which the list had been replaced for certain: when the next one held, or the present one was written. */
function replacedBy(draft: Draft, name: LogicalHostName, lists: readonly FormerList[], index: number): number {
  return lists[index + 1]?.heldAt ?? draft.before.logicalHostRevisions.get(name) ?? 0
}
