import type { FencingConfigurationRequest } from '../api/wire/fencing.ts'
import { assertNever } from '../errors/assert-never.ts'
import { HaError } from '../errors/ha-error.ts'
import type { FenceDevice } from '../model/fencing.ts'
import { type FenceDeviceName, parseName } from '../model/names.ts'
import { type Configuration, withEntry, withoutEntry } from './configuration.ts'

/** Milliseconds that a device has when nobody says: a management controller that is busy answers within them. */
export const FENCE_TIMEOUT_MS_DEFAULT = 20_000

/** Decides one form of `scconf` about fencing. Throws `NOT_FOUND`, `NAME_INVALID`, `CONFIG_INVALID`, `IN_USE`; what the result means is checked by `checkFencing`. */
export function decideFencing(configuration: Configuration, request: FencingConfigurationRequest): Configuration {
  const { cluster } = configuration
  switch (request.kind) {
    case 'fence-device':
      return putDevice(configuration, request)
    case 'remove-fence-device':
      return removeDevice(configuration, request.name)
    case 'fence-levels':
      return putLevels(configuration, request.text)
    case 'fencing-limits': {
      const { kind, ...limits } = request
      return { ...configuration, cluster: { ...cluster, fencing: { ...cluster.fencing, ...limits } } }
    }
    case 'rejoins': {
      const { kind, ...limits } = request
      return { ...configuration, cluster: { ...cluster, rejoins: { ...cluster.rejoins, ...limits } } }
    }
    default:
      return assertNever(request)
  }
}

/** Reads the options of a device, each `NAME=VALUE`. Throws `CONFIG_INVALID` for what is none. */
export function parseOptions(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map((word): [string, string] => {
      const at = word.indexOf('=')
      if (at > 0) return [word.slice(0, at), word.slice(at + 1)]
      throw new HaError('CONFIG_INVALID', `'${word}' is no option of a fence device`, {
        hint: 'Write it as NAME=VALUE.',
      })
    }),
  )
}

/** Reads levels of fence devices: `dev1,dev2;dev3` is one level of two devices, and another one if that fails. Empty = none. Throws `NAME_INVALID`. */
export function parseLevels(text: string): readonly (readonly FenceDeviceName[])[] {
  return text
    .split(';')
    .map((level) => level.split(',').map((name) => name.trim()))
    .map((level) => level.filter((name) => name !== '').map((name) => parseName('fenceDevice', name)))
    .filter((level) => level.length > 0)
}

function putDevice(
  configuration: Configuration,
  request: Extract<FencingConfigurationRequest, { kind: 'fence-device' }>,
): Configuration {
  const name = parseName('fenceDevice', request.name)
  const before = configuration.fenceDevices.get(name)
  const program = request.program ?? before?.program
  const hosts = request.hosts?.map((host) => parseName('physicalHost', host)) ?? before?.hosts
  if (program === undefined || hosts === undefined) {
    throw new HaError(
      'CONFIG_INVALID',
      `fence device ${name} is new, and its ${program === undefined ? 'program is' : 'hosts are'} not given`,
      {
        hint: 'A new device needs at least --program and --hosts.',
      },
    )
  }
  const device: FenceDevice = {
    name,
    agent: request.agent ?? before?.agent ?? 'command',
    program,
    options: request.options === undefined ? (before?.options ?? {}) : parseOptions(request.options),
    plugs: request.plugs ?? before?.plugs ?? {},
    hosts,
    action: request.action ?? before?.action ?? 'off',
    timeoutMs: request.timeoutMs ?? before?.timeoutMs ?? FENCE_TIMEOUT_MS_DEFAULT,
  }
  return { ...configuration, fenceDevices: withEntry(configuration.fenceDevices, name, device) }
}

function removeDevice(configuration: Configuration, text: string): Configuration {
  const name = parseName('fenceDevice', text)
  if (!configuration.fenceDevices.has(name)) {
    const names = [...configuration.fenceDevices.keys()].toSorted().join(', ') || 'none'
    throw new HaError('NOT_FOUND', `there is no fence device ${name}`, { hint: `Configured are: ${names}.` })
  }
  const users = [...configuration.physicalHosts.values()].filter(({ fenceLevels }) => fenceLevels.flat().includes(name))
  if (users.length > 0) {
    throw new HaError(
      'IN_USE',
      `fence device ${name} is part of a fence level of ${users.map((host) => host.name).join(', ')}`,
      {
        hint: `Take it out of there first: scconf CLUSTER --fence-levels ${users[0]?.name}=...`,
      },
    )
  }
  return { ...configuration, fenceDevices: withoutEntry(configuration.fenceDevices, name) }
}

function putLevels(configuration: Configuration, text: string): Configuration {
  const at = text.indexOf('=')
  if (at < 1) {
    throw new HaError('CONFIG_INVALID', `'${text}' does not say whose fence levels they are`, {
      hint: 'Write HOST=DEVICE,DEVICE;DEVICE: devices of a level are joined by commas, levels by semicolons.',
    })
  }
  const name = parseName('physicalHost', text.slice(0, at))
  const host = configuration.physicalHosts.get(name)
  if (host === undefined) {
    throw new HaError('NOT_FOUND', `there is no physical host ${name}`, {
      hint: `Configured are: ${[...configuration.physicalHosts.keys()].toSorted().join(', ')}.`,
    })
  }
  const changed = { ...host, fenceLevels: parseLevels(text.slice(at + 1)) }
  return { ...configuration, physicalHosts: withEntry(configuration.physicalHosts, name, changed) }
}
