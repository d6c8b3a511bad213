import { decideRequest } from '../../configure/decide-request.ts'
import { HaError } from '../../errors/ha-error.ts'
import type { ClusterState } from '../../model/cluster-state.ts'
import { type PhysicalHostName, parseName } from '../../model/names.ts'
import type { AdmissionChange, AdmissionsSeen } from './book.ts'

/** What an eviction rests on beside the records. */
export interface EvictFacts {
  readonly me: PhysicalHostName
  readonly isForced: boolean
  readonly by: string
  readonly nowWallMs: number
}

/** What is decided about an eviction. */
export interface Eviction {
  readonly changes: readonly AdmissionChange[]
  /** What was done once the changes are committed, one sentence each. */
  readonly done: readonly string[]
  /** What is left to the operator. */
  readonly warnings: readonly string[]
}

/** Decides that a machine is taken out for good. Throws `NOT_FOUND`, `IN_USE` (it is this host; or a member, and it is not forced). */
export function decideEvict(seen: AdmissionsSeen, text: string, facts: EvictFacts): Eviction {
  const name = parseName('physicalHost', text)
  const { state } = seen
  const admission = seen.admissions.get(name)
  if (admission === undefined && !state.physicalHosts.has(name))
    throw new HaError('NOT_FOUND', `the cluster knows no host and no witness ${name}`)
  if (name === facts.me)
    throw new HaError('IN_USE', `${name} is this host itself`, { hint: `Ask on another host: scadmin evict ${name}` })
  const isMember = state.members.has(name)
  if (isMember && !facts.isForced) {
    throw new HaError('IN_USE', `${name} is a member of the cluster`, {
      hint: `Stop it first: scadmin stopnode on ${name}. If its keys are in wrong hands: scadmin evict --force ${name}`,
    })
  }
  const { by, nowWallMs } = facts
  const isAdmitted = admission !== undefined && admission.evicted === null
  const removal = isMember ? stillMember(name) : removeHost(state, name)
  return {
    changes: [
      ...(isAdmitted
        ? [{ kind: 'put-admission', admission: { ...admission, evicted: { atWallMs: nowWallMs, by } } } as const]
        : []),
      ...removal.changes,
    ],
    done: [...(isAdmitted ? [`No certificate of ${name} is accepted any more.`] : []), ...removal.done],
    warnings: [...removal.warnings, ...(admission?.role === 'host' ? [keysWarning(name)] : [])],
  }
}

function stillMember(name: PhysicalHostName): Eviction {
  const warning = `${name} is still a member and goes on as such: its clustd has to be stopped, or the host switched off. Then ask again, without --force.`
  return { changes: [], done: [], warnings: [warning] }
}

/** Its record goes if nothing refers to it. */
function removeHost(state: ClusterState, name: PhysicalHostName): Eviction {
  if (!state.physicalHosts.has(name)) return { changes: [], done: [], warnings: [] }
  try {
    const changes = decideRequest(state, { kind: 'remove-physical-host', name })
    const done = [`Removed the physical host ${name} from the configuration.`]
    return { changes: changes.map((change) => ({ kind: 'configuration', change })), done, warnings: [] }
  } catch (error) {
    if (!(error instanceof HaError)) throw error
    return {
      changes: [],
      done: [],
      warnings: [`${name} stays in the configuration: ${[error.message, ...error.details].join('; ')}.`],
    }
  }
}

function keysWarning(name: PhysicalHostName): string {
  return `The keys of the cluster were not changed, and ${name} has copies of them (etc/haven/security): erase its disks, or keep it off the network.`
}
