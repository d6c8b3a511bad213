import { delimiter, dirname, join } from 'node:path'
import type { MethodCall } from '../framework/ports/method-runner.ts'
import { type HostPlace, hostKey, TAG_VARIABLE, tagOf } from './scope-names.ts'

/** Where a program is found that Haven's own directories do not hold. */
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/**
 * Lists what comes before the system's directories in the `PATH` of methods: Haven's own programs, and the Node.js that runs them where it is not one of
 * the system (an unpacked archive, nvm): they begin with `#!/usr/bin/env node`, and so do methods that are written with the kit.
 */
export function ownPathDirectories(installation: string, node: string = process.execPath): readonly string[] {
  const nodeDirectory = dirname(node)
  return [join(installation, 'bin'), ...(SYSTEM_PATH.includes(nodeDirectory) ? [] : [nodeDirectory])]
}

/**
 * Makes the whole environment of a method; nothing of the daemon's own gets into it.
 * `pathDirectories` come before the system's in `PATH`; Haven's programs must be in one of them.
 */
export function methodEnvironment(
  place: HostPlace,
  pathDirectories: readonly string[],
  call: MethodCall,
): Readonly<Record<string, string>> {
  return {
    PATH: [...pathDirectories, ...SYSTEM_PATH].join(delimiter),
    LANG: 'C.UTF-8',
    HA_CLUSTER: place.cluster,
    HA_PHYSICAL_HOST: place.physicalHost,
    HA_LOGICAL_HOST: call.logicalHost,
    HA_SERVICE: call.service,
    HA_METHOD: call.method,
    HA_RECONFIGURATION: String(call.reconfiguration),
    HA_EPOCH: String(call.generation),
    HA_PATHPREFIX: call.pathPrefix,
    HAVEN_ROOT: place.root,
    [TAG_VARIABLE]: tagOf(hostKey(place), call),
  }
}

/** Makes argv[1] to argv[3]. Shells count in whole seconds, so less than one second is told as 1; Haven itself keeps to the millisecond. */
export function methodArguments(call: MethodCall): readonly [string, string, string] {
  return [...call.lists, String(Math.max(1, Math.floor(call.timeoutMs / 1000)))]
}
