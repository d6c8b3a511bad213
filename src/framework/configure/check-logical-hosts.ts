import type { LogicalHost } from '../model/cluster-config.ts'
import { checkAddresses } from './check-addresses.ts'
import type { Configuration } from './configuration.ts'
import { PARTS_MAX } from './limits.ts'
import type { Problem, ProblemPath } from './problem.ts'

/** Finds what is wrong with the logical hosts: what they are made of must exist, once, and be theirs alone. */
export function checkLogicalHosts(configuration: Configuration): readonly Problem[] {
  return [
    ...[...configuration.logicalHosts.values()].flatMap((logicalHost) => [
      ...checkName(configuration, logicalHost),
      ...checkHosts(configuration, logicalHost),
      ...checkGroups(configuration, logicalHost),
    ]),
    ...findSharedGroups(configuration),
    ...checkAddresses(configuration),
  ]
}

function checkName({ physicalHosts }: Configuration, { name }: LogicalHost): readonly Problem[] {
  // `haget -h NAME` and the host names in argv[1] and argv[2] would mean two things.
  const physicalHost = [...physicalHosts.keys()].find((host) => String(host) === String(name))
  if (physicalHost === undefined) return []
  return [invalid(['logicalHosts', name], `logical host ${name} has the name of a physical host`)]
}

function checkHosts({ physicalHosts }: Configuration, { name, physicalHosts: hosts }: LogicalHost): readonly Problem[] {
  const at = ['logicalHosts', name, 'physicalHosts']
  return [
    ...checkCount(at, hosts.length, `logical host ${name}`, 'possible masters'),
    ...findTwice(at, hosts, (host) => `physical host ${host} is twice in the list of logical host ${name}`),
    ...hosts.flatMap((host, index): readonly Problem[] => {
      if (physicalHosts.has(host)) return []
      const message = `logical host ${name} names physical host ${host}, which is not configured`
      const hint = `Configured are: ${[...physicalHosts.keys()].join(', ') || 'none'}.`
      return [{ code: 'NOT_FOUND', path: [...at, index], message, hint }]
    }),
  ]
}

function checkGroups({ diskGroups }: Configuration, { name, diskGroups: groups }: LogicalHost): readonly Problem[] {
  const at = ['logicalHosts', name, 'diskGroups']
  return [
    ...checkCount(at, groups.length, `logical host ${name}`, 'disk groups'),
    ...findTwice(at, groups, (group) => `disk group ${group} is twice in the list of logical host ${name}`),
    ...groups.flatMap((group, index): readonly Problem[] => {
      if (diskGroups.has(group)) return []
      const message = `logical host ${name} names disk group ${group}, which is not configured`
      const define = `scconf CLUSTER --disk-group ${group} --define`
      const hint = `Define it first: '${define} directory:/PATH', or '${define} filesystem:/dev/DEVICE:ext4'.`
      return [{ code: 'NOT_FOUND', path: [...at, index], message, hint }]
    }),
  ]
}

function findSharedGroups({ logicalHosts }: Configuration): readonly Problem[] {
  const owners = new Map<string, string>()
  return [...logicalHosts.values()].flatMap(({ name, diskGroups }) =>
    diskGroups.flatMap((group, index): readonly Problem[] => {
      const owner = owners.get(group)
      owners.set(group, owner ?? name)
      if (owner === undefined || owner === name) return []
      const message = `disk group ${group} belongs to logical host ${owner} and cannot belong to ${name} too`
      const hint = `Name another disk group; 'scconf CLUSTER -p' shows whose each is. A new one: scconf CLUSTER --disk-group NAME --define directory:/PATH`
      return [{ code: 'IN_USE', path: ['logicalHosts', name, 'diskGroups', index], message, hint }]
    }),
  )
}

/** Finds values that are in a list a second time. */
export function findTwice<Value>(
  at: ProblemPath,
  list: readonly Value[],
  say: (value: Value) => string,
): readonly Problem[] {
  return list.flatMap((value, index) => (list.indexOf(value) < index ? [invalid([...at, index], say(value))] : []))
}

function checkCount(path: ProblemPath, count: number, whose: string, what: string): readonly Problem[] {
  if (count === 0) return [invalid(path, `${whose} has no ${what}`)]
  if (count <= PARTS_MAX) return []
  return [{ code: 'LIMIT_REACHED', path, message: `${whose} has ${count} ${what}; ${PARTS_MAX} are allowed` }]
}

function invalid(path: ProblemPath, message: string): Problem {
  return { code: 'CONFIG_INVALID', path, message }
}
