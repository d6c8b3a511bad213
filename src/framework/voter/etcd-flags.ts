import type { VoterTuning } from '../ports/voters.ts'
import { clientEndpoints, isLoopback, localEndpoint, peerUrlsOf, urlOf, type VoterFile } from './voter-file.ts'
import { voterPaths } from './voter-paths.ts'

/** Operations of one transaction: a plan that touches a thousand logical hosts is one commit. */
const TXN_OPERATIONS_MAX = 4096
/** Bytes of one request: several of the largest records. */
const REQUEST_BYTES_MAX = 16 * 1024 * 1024
/** Bytes of etcd's file: thirty times the largest cluster database, so that what compaction has not freed yet never stops a commit. */
const QUOTA_BYTES = 2 * 1024 * 1024 * 1024
/** Watches never go back further than the last moments; stamps would fill the file otherwise. */
const HISTORY_KEPT = '5m'
/** Transactions between two snapshots: a voter that was away for some minutes is sent the log, not everything. */
const SNAPSHOT_EVERY = 20_000

/** Returns the command line of the etcd of this voter. */
export function etcdFlags(root: string, voter: VoterFile): readonly string[] {
  const { tuning } = voter
  const flags: Readonly<Record<string, string | number>> = {
    name: voter.name,
    'data-dir': voterPaths(root).data,
    ...placeFlags(voter),
    'initial-advertise-peer-urls': peerUrlsOf(voter).join(','),
    'initial-cluster': voter.initialCluster,
    'initial-cluster-state': voter.initialState,
    'initial-cluster-token': voter.token,
    'heartbeat-interval': tuning.heartbeatMs,
    'election-timeout': tuning.electionMs,
    // Who comes back from behind a cut must not make the others elect anew.
    'pre-vote': 'true',
    'strict-reconfig-check': 'true',
    'max-txn-ops': TXN_OPERATIONS_MAX,
    'max-request-bytes': REQUEST_BYTES_MAX,
    'quota-backend-bytes': QUOTA_BYTES,
    'auto-compaction-mode': 'periodic',
    'auto-compaction-retention': HISTORY_KEPT,
    'snapshot-count': SNAPSHOT_EVERY,
    logger: 'zap',
    'log-outputs': 'stderr',
    ...(voter.isAlone ? { 'force-new-cluster': 'true' } : {}),
    ...(voter.isTls ? tlsFlags(root) : {}),
  }
  return write(flags)
}

/** Tells whether an etcd with these flags is reached where its voter's file says. */
export function isReachedAt(flags: readonly string[], voter: VoterFile): boolean {
  return write(placeFlags(voter)).every((flag) => flags.includes(flag))
}

function write(flags: Readonly<Record<string, string | number>>): readonly string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

/** Reads the tuning of an etcd back from its command line; undefined when it says none. */
export function tuningOfFlags(flags: readonly string[]): VoterTuning | undefined {
  const numberOf = (name: string): number =>
    Number(flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3))
  const tuning = { heartbeatMs: numberOf('heartbeat-interval'), electionMs: numberOf('election-timeout') }
  return Number.isNaN(tuning.heartbeatMs + tuning.electionMs) ? undefined : tuning
}

/** Where it listens, and what it tells others of that. */
function placeFlags(voter: VoterFile): Readonly<Record<string, string>> {
  const { clientPort, peerPort } = voter
  const [clients, peers] = listensEverywhere(voter)
    ? [[everywhere(clientPort)], [everywhere(peerPort)]]
    : [[...new Set([...clientEndpoints(voter), localEndpoint(voter)])], peerUrlsOf(voter)]
  return {
    'listen-client-urls': clients.join(','),
    'advertise-client-urls': clientEndpoints(voter).join(','),
    'listen-peer-urls': peers.join(','),
  }
}

/**
 * etcd does not start when one of the addresses that it is to listen at is not there: then a broken adapter would take the other networks along. Who may
 * speak to it is decided by certificates. A voter on loopback addresses has neighbours there.
 */
function listensEverywhere({ addresses, isTls }: VoterFile): boolean {
  return isTls && addresses.length > 1 && !addresses.some(isLoopback)
}

/** Of both families, where the machine has both. */
function everywhere(port: number): string {
  return urlOf('0.0.0.0', true, port)
}

/** etcd reads certificate and key anew for every handshake, so that a renewal needs no restart. */
function tlsFlags(root: string): Readonly<Record<string, string>> {
  const { ca, certificate, key } = voterPaths(root).tls
  return {
    'cert-file': certificate,
    'key-file': key,
    'trusted-ca-file': ca,
    'client-cert-auth': 'true',
    'peer-cert-file': certificate,
    'peer-key-file': key,
    'peer-trusted-ca-file': ca,
    'peer-client-cert-auth': 'true',
  }
}
