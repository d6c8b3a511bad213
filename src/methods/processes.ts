import type { Leftover } from '../framework/model/step.ts'
import type { ProcessScope } from '../framework/ports/method-runner.ts'
import { cgroupMembers } from './cgroup.ts'
import { ownLine, type ProcessFacts, readAllProcesses, readProcess } from './proc.ts'
import { serviceWithin } from './scope-names.ts'
import type { Tags } from './tagged-processes.ts'

/** A living process of a scope. */
export interface ScopedProcess extends ProcessFacts {
  readonly service: string
}

/** Where the processes of one physical host are looked for. */
export interface ProcessPlace {
  readonly hostKey: string
  /** Undefined where no cgroup can be made: then tags and descent are all there is. */
  readonly cgroupHome: string | undefined
  readonly lookForTags: () => Promise<Tags>
}

/**
 * Finds the living processes of a scope: what is in its cgroups, what carries its tag, and what descends from these. Each finds what another may
 * miss: a cgroup may not be available or a process be moved out of it, a daemon may write over its environment to show a title.
 * Never finds this process and those it descends from. Throws `METHOD_FAILED` when it cannot look.
 */
export async function findProcesses(place: ProcessPlace, scope: ProcessScope): Promise<readonly ScopedProcess[]> {
  const tags = await place.lookForTags()
  const services = new Map<number, string>()
  for (const [pid, tag] of tags) {
    const service = serviceWithin(scope, `${place.hostKey}/${scope.logicalHost}/`, tag)
    if (service !== undefined) services.set(pid, service)
  }
  if (place.cgroupHome !== undefined) {
    for (const { pid, service } of cgroupMembers(place.cgroupHome, scope)) services.set(pid, service)
  }
  if (services.size === 0) return []
  const spared = ownLine()
  addDescendants(services, tags, spared)
  return [...services].flatMap(([pid, service]) => {
    const facts = spared.has(pid) ? undefined : readProcess(pid)
    return facts === undefined ? [] : [{ ...facts, service }]
  })
}

/** Tells a process in the words of messages and gives the command that clears it. */
export function describeProcess(found: ScopedProcess): Leftover {
  const what = `process ${found.pid} ${found.command} (service ${found.service})`
  if (found.state !== 'D') return { kind: 'process', what, remedy: `kill -9 ${found.pid}` }
  return {
    kind: 'process',
    what: `${what}, in uninterruptible sleep`,
    remedy: `bring back what it waits for (a disk, a file server); it ends then. Else reboot this host`,
  }
}

/** A child without a tag of this host belongs where its parent does; one with another tag belongs there. */
function addDescendants(services: Map<number, string>, tags: Tags, spared: ReadonlySet<number>): void {
  const children = new Map<number, number[]>()
  for (const { pid, parent } of readAllProcesses()) children.set(parent, [...(children.get(parent) ?? []), pid])
  const toVisit = [...services.keys()]
  for (let pid = toVisit.pop(); pid !== undefined; pid = toVisit.pop()) {
    const service = services.get(pid)
    if (service === undefined || spared.has(pid)) continue
    for (const child of children.get(pid) ?? []) {
      if (services.has(child) || tags.has(child)) continue
      services.set(child, service)
      toVisit.push(child)
    }
  }
}
