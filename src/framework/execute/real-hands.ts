import { HaError } from '../errors/ha-error.ts'
import type { DiskGroup, LogicalAddress } from '../model/cluster-config.ts'
import type { DiskGroupName, LogicalHostName } from '../model/names.ts'
import type { Leftover } from '../model/step.ts'
import type { AddressDriver } from '../ports/address-driver.ts'
import type { DiskGroupDriver } from '../ports/disk-group-driver.ts'
import type { MethodOutcome, MethodRunner } from '../ports/method-runner.ts'
import { type ActionOf, DONE, type Hands, type HandsOutcome, type StepCall } from './hands.ts'

/** What the real hands reach the world with. */
export interface RealHandsParts {
  /** One driver per kind of disk group and of address. */
  readonly diskGroups: Readonly<Record<DiskGroup['kind'], DiskGroupDriver>>
  readonly addresses: Readonly<Record<LogicalAddress['kind'], AddressDriver>>
  readonly methods: MethodRunner
  /** Absolute path of the administrative file system of a logical host, for the environment of its methods. */
  pathPrefixOf(logicalHost: LogicalHostName): string
}

/** Between TERM and KILL of what a service left: long enough to write out, short beside the timeout of the step. */
const TERM_GRACE_MS = 5_000

/** Makes the hands that act on this host. */
export function createRealHands(parts: RealHandsParts): Hands {
  const { addresses, methods } = parts
  return {
    import: async ({ diskGroup, mountPoint, force, lostHosts }, call) => {
      const { driver, group } = driverOf(parts, diskGroup, call)
      const { incarnation, physicalHosts, signal } = call
      await driver.import(group, { mountPoint, force, lostHosts, incarnation, physicalHosts, signal })
      return DONE
    },
    export: async ({ diskGroup, mountPoint }, call) => {
      const { driver, group } = driverOf(parts, diskGroup, call)
      await driver.export(group, { mountPoint, signal: call.signal })
      return DONE
    },
    'address-up': async ({ address, adapter, isReleased = false }, { signal }) => {
      await addresses[address.kind].up({ address, adapter, isReleased, signal })
      return DONE
    },
    'address-down': async ({ address, adapter }, { signal }) => {
      await addresses[address.kind].down({ address, adapter, signal })
      return DONE
    },
    method: async (action, call) => {
      const { logicalHost } = call
      const { diskGroup: _, incarnation: __, physicalHosts: ___, ...rest } = call
      const { service, method, program } = action
      const pathPrefix = parts.pathPrefixOf(logicalHost)
      return outcomeOfMethod(action, call, await methods.run({ ...rest, service, method, program, pathPrefix }))
    },
    'end-processes': async ({ service }, { logicalHost, signal, timeoutMs }) => {
      const graceMs = Math.min(TERM_GRACE_MS, timeoutMs / 2)
      return outcomeOfLeftovers(await methods.endProcesses({ logicalHost, service }, { graceMs, signal }))
    },
    'prove-released': async (action, call) => outcomeOfLeftovers(await leftoversOf(parts, action, call)),
  }
}

function driverOf(
  { diskGroups }: RealHandsParts,
  name: DiskGroupName,
  call: StepCall,
): { readonly driver: DiskGroupDriver; readonly group: DiskGroup; readonly place: string } {
  const placed = call.diskGroup(name)
  if (placed === undefined) throw new HaError('NOT_FOUND', `the disk group ${name} is no longer configured`)
  return { driver: diskGroups[placed.diskGroup.kind], group: placed.diskGroup, place: placed.mountPoint }
}

function outcomeOfMethod(
  { service, method }: ActionOf<'method'>,
  { timeoutMs }: StepCall,
  outcome: MethodOutcome,
): HandsOutcome {
  const { output } = outcome
  const failed = (how: string): HandsOutcome => {
    return { kind: 'failed', message: `${method} of ${service} ${how}${lastSaid(output)}`, output, leftovers: [] }
  }
  switch (outcome.kind) {
    case 'succeeded':
      return { kind: 'done', output }
    case 'failed':
      return failed(`ended with exit code ${outcome.exitCode}`)
    case 'killed':
      return failed(`was killed by ${outcome.signal}`)
    case 'timed-out': {
      const message = `${method} of ${service} did not end within ${timeoutMs / 1000} s`
      return { kind: 'timed-out', message, output }
    }
  }
}

/** What a method said last mostly is why it failed, and the message gets where its output does not. */
function lastSaid(output: readonly string[]): string {
  const last = output.findLast((line) => line.trim() !== '')?.trim()
  return last === undefined ? '' : `: ${last.slice(0, LAST_SAID_CHARS_MAX)}`
}

/** The message is kept in the state of the logical host, and shown in tables. */
const LAST_SAID_CHARS_MAX = 200

function outcomeOfLeftovers(leftovers: readonly Leftover[]): HandsOutcome {
  if (leftovers.length === 0) return DONE
  const message = `still here: ${leftovers.map(({ what }) => what).join(', ')}`
  return { kind: 'failed', message, output: [], leftovers }
}

/** Looks at the system itself for all that a release should have ended. */
async function leftoversOf(
  parts: RealHandsParts,
  action: ActionOf<'prove-released'>,
  call: StepCall,
): Promise<readonly Leftover[]> {
  const { logicalHost, signal } = call
  const found = await Promise.all([
    parts.methods.processes({ logicalHost, service: 'all' }),
    ...action.addresses.map(({ address, adapter }) =>
      parts.addresses[address.kind].leftovers({ address, adapter, signal }),
    ),
    ...action.diskGroups.map(async (name) => {
      const { driver, group, place } = driverOf(parts, name, call)
      return driver.leftovers(group, { mountPoint: place, signal })
    }),
  ])
  return found.flat()
}
