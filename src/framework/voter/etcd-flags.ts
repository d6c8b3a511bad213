import { isIP } from 'node:net'
import type { VoterTuning } from '../ports/voters.ts'
import { clientEndpoint, peerUrlOf, type VoterFile } from './voter-file.ts'
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
    'listen-client-urls': clientUrls(voter).join(','),
    'advertise-client-urls': clientEndpoint(voter),
    'listen-peer-urls': peerUrlOf(voter),
    'initial-advertise-peer-urls': peerUrlOf(voter),
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
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

/** Reads the tuning of an etcd back from its command line; undefined when it says none. */
export function tuningOfFlags(flags: readonly string[]): VoterTuning | undefined {
  const numberOf = (name: string): number =>
    Number(flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3))
  const tuning = { heartbeatMs: numberOf('heartbeat-interval'), electionMs: numberOf('election-timeout') }
  return Number.isNaN(tuning.heartbeatMs + tuning.electionMs) ? undefined : tuning
}

/** Also on the loopback, for who looks at this machine when its network is gone; a voter on a loopback address has neighbours there. */
function clientUrls(voter: VoterFile): readonly string[] {
  const own = clientEndpoint(voter)
  const loopback = isIP(voter.address) === 6 ? '::1' : '127.0.0.1'
  const isLoopback = voter.address.startsWith('127.') || voter.address === '::1'
  return isLoopback ? [own] : [own, clientEndpoint({ ...voter, address: loopback })]
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
