import type { PhysicalHost } from '../model/cluster-config.ts'
import type { FenceDevice } from '../model/fencing.ts'
import type { Configuration } from './configuration.ts'
import { TEXT_LENGTH_MAX } from './limits.ts'
import type { Problem, ProblemPath } from './problem.ts'

/** Fence devices of a cluster: four for each host. */
export const FENCE_DEVICES_MAX = 256
/** Levels of one host, and devices on one level: each level that fails is waited for. */
const LEVELS_MAX = 8
const OPTIONS_MAX = 64
/** Milliseconds that a device may take: below the least it is not even started, above the most nobody waits for it. */
const TIMEOUT_MS = { min: 100, max: 600_000 }
const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS
const REJOINS_MAX = 1_000

/** Finds what is wrong with fence devices, the levels of hosts, and the limits of fencing and of rejoining. */
export function checkFencing(configuration: Configuration): readonly Problem[] {
  const { fenceDevices, physicalHosts } = configuration
  const tooMany = fenceDevices.size > FENCE_DEVICES_MAX
  return [
    ...(tooMany ? [limit(['fenceDevices'], `${fenceDevices.size} fence devices`, FENCE_DEVICES_MAX)] : []),
    ...[...fenceDevices.values()].flatMap((device) => checkDevice(device, configuration)),
    ...[...physicalHosts.values()].flatMap((host) => checkLevels(host, configuration)),
    ...checkLimits(configuration),
  ]
}

function checkDevice(device: FenceDevice, { physicalHosts }: Configuration): readonly Problem[] {
  const { name, program, hosts, plugs, timeoutMs } = device
  const at = ['fenceDevices', name]
  const isProgram = /^(\/\S|[\w.-]+$)/.test(program) && program.length <= TEXT_LENGTH_MAX
  const unknown = hosts.filter((host) => !physicalHosts.has(host))
  const strange = Object.keys(plugs).filter((host) => !hosts.some((one) => one === host))
  return [
    ...(isProgram
      ? []
      : [invalid([...at, 'program'], `'${program}' cannot be the program of fence device ${name}`, PROGRAM_HINT)]),
    ...(hosts.length > 0 ? [] : [invalid([...at, 'hosts'], `fence device ${name} fences no host`)]),
    ...unknown.map((host): Problem => {
      const message = `fence device ${name} fences ${host}, which is no physical host`
      return { code: 'NOT_FOUND', path: [...at, 'hosts'], message, hint: HOST_HINT }
    }),
    ...strange.map((host) =>
      invalid([...at, 'plugs', host], `fence device ${name} has a plug for ${host}, which it does not fence`),
    ),
    ...Object.entries(plugs).flatMap(([host, plug]) => checkText([...at, 'plugs', host], plug, `plug of ${host}`)),
    ...checkOptions(device, [...at, 'options']),
    ...inRange([...at, 'timeoutMs'], `timeoutMs of fence device ${name}`, timeoutMs, TIMEOUT_MS),
  ]
}

const PROGRAM_HINT = 'Give an absolute path, or a name that is found in /usr/sbin or /usr/bin.'
const HOST_HINT = 'Add the host first (scconf CLUSTER --physical-host HOST), or leave it out.'
const FILE_SUFFIX = '@file'
const OPTION = /^[A-Za-z0-9][\w.-]*(@file)?$/
/** Options of the agents of ClusterLabs that hold secrets, and what else is called so. */
const SECRET = /passw|passphrase|secret|token|community|api[_-]?key|private[_-]?key/i
/** Those name where a secret is. */
const NO_SECRET = /(_script|_file|_path|file)$|^(passwd|password)_script$/i

function checkOptions({ name, options }: FenceDevice, at: ProblemPath): readonly Problem[] {
  const entries = Object.entries(options)
  if (entries.length > OPTIONS_MAX) return [limit(at, `${entries.length} options of fence device ${name}`, OPTIONS_MAX)]
  return entries.flatMap(([option, value]) => {
    const path = [...at, option]
    if (!OPTION.test(option)) return [invalid(path, `'${option}' cannot be an option of fence device ${name}`)]
    if (option.endsWith(FILE_SUFFIX)) {
      const isPath = value.startsWith('/')
      return isPath
        ? checkText(path, value, option)
        : [invalid(path, `${option} of fence device ${name} is no absolute path`)]
    }
    if (SECRET.test(option) && !NO_SECRET.test(option)) {
      const hint = `Write it into a file that only root can read, on every host, and name that: --option ${option}@file=/etc/haven/fence/${name}`
      return [
        invalid(path, `${option} of fence device ${name} is a secret, which the cluster database does not keep`, hint),
      ]
    }
    return checkText(path, value, `${option} of fence device ${name}`)
  })
}

function checkText(path: ProblemPath, text: string, what: string): readonly Problem[] {
  if (/^[^\n\r\0]*$/.test(text) && text.length <= TEXT_LENGTH_MAX) return []
  return [invalid(path, `the ${what} is longer than ${TEXT_LENGTH_MAX} characters or more than a line`)]
}

function checkLevels({ name, fenceLevels }: PhysicalHost, { fenceDevices }: Configuration): readonly Problem[] {
  const at = ['physicalHosts', name, 'fenceLevels']
  const isTooMuch = fenceLevels.length > LEVELS_MAX || fenceLevels.some((level) => level.length > LEVELS_MAX)
  if (isTooMuch) return [limit(at, `levels of ${name}, or devices on one of them,`, LEVELS_MAX)]
  return fenceLevels.flatMap((level, index) =>
    level.flatMap((device, place): readonly Problem[] => {
      const found = fenceDevices.get(device)
      const path = [...at, index, place]
      if (found === undefined) {
        const message = `there is no fence device ${device}, which a fence level of ${name} names`
        const hint = `Fence devices are: ${[...fenceDevices.keys()].toSorted().join(', ') || 'none'}.`
        return [{ code: 'NOT_FOUND', path, message, hint }]
      }
      if (level.indexOf(device) !== place) return [invalid(path, `a fence level of ${name} names ${device} twice`)]
      if (found.hosts.includes(name)) return []
      return [invalid(path, `fence device ${device} does not fence ${name}, whose fence level names it`)]
    }),
  )
}

function checkLimits({ cluster: { fencing, rejoins } }: Configuration): readonly Problem[] {
  const at = (part: string, field: string): ProblemPath => ['cluster', part, field]
  const isShare = fencing.shareMax >= 0 && fencing.shareMax <= 1
  const isProbed = fencing.statusEveryMs !== 0
  return [
    ...(isShare
      ? []
      : [invalid(at('fencing', 'shareMax'), `fencing.shareMax is ${fencing.shareMax}, and must be from 0 to 1`)]),
    ...inRange(at('fencing', 'windowMs'), 'fencing.windowMs', fencing.windowMs, { min: 1_000, max: WEEK_MS }),
    ...inRange(at('fencing', 'delayMs'), 'fencing.delayMs', fencing.delayMs, { min: 0, max: 60_000 }),
    ...(isProbed
      ? inRange(at('fencing', 'statusEveryMs'), 'fencing.statusEveryMs', fencing.statusEveryMs, {
          min: 1_000,
          max: 24 * HOUR_MS,
        })
      : []),
    ...inRange(at('rejoins', 'rejoinsMax'), 'rejoins.rejoinsMax', rejoins.rejoinsMax, { min: 0, max: REJOINS_MAX }),
    ...inRange(at('rejoins', 'windowMs'), 'rejoins.windowMs', rejoins.windowMs, { min: 1_000, max: WEEK_MS }),
  ]
}

function inRange(
  path: ProblemPath,
  what: string,
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): readonly Problem[] {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return []
  return [invalid(path, `${what} is ${value}, and must be a whole number from ${min} to ${max}`)]
}

function limit(path: ProblemPath, what: string, max: number): Problem {
  return { code: 'LIMIT_REACHED', path, message: `${what} are more than the ${max} that Haven allows` }
}

function invalid(path: ProblemPath, message: string, hint?: string): Problem {
  return { code: 'CONFIG_INVALID', path, message, ...(hint !== undefined && { hint }) }
}
