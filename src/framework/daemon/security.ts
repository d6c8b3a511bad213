import type { AdmissionDesk } from '../api/admission-desk.ts'
import { buildNetworkApp, type NetworkApp } from '../api/app.ts'
import type { HostFacts } from '../api/host-facts.ts'
import { describeError, HaError } from '../errors/ha-error.ts'
import { sleepUntilAborted } from '../execute/run-within.ts'
import type { DatabasePlace } from '../model/database-place.ts'
import type { Effects } from '../ports/effects.ts'
import type { HostCalls } from '../ports/host-calls.ts'
import type { Log } from '../ports/log.ts'
import type { Voters } from '../ports/voters.ts'
import { type Identity, readIdentity } from '../security/identity-files.ts'
import { createAdmissionDesk } from './admission/desk.ts'
import { createIdentify } from './admission/identify.ts'
import { keepCertificate } from './certificate-keeper.ts'
import { createHostCalls } from './host-calls.ts'
import { type ApiPlace, type HostFile, readHostFile } from './host-file.ts'
import type { HostLoop } from './loop.ts'

/** The port may still be held by a clustd that ended a moment ago. */
const LISTEN_AGAIN_MS = 5_000

/** What the network side of clustd is made of. */
export interface SecurityParts {
  readonly root: string
  readonly hostFile: HostFile
  readonly loop: Pick<HostLoop, 'book' | 'services'>
  readonly effects: Effects
  readonly log: Log
  readonly version: string
  /** Where the cluster database is now. */
  readonly database: () => DatabasePlace
  /** Undefined where Haven does not run the etcd. */
  readonly voters: () => Voters | undefined
}

/** What of clustd speaks with other hosts over TLS, and decides who belongs to the cluster. */
export interface Security {
  readonly desk: AdmissionDesk
  readonly calls: HostCalls
  /** Begins to answer other hosts and to look after the certificate; both go on until `close`. Never throws. */
  start(facts: HostFacts): void
  close(): Promise<void>
}

/** Puts it together. A host without certificates has a desk that says so, and answers nobody over the network. */
export function composeSecurity(parts: SecurityParts): Security {
  const { root, hostFile, loop, effects, log } = parts
  const { cluster, physicalHost: host } = hostFile
  const kept: { identity: Identity | undefined; place: ApiPlace | undefined } = {
    identity: readIdentity(root),
    place: hostFile.api,
  }
  const identity = (): Identity | undefined => kept.identity
  const place = (): ApiPlace | undefined => kept.place
  const { book } = loop
  const desk = createAdmissionDesk({ ...parts, book, me: host, cluster, identity, place })
  const calls = createHostCalls({ book, cluster, identity, effects })
  const ender = new AbortController()
  const tasks: Promise<void>[] = []
  let network: NetworkApp | undefined
  return {
    desk,
    calls,
    start: (facts) => {
      const first = kept.identity
      if (first === undefined) return
      const answerOthers = async (): Promise<void> => {
        kept.place ??= await placeToldLater(parts, ender.signal)
        if (kept.place === undefined) return
        kept.identity = readIdentity(root) ?? first
        const { caCertificate } = first
        const identify = createIdentify({ book, cluster, caCertificate, nowWallMs: () => effects.nowWallMs() })
        network = buildNetworkApp(loop.services, { facts, desk, log, identify, tls: tlsOf(kept.identity) })
        await listenUntilHeard(parts, network, kept.place, ender.signal)
      }
      tasks.push(answerOthers())
      const onLooked = (): void => {
        const now = readIdentity(root)
        if (now === undefined || now.hostCertificate === kept.identity?.hostCertificate) return
        kept.identity = now
        network?.renew(tlsOf(now))
      }
      tasks.push(keepCertificate({ root, host, effects, log, book, place, onLooked }, ender.signal))
    },
    close: async () => {
      ender.abort('clustd ends')
      calls.close()
      await Promise.all(tasks)
      await network?.app.close()
    },
  }
}

function tlsOf({ hostKey, hostCertificate, caCertificate }: Identity) {
  return { key: hostKey, certificate: `${hostCertificate}${caCertificate}`, authority: caCertificate }
}

/** A host of a single machine needs no place; it gets one when its database moves to where other machines reach it. Undefined when the signal aborts. */
async function placeToldLater({ root, effects }: SecurityParts, signal: AbortSignal): Promise<ApiPlace | undefined> {
  while (!signal.aborted) {
    const told = placeIn(root)
    if (told !== undefined) return told
    await sleepUntilAborted(effects, LISTEN_AGAIN_MS, signal)
  }
  return undefined
}

function placeIn(root: string): ApiPlace | undefined {
  try {
    return readHostFile(root).api
  } catch (error) {
    if (error instanceof HaError) return undefined // Whoever needs the file says so.
    throw error
  }
}

/** A host whose port is taken is better than no host: it says so, and tries again. */
async function listenUntilHeard(
  { effects, log }: SecurityParts,
  { app }: NetworkApp,
  place: ApiPlace,
  signal: AbortSignal,
): Promise<void> {
  const { port } = place
  const host = listenAddress(place)
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      await app.listen({ host, port })
      log.write({ level: 'info', message: `other hosts are answered at ${host} port ${port}` })
      return
    } catch (error) {
      const message = `other hosts cannot be answered at ${host} port ${port}: ${describeError(error)}`
      if (tries === 0) log.write({ level: 'error', message })
      await sleepUntilAborted(effects, LISTEN_AGAIN_MS, signal)
    }
  }
}

/**
 * All addresses, of both families: who may ask is decided by certificates, and a network that fails must not take the others along. Only the hosts of one
 * machine, which have addresses of its loopback, must not be in each other's way.
 */
function listenAddress({ addresses }: ApiPlace): string {
  const [only = ''] = addresses
  return addresses.length === 1 && (only === '::1' || only.startsWith('127.')) ? only : '::'
}
