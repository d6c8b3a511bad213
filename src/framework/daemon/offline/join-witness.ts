import { hostname } from 'node:os'
import { HaError } from '../../errors/ha-error.ts'
import { parseName } from '../../model/names.ts'
import { writeHostPlaces } from '../../security/host-places.ts'
import { finishIdentity, writeIdentity } from '../../security/identity-files.ts'
import { readVoterFile } from '../../voter/voter-file.ts'
import { voterPaths } from '../../voter/voter-paths.ts'
import { askToJoin } from './join-host.ts'
import { type ManagedHost, startVoter, startVoterOfJoin } from './managed-etcd.ts'

/** What `scadmin witness` is given. */
export interface JoinWitnessRequest extends ManagedHost {
  /** `ADDRESS` or `ADDRESS:PORT` of a host of the cluster. */
  readonly place: string
  readonly token: string
  /** The name of the witness; default: that of the machine. */
  readonly name?: string
  /** Its IP addresses at which the hosts reach it; default: the one from which it reaches them. */
  readonly addresses?: readonly string[]
}

/** What a machine witnesses. */
export interface JoinedWitness {
  readonly cluster: string
  readonly name: string
  readonly admittedBy: string
  readonly warnings: readonly string[]
}

/**
 * Makes this machine a witness: it votes in the cluster database, and nothing else runs on it. May be repeated when it was cut off, with the same token.
 * Throws what `askToJoin` and `startJoinedVoter` throw; `CONFIG_INVALID` when this machine is a voter of another cluster.
 */
export async function joinWitness(request: JoinWitnessRequest): Promise<JoinedWitness> {
  const { root, installation, place, token } = request
  const name = parseName('physicalHost', request.name ?? hostname().split('.')[0] ?? '')
  const addresses = request.addresses === undefined ? {} : { addresses: request.addresses }
  const { joined, identity } = await askToJoin({
    ...{ root, installation, place, token, name, ...addresses },
    role: 'witness',
    interfaces: [],
    present: undefined,
  })
  refuseOther(root, joined.cluster)
  writeIdentity(root, identity, { isUnfinished: true })
  writeHostPlaces(root, joined.hosts)
  if (joined.voter !== null) await startVoterOfJoin({ root, installation }, joined.voter)
  else if (readVoterFile(root) !== undefined) startVoter({ root, installation })
  else throw noVotersError(joined.cluster)
  finishIdentity(root)
  const { cluster, admittedBy, warnings } = joined
  return { cluster, name, admittedBy, warnings }
}

function refuseOther(root: string, cluster: string): void {
  const present = readVoterFile(root)
  if (present === undefined || present.cluster === cluster) return
  throw new HaError('CONFIG_INVALID', `this machine is the voter ${present.name} of the cluster ${present.cluster}`, {
    hint: `Take it out there first (scadmin evict ${present.name}), then remove ${voterPaths(root).file}.`,
  })
}

function noVotersError(cluster: string): HaError {
  return new HaError('CONFIG_INVALID', `the cluster database of ${cluster} is no etcd that Haven runs`, {
    hint: 'It has no use for a witness. Move it on one of its hosts first: scadmin database migrate --database etcd',
  })
}
