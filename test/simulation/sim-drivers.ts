import { HaError } from '../../src/framework/errors/ha-error.ts'
import type { Leftover } from '../../src/framework/model/step.ts'
import type { AddressDriver } from '../../src/framework/ports/address-driver.ts'
import type { DiskGroupDriver } from '../../src/framework/ports/disk-group-driver.ts'
import type { MethodCall, MethodOutcome, MethodRunner, ProcessScope } from '../../src/framework/ports/method-runner.ts'
import type { Chances } from './chances.ts'
import type { Process } from './machine.ts'
import type { Actor, World } from './world.ts'

/** What the drivers of one process are made of. */
export interface DriverSetting {
  readonly process: Process
  readonly world: World
  readonly actor: Actor
  readonly chances: () => Chances
  /** Children that this process has under way; the guard ends them together with the daemon. */
  readonly children: Set<Process>
}

const NO_OUTPUT: readonly string[] = []

/** Lets a child process do something after a while: it outlives its parent, and dies with its machine, its parent's guard, or the signal. */
function inChild<T>(setting: DriverSetting, delayMs: number, signal: AbortSignal, act: () => T): Promise<T> {
  const { process, children } = setting
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    setting.world.begin(process.machine.name, setting.actor)
    const child = process.machine.spawn(`${process.name}/child`)
    children.add(child)
    const end = (): void => {
      children.delete(child)
      child.kill()
      signal.removeEventListener('abort', onAbort)
    }
    const onAbort = (): void => {
      end()
      process.post(0, () => reject(signal.reason))
    }
    signal.addEventListener('abort', onAbort)
    child.post(delayMs, () => {
      end()
      try {
        const done = act()
        process.post(0.2, () => resolve(done))
      } catch (error) {
        process.post(0.2, () => reject(error))
      }
    })
  })
}

/** Delay of a driver's call: short, long, or longer than any timeout. */
function driverDelayMs({ process, chances }: DriverSetting): number {
  const { random } = process.machine
  if (random.chance(chances().driverHangs)) return 10_000_000
  return random.between(0.5, 8)
}

/** Makes the disk groups of one process. */
export function simDiskGroups(setting: DriverSetting): DiskGroupDriver {
  const { process, world, actor, chances } = setting
  const host = process.machine.name
  const isHere = (name: string): boolean => world.imports.get(name)?.has(host) === true
  return {
    kind: 'directory',
    status: async (group) => {
      if (isHere(group.name)) return { kind: 'imported' }
      return { kind: 'absent', owner: world.marks.get(group.name) }
    },
    import: (group, call) =>
      inChild(setting, driverDelayMs(setting), call.signal, () => {
        if (process.machine.random.chance(chances().driverFails))
          throw new HaError('DISK_GROUP_UNUSABLE', `${group.name} cannot be read`)
        const owner = world.marks.get(group.name)
        if (owner !== undefined && owner !== host && !call.force)
          throw new HaError('DISK_GROUP_HELD', `${group.name} is held by ${owner}`)
        world.import(group.name, host, call.force)
      }),
    export: (group, call) =>
      inChild(setting, driverDelayMs(setting), call.signal, () => world.export(group.name, host, actor)),
    leftovers: async (group) => (isHere(group.name) ? [leftover('mount', group.name)] : []),
  }
}

/** Makes the addresses of one process. */
export function simAddresses(setting: DriverSetting): AddressDriver {
  const { process, world, chances } = setting
  const host = process.machine.name
  const isHere = (address: string): boolean => world.addresses.get(address)?.has(host) === true
  return {
    kind: 'local',
    isUp: async ({ address }) => isHere(address.address),
    up: ({ address, signal }) =>
      inChild(setting, driverDelayMs(setting), signal, () => {
        if (process.machine.random.chance(chances().driverFails))
          throw new HaError('ADDRESS_UNUSABLE', `${address.address} cannot be brought up`)
        world.addressUp(address.address, host)
      }),
    down: ({ address, signal }) =>
      inChild(setting, driverDelayMs(setting), signal, () => world.addressDown(address.address, host)),
    leftovers: async ({ address }) => (isHere(address.address) ? [leftover('address', address.address)] : []),
    close: async () => {},
  }
}

/** Makes the method runner of one process. */
export function simMethods(setting: DriverSetting): MethodRunner {
  const { process, world, chances } = setting
  const host = process.machine.name
  const { random } = process.machine
  const services = (scope: ProcessScope): readonly string[] =>
    scope.service === 'all'
      ? world.servicesRunning(scope.logicalHost, host)
      : world.servicesRunning(scope.logicalHost, host).filter((name) => name === scope.service)
  return {
    run: (call) => runMethod(setting, call),
    endProcesses: (scope, { signal }) =>
      inChild(setting, random.between(0.5, 20), signal, () => {
        const stubborn: Leftover[] = []
        for (const name of services(scope)) {
          if (random.chance(chances().processUnkillable)) stubborn.push(leftover('process', name))
          else world.running.get(`${scope.logicalHost}/${name}`)?.delete(host)
        }
        return stubborn
      }),
    processes: async (scope) => services(scope).map((name) => leftover('process', name)),
  }
}

async function runMethod(setting: DriverSetting, call: MethodCall): Promise<MethodOutcome> {
  const { process, world, chances, actor } = setting
  const { random } = process.machine
  const { methodFails, methodHangs, methodSlow } = chances()
  const fails = random.chance(methodFails)
  const tookMs = random.chance(methodHangs)
    ? call.timeoutMs * 3
    : random.chance(methodSlow)
      ? random.between(50, call.timeoutMs)
      : random.between(1, 30)
  // A method may have its effect and fail all the same, or have half of it when it is cut.
  const hasEffect = !fails || random.chance(0.5)
  const expired = new AbortController()
  process.post(call.timeoutMs, () => expired.abort(new Error('timed out')))
  try {
    return await inChild(setting, tookMs, AbortSignal.any([call.signal, expired.signal]), () => {
      world.method(deedOf(call), process.machine.name, actor)
      if (hasEffect) takeEffect(world, call, process.machine.name)
      return fails
        ? { kind: 'failed', exitCode: 1, durationMs: tookMs, output: NO_OUTPUT }
        : { kind: 'succeeded', durationMs: tookMs, output: NO_OUTPUT }
    })
  } catch {
    world.method(deedOf(call), process.machine.name, actor)
    return { kind: 'timed-out', afterMs: call.timeoutMs, forced: true, output: NO_OUTPUT }
  }
}

function deedOf({
  method,
  service,
  logicalHost,
  lists,
}: MethodCall): Pick<MethodCall, 'method' | 'service' | 'logicalHost' | 'lists'> {
  return { method, service, logicalHost, lists }
}

function takeEffect(world: World, { method, logicalHost, service }: MethodCall, host: string): void {
  if (method === 'START' || method === 'START_NET') world.start(logicalHost, service, host)
  if (method === 'STOP' || method === 'ABORT') world.stop(logicalHost, service, host)
}

function leftover(kind: Leftover['kind'], what: string): Leftover {
  return { kind, what: `${kind} ${what}`, remedy: 'wait' }
}
