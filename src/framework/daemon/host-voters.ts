import { describeError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { DatabasePlace, EtcdPlace } from '../model/database-place.ts'
import { isSameValue } from '../model/same-value.ts'
import type { Effects } from '../ports/effects.ts'
import type { Log } from '../ports/log.ts'
import type { VoterStatus, Voters } from '../ports/voters.ts'
import { orderEndpoints } from '../voter/order-endpoints.ts'
import { voterWarnings } from '../voter/quorum.ts'
import { openVoters, type VotersOf } from '../voter/run-voter.ts'
import { type HostFile, readHostFile, writeHostFile } from './host-file.ts'
import { createLeadKeeper } from './lead-keeper.ts'
import { createVoterLooks } from './voter-looks.ts'

/** So often it is asked whether a look is due. */
const TURN_MS = 1_000

/** What a host knows of the voters. */
export interface HostVoters {
  /** Where the cluster database is now, as the host's own file says. */
  database(): DatabasePlace
  /** What adds and removes voters; undefined where Haven does not run the etcd. */
  voters(): Voters | undefined
  /** What is to be known of the voters as they were seen last, one sentence each. */
  warnings(): readonly string[]
  /** Notes new voters in the host's own file, tells of them, and has another one lead where that is better, until the signal aborts. Never throws. */
  follow(following: Following): Promise<void>
}

/** What following the voters needs. */
export interface Following {
  /** Is told the endpoints of all voters after each look. */
  add(endpoints: readonly string[]): void
  /** The names of the machines that were let into the cluster; each of them is going to vote. */
  machines(): readonly string[]
  /** What is known of the cluster. */
  state(): ClusterState
  readonly signal: AbortSignal
}

/** Makes what a host knows of the voters. `close` is not needed: connections end with what asked. */
export function createHostVoters(root: string, { effects, log }: { effects: Effects; log: Log }): HostVoters {
  const voters = (): Voters | undefined => {
    const { cluster, database } = readHostFile(root)
    if (database.kind !== 'etcd' || !database.isManaged) return undefined
    const open = (): ReturnType<typeof openVoters> =>
      openVoters({ root, cluster, effects, endpoints: database.endpoints, ...tlsOf(database) })
    const once = async <Value>(ask: (voters: Voters) => Promise<Value>): Promise<Value> => {
      const opened = open()
      return ask(opened).finally(() => opened.close())
    }
    return {
      admit: (candidate) => once((opened) => opened.admit(candidate)),
      remove: (name) => once((opened) => opened.remove(name)),
      list: () => once((opened) => opened.list()),
      measure: (names) => once((opened) => opened.measure(names)),
      lead: (name) => once((opened) => opened.lead(name)),
    }
  }
  let warnings: readonly string[] = []
  return {
    database: () => readHostFile(root).database,
    voters,
    warnings: () => warnings,
    follow: async ({ add, machines, state, signal }) => {
      const looks = createVoterLooks(effects)
      const lead = createLeadKeeper(readHostFile(root).physicalHost, { effects, log })
      const look = async (): Promise<void> => {
        const present = voters()
        const listed = (await present?.list()) ?? []
        warnings = present === undefined ? [] : voterWarnings(listed)
        looks.saw(listed.map(({ name }) => name))
        if (present === undefined) return
        add(noteEndpoints(root, listed))
        await lead.look(present, listed, state())
      }
      while (!signal.aborted) {
        try {
          if (looks.areDue(machines())) await look()
        } catch (error) {
          // The database itself says when it is away; this is only about whom to ask.
          log.write({ level: 'debug', message: `the voters could not be looked after: ${describeError(error)}` })
        }
        await sleepUntilAborted(effects, TURN_MS, signal)
      }
    },
  }
}

/** Writes the endpoints of all voters into the host's own file, for its next start. */
function noteEndpoints(root: string, listed: readonly VoterStatus[]): readonly string[] {
  const file: HostFile = readHostFile(root)
  const endpoints = orderEndpoints(listed.map((voter) => voter.endpoints))
  const { database } = file
  const isNew = database.kind === 'etcd' && !isSameValue(database.endpoints.toSorted(), endpoints.toSorted())
  if (isNew && endpoints.length > 0) writeHostFile(root, { ...file, database: { ...database, endpoints } })
  return endpoints
}

/** A host without certificates of its own uses those of the host that moved the database of their machine. */
function tlsOf({ tls }: EtcdPlace): Partial<Pick<VotersOf, 'tls'>> {
  const { ca, certificate, key } = tls ?? {}
  if (ca === undefined || certificate === undefined || key === undefined) return {}
  return { tls: { ca, certificate, key } }
}
