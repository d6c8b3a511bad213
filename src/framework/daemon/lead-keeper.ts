import type { ClusterState } from '../model/cluster-state.ts'
import type { Effects } from '../ports/effects.ts'
import type { Log } from '../ports/log.ts'
import type { VoterStatus, Voters } from '../ports/voters.ts'
import { isQuickEnough, placesForLead, type TwoSpeeds } from '../supervise/lead-place.ts'

/** Looks in a row at which a voter was found quick enough: what comes and goes is not relied on. */
const GOOD_LOOKS = 2
/** After it was handed over the lead stays for so long wherever it goes, doubled each time: if it comes back by itself, that had a reason. */
const REST_MS = 60_000
const REST_MS_MAX = 3_600_000

/** Hands the lead of the cluster database over when this host has it and should not. */
export interface LeadKeeper {
  /** To be called with each list of the voters. Throws `VOTERS_UNSAFE`, `NOT_FOUND`, `DATABASE_UNAVAILABLE` when nothing came of it. */
  look(voters: Voters, listed: readonly VoterStatus[], state: ClusterState): Promise<void>
}

/** Makes the keeper of one host; where the lead should be is decided in `supervise/lead-place.ts`. */
export function createLeadKeeper(
  own: string,
  { effects, log }: { readonly effects: Pick<Effects, 'nowMonotonicMs'>; readonly log: Log },
): LeadKeeper {
  let seen: ReadonlyMap<string, { readonly speeds: TwoSpeeds; readonly goodLooks: number }> = new Map()
  let restMs = REST_MS
  let restUntilMs = Number.NEGATIVE_INFINITY

  const measure = async (voters: Voters, places: readonly string[]): Promise<typeof seen> => {
    const measured = await voters.measure([own, ...places])
    const leader = measured.get(own)
    const next = new Map<string, { readonly speeds: TwoSpeeds; readonly goodLooks: number }>()
    for (const name of places) {
      const other = measured.get(name)
      if (leader === undefined || other === undefined) continue
      const speeds = { leader, other }
      const before = seen.get(name)
      const isGood = before !== undefined && isQuickEnough(before.speeds, speeds)
      next.set(name, { speeds, goodLooks: isGood ? before.goodLooks + 1 : 0 })
    }
    return next
  }

  return {
    look: async (voters, listed, state) => {
      const isLeader = listed.some(({ name, role }) => name === own && role === 'leader')
      const places = isLeader ? placesForLead(own, listed, state) : []
      const nowMs = effects.nowMonotonicMs()
      if (places.length === 0 || nowMs < restUntilMs) {
        seen = new Map()
        return
      }
      seen = await measure(voters, places)
      const place = places.find((name) => (seen.get(name)?.goodLooks ?? 0) >= GOOD_LOOKS)
      if (place === undefined) return
      // Before it is known whether it succeeds: what does not should not be tried at every look.
      restMs = nowMs - restUntilMs > REST_MS_MAX ? REST_MS : Math.min(restMs * 2, REST_MS_MAX)
      restUntilMs = nowMs + restMs
      await voters.lead(place)
      log.write({
        level: 'info',
        message: `handed the lead of the cluster database over to ${place}, which masters nothing: should this host be lost, its fence waits for no election`,
      })
    },
  }
}
