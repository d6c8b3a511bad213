import { Agent } from 'node:https'
import { reviveError } from '../api/client/revive-error.ts'
import { HaError, isHaError } from '../errors/ha-error.ts'
import type { PhysicalHostName } from '../model/names.ts'
import type { Effects } from '../ports/effects.ts'
import type { HostCall, HostCalls } from '../ports/host-calls.ts'
import { callOverTls, type TlsPlace } from '../security/call-over-tls.ts'
import type { Identity } from '../security/identity-files.ts'
import type { AdmissionBook } from './admission/book.ts'

/** What calls to other hosts are made with. */
export interface HostCallsParts {
  readonly book: Pick<AdmissionBook, 'seen'>
  readonly cluster: string
  /** What this host proves itself with now; undefined = nothing. */
  readonly identity: () => Identity | undefined
  readonly effects: Pick<Effects, 'sleep'>
}

/** Addresses of one host that are tried, one after the other; each gets its share of the time. */
const PLACES_TRIED_MAX = 4
/** Connections to one host at the same time, and those that are kept for later. */
const CONNECTIONS_MAX = 4
const CONNECTIONS_KEPT_MAX = 1

/** Makes what asks other hosts. Connections are kept, at most one for each host, and opened when they are needed. */
export function createHostCalls(parts: HostCallsParts): HostCalls {
  const agents = new Map<PhysicalHostName, Agent>()
  return {
    canAsk: (host) => parts.identity() !== undefined && placesOf(parts, host).length > 0,
    call: async (host, question) => {
      const own = parts.identity()
      const places = placesOf(parts, host).slice(0, PLACES_TRIED_MAX)
      if (own === undefined || places.length === 0)
        throw new HaError('HOST_UNREACHABLE', `${host} cannot be asked: there are no certificates for it`)
      const agent = agents.get(host) ?? makeAgent()
      agents.set(host, agent)
      return askOneOf(parts, { host, places, own, agent, question })
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

function makeAgent(): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS_MAX,
    maxFreeSockets: CONNECTIONS_KEPT_MAX,
    // Each connection proves itself anew.
    maxCachedSessions: 0,
  })
}

interface Asked {
  readonly host: PhysicalHostName
  readonly places: readonly TlsPlace[]
  readonly own: Identity
  readonly agent: Agent
  readonly question: HostCall
}

async function askOneOf({ cluster, effects }: HostCallsParts, asked: Asked): Promise<unknown> {
  const { host, places, own, agent, question } = asked
  let last: unknown
  for (const place of places) {
    try {
      const { status, value } = await callOverTls(effects, {
        ...question,
        withinMs: question.withinMs / places.length,
        place,
        agent,
        authority: own.caCertificate,
        own: { certificate: own.hostCertificate, key: own.hostKey },
        refuse: (other) =>
          other.cluster === cluster && other.name === host && other.role === 'host'
            ? undefined
            : `${other.name} of the cluster ${other.cluster} answers there instead of ${host}`,
      })
      if (status >= 200 && status < 300) return value
      throw reviveError(value, status)
    } catch (error) {
      // Another address may still lead to the host; what the host itself answers is its answer.
      if (!isHaError(error, 'HOST_UNREACHABLE') && !isHaError(error, 'CERTIFICATE_REFUSED')) throw error
      last = error
    }
  }
  throw last
}

/** Where the API of a host may be reached, in order of preference. */
function placesOf({ book }: HostCallsParts, host: PhysicalHostName): readonly TlsPlace[] {
  const { admissions, state } = book.seen()
  const admission = admissions.get(host)
  if (admission === undefined || admission.evicted !== null || admission.role !== 'host') return []
  const interfaces = state.physicalHosts.get(host)?.interfaces.map(({ address }) => address) ?? []
  const addresses = [...new Set([...admission.addresses, ...interfaces])]
  return (addresses.length === 0 ? [host] : addresses).map((address) => ({ address, port: admission.port }))
}
