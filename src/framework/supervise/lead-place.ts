import type { ClusterState } from '../model/cluster-state.ts'
import { actorOf } from '../model/mastery.ts'
import type { VoterSpeed } from '../model/voter-speed.ts'

/** What of a voter of the cluster database matters for its lead. */
export interface LeadCandidate {
  readonly name: string
  readonly role: string
  readonly isHealthy: boolean
  /** Entries of the log that it is behind; null = it did not answer. */
  readonly lag: number | null
}

/** How quick the leader and another voter are, measured at the same time. */
export interface TwoSpeeds {
  readonly leader: VoterSpeed
  readonly other: VoterSpeed
}

/** Further behind is still catching up. */
const LAG_MAX = 100
/** A commit waits for the way to the leader, there and back. */
const FURTHER_MS_MAX = 5
/** A commit waits for the disk of the leader: as quick as this is quick enough, whatever the present one is; else so many times slower. */
const SYNC_MS_MAX = 10
const SYNC_TIMES_MAX = 2

/**
 * Names the voters that the lead of the cluster database should go to, best first; empty = it stays. Nothing is fenced without a majority, and there is none
 * until a lost leader was followed by another one: so a host should not lead that masters something and would be fenced when it is lost. A witness never
 * masters anything, and comes first. `own`: the physical host that asks, and leads.
 */
export function placesForLead(
  own: string,
  voters: readonly LeadCandidate[],
  { physicalHosts, members, states }: Pick<ClusterState, 'physicalHosts' | 'members' | 'states'>,
): readonly string[] {
  const hosts = new Set<string>(physicalHosts.keys())
  const joined = new Set<string>([...members.values()].flatMap(({ host, state }) => (state === 'joined' ? [host] : [])))
  const masters = new Set<string | undefined>([...states.values()].map(({ mastery }) => actorOf(mastery)))
  // A host that has left, or is about to, may be switched off next.
  const mayLead = (name: string): boolean => !masters.has(name) && (!hosts.has(name) || joined.has(name))
  const isFenced = [...physicalHosts.values()].some(({ name, fenceLevels }) => name === own && fenceLevels.length > 0)
  if (!isFenced || !masters.has(own)) return []
  return voters
    .filter((voter) => isSteady(voter) && mayLead(voter.name))
    .map(({ name }) => name)
    .toSorted((one, other) => Number(hosts.has(one)) - Number(hosts.has(other)) || (one < other ? -1 : 1))
}

function isSteady({ role, isHealthy, lag }: LeadCandidate): boolean {
  return role === 'follower' && isHealthy && lag !== null && lag <= LAG_MAX
}

/** Whether commits would be about as quick with the other voter as leader. `before` and `now`: measured some seconds apart. */
export function isQuickEnough(before: TwoSpeeds, now: TwoSpeeds): boolean {
  if (now.other.roundTripMs - now.leader.roundTripMs > FURTHER_MS_MAX) return false
  const leaderMs = meanSyncMs(before.leader, now.leader)
  const otherMs = meanSyncMs(before.other, now.other)
  if (leaderMs === undefined || otherMs === undefined) return false
  return otherMs <= Math.max(SYNC_MS_MAX, leaderMs * SYNC_TIMES_MAX)
}

/** Undefined: it has written nothing in between, or began anew. */
function meanSyncMs(before: VoterSpeed, now: VoterSpeed): number | undefined {
  const count = now.syncs.count - before.syncs.count
  return count > 0 ? (now.syncs.totalMs - before.syncs.totalMs) / count : undefined
}
