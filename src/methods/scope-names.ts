import { createHash } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ProcessScope } from '../framework/ports/method-runner.ts'

/** What tells one physical host of Haven from every other one on the same machine. */
export interface HostPlace {
  /** `HAVEN_ROOT`. */
  readonly root: string
  readonly cluster: string
  readonly physicalHost: string
}

/** The variable that every process of a method carries and, unless it cleans its environment, hands on to its children. */
export const TAG_VARIABLE = 'HAVEN_SCOPE'

/** The link to the first pid namespace of a machine has this text in every kernel (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]'

/**
 * Names a physical host for tags and cgroups: `cluster:host`, and a mark behind it unless it is a whole machine.
 * Two clusters for trial may have the same names on one machine and must not end each other's processes, so root and pid namespace go in.
 * Names hold no colon, at sign or slash, so no two places have one key.
 */
export function hostKey(place: HostPlace, pidNamespace: string = ownPidNamespace()): string {
  const root = resolve(place.root)
  const key = `${place.cluster}:${place.physicalHost}`
  if (root === '/' && pidNamespace === FIRST_PID_NAMESPACE) return key
  const mark = createHash('sha256').update(`${root}\0${pidNamespace}`).digest('hex').slice(0, 8)
  return `${key}@${mark}`
}

/** Makes the value of the tag of a service on a logical host: `cluster:host/logical host/service`. */
export function tagOf(key: string, scope: ProcessScope): string {
  return `${key}/${scope.logicalHost}/${scope.service}`
}

/** Reads the service out of a tag, or out of the name of a cgroup; undefined when it lies outside of the scope. */
export function serviceWithin(scope: ProcessScope, prefix: string, name: string): string | undefined {
  if (!name.startsWith(prefix)) return undefined
  const service = name.slice(prefix.length)
  return scope.service === 'all' || scope.service === service ? service : undefined
}

function ownPidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    // A kernel without pid namespaces has only the first one.
    return FIRST_PID_NAMESPACE
  }
}
