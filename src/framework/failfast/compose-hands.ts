import { createMethodRunner } from '../../methods/run-method.ts'
import { hostKey } from '../../methods/scope-names.ts'
import { createTagLook } from '../../methods/tagged-processes.ts'
import { ipAddressDriver } from '../drivers/address/ip.ts'
import { localAddressDriver } from '../drivers/address/local.ts'
import { directoryDriver } from '../drivers/disk-group/directory.ts'
import { fileSystemDriver } from '../drivers/disk-group/filesystem.ts'
import type { Effects } from '../ports/effects.ts'
import type { AbortHands } from './abort-holdings.ts'

/** Which physical host the guard stops. */
export interface GuardedHost {
  readonly root: string
  readonly cluster: string
  readonly physicalHost: string
  readonly pathDirectories: readonly string[]
}

/** Between TERM and KILL, for what does not end by itself: when the guard fires, seconds are what it has not. */
const TERM_GRACE_MS = 10

/** Wires the drivers and the method runner for the end by force: with the same code as clustd, in more of a hurry. */
export function composeHands(host: GuardedHost, effects: Effects): AbortHands {
  const { root, cluster, physicalHost } = host
  const scope = hostKey(host)
  const lookForTags = createTagLook(scope)
  const driverHost = { root, cluster, physicalHost, scope, effects, lookForTags, termGraceMs: TERM_GRACE_MS }
  return {
    diskGroups: { directory: directoryDriver(driverHost), filesystem: fileSystemDriver(driverHost) },
    addresses: { local: localAddressDriver(driverHost), ip: ipAddressDriver(driverHost) },
    methods: createMethodRunner({ ...host, effects, lookForTags, termGraceMs: TERM_GRACE_MS }),
    effects,
  }
}
