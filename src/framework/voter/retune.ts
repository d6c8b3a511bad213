import { z } from 'zod'
import { isSameValue } from '../model/same-value.ts'
import type { VoterTuning } from '../ports/voters.ts'
import type { EtcdCalls, EtcdStatus } from './etcd-calls.ts'
import { isReachedAt, tuningOfFlags } from './etcd-flags.ts'
import type { EtcdProcess } from './etcd-process.ts'
import { seeVoters } from './list-voters.ts'
import { tuningForGuard } from './tuning.ts'
import { localEndpoint, type VoterFile } from './voter-file.ts'

/** Whose turn it is to start anew. Outside of the records of the cluster database, so that no clustd sees it. */
const TURN_KEY = '/haven-voters/turn'
/** Who has taken the turn and does not come back loses it after this. */
const TURN_S = 20
/** A voter that is further behind is still catching up. */
const LAG_MAX = 100

/** What a voter is started anew with. */
export interface Retuned {
  readonly tuning: VoterTuning
  /** For the log. */
  readonly why: string
}

/** Has voters started anew, one after the other, when the timings of the cluster or the addresses of a voter have changed. */
export interface Retuner {
  /** Returns what to start this voter anew with, now that it is its turn; undefined = it stays as it is. */
  retune(voter: VoterFile, status: EtcdStatus): Promise<Retuned | undefined>
}

/** Makes the retuner of one life of etcd. */
export function createRetuner({
  calls,
  etcd,
  log,
}: {
  readonly calls: EtcdCalls
  readonly etcd: EtcdProcess
  log(sentence: string): void
}): Retuner {
  const present = tuningOfFlags(etcd.flags)
  let hasLooked = false
  return {
    retune: async (voter, status) => {
      const endpoint = localEndpoint(voter)
      // The turn that ended with this life is over, now that it runs again.
      if (!hasLooked && (await calls.valueOf(endpoint, TURN_KEY)) === voter.name)
        await calls.giveBack(endpoint, TURN_KEY)
      hasLooked = true
      const wanted = await wantedTuning(calls, endpoint, voter.cluster)
      const isTuned = wanted === undefined || isSameValue(wanted, present)
      if (isTuned && isReachedAt(etcd.flags, voter)) return undefined
      const seen = await seeVoters(calls, [endpoint])
      const isCalm = seen.every(({ voter: one }) => one.isHealthy && (one.lag ?? LAG_MAX) < LAG_MAX)
      if (!isCalm || !(await calls.take(endpoint, TURN_KEY, voter.name, TURN_S))) return undefined
      const heir = seen.find(({ voter: one }) => one.role === 'follower')
      if (status.leader === status.id && heir !== undefined) {
        log(`hands the lead over to ${heir.voter.name}`)
        await calls.transferLead(endpoint, heir.member.id)
      }
      const tuning = wanted ?? voter.tuning
      const why = isTuned
        ? `it is reached at ${voter.addresses.join(', ')} from now on`
        : `the election timeout is ${tuning.electionMs} ms from now on`
      return { tuning, why }
    },
  }
}

const clusterShape = z.object({ timings: z.object({ guardMs: z.number().positive() }) })

async function wantedTuning(calls: EtcdCalls, endpoint: string, cluster: string): Promise<VoterTuning | undefined> {
  const text = await calls.valueOf(endpoint, clusterRecordKey(cluster))
  if (text === undefined) return undefined
  const parsed = clusterShape.safeParse(JSON.parse(text))
  return parsed.success ? tuningForGuard(parsed.data.timings.guardMs) : undefined
}

/** Where the etcd engine of the cluster database keeps the record `cluster`. */
export function clusterRecordKey(cluster: string): string {
  return `/haven/${cluster}/records/cluster`
}
