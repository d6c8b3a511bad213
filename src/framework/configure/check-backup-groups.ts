import type { AdapterTests } from '../model/adapter-tests.ts'
import type { LogicalHost, PhysicalHost } from '../model/cluster-config.ts'
import type { BackupGroup, Network } from '../model/network.ts'
import type { Configuration } from './configuration.ts'
import { PARTS_MAX } from './limits.ts'
import type { Problem, ProblemPath } from './problem.ts'

/** Finds what is wrong with backup groups. Whether their adapters exist only their host knows; `pnmstat` there says so. */
export function checkBackupGroups({ physicalHosts, networks, logicalHosts }: Configuration): readonly Problem[] {
  const ofHosts = [...physicalHosts.values()].flatMap((host) => {
    const tooMany = host.backupGroups.length > PARTS_MAX ? [tooManyGroups(host)] : []
    const groups = host.backupGroups.flatMap((group) => [
      ...checkName(host, group),
      ...checkNetwork(host, group, networks),
      ...checkAdapters(host, group),
    ])
    return [...tooMany, ...groups, ...checkInterfaces(host), ...checkUsers(host, [...logicalHosts.values()])]
  })
  return [...ofHosts, ...[...networks.values()].flatMap(checkTests)]
}

/** What a figure may be: anything that is meant seriously. */
const BOUNDS: Readonly<Record<keyof AdapterTests, readonly [number, number]>> = {
  inactiveMs: [100, 600_000],
  pingTimeoutMs: [10, 60_000],
  repeatTests: [1, 20],
  backMs: [0, 3_600_000],
  compareMs: [0, 600_000],
}

function checkTests({ name, adapterTests }: Network): readonly Problem[] {
  if (adapterTests === undefined) return []
  const fields = ['inactiveMs', 'pingTimeoutMs', 'repeatTests', 'backMs', 'compareMs'] as const
  const out = fields.flatMap((field): readonly Problem[] => {
    const [least, most] = BOUNDS[field]
    const value = adapterTests[field]
    if (Number.isInteger(value) && value >= least && value <= most) return []
    const message = `${field} of network ${name} is ${value}; it must be a whole number from ${least} to ${most}`
    return [invalid(['networks', name, 'adapterTests', field], message)]
  })
  if (out.length > 0 || adapterTests.compareMs >= adapterTests.pingTimeoutMs) return out
  return [
    invalid(
      ['networks', name, 'adapterTests', 'compareMs'],
      `compareMs of network ${name} is shorter than its pingTimeoutMs: the other hosts could not say anything in time`,
    ),
  ]
}

function tooManyGroups({ name, backupGroups }: PhysicalHost): Problem {
  const message = `physical host ${name} has ${backupGroups.length} backup groups; ${PARTS_MAX} are allowed`
  return { code: 'LIMIT_REACHED', path: ['physicalHosts', name, 'backupGroups'], message }
}

// As an adapter, in whose place it stands.
const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,14}$/

function checkName(host: PhysicalHost, { name }: BackupGroup): readonly Problem[] {
  const at = pathOf(host, name)
  if (!NAME.test(name)) {
    const hint = 'Use 1 to 15 letters, digits, dots, dashes or underscores, beginning with a letter, such as nafo0.'
    return [{ code: 'NAME_INVALID', path: at, message: `'${name}' cannot be the name of a backup group`, hint }]
  }
  const isTwice = host.backupGroups.filter((group) => group.name === name).length > 1
  const isAdapter = host.backupGroups.some(({ adapters }) => adapters.includes(name))
  return [
    ...(isTwice ? [invalid(at, `physical host ${host.name} has backup group ${name} twice`)] : []),
    ...(isAdapter
      ? [invalid(at, `${name} is the name of an adapter of ${host.name}, and cannot be that of a group`)]
      : []),
  ]
}

function checkNetwork(
  host: PhysicalHost,
  { name, network }: BackupGroup,
  networks: Configuration['networks'],
): readonly Problem[] {
  const configured = networks.get(network)
  const at = pathOf(host, name)
  if (configured === undefined) {
    const hint = `Networks are: ${[...networks.keys()].toSorted().join(', ') || 'none; define one with scconf CLUSTER --network NAME --role client'}.`
    const message = `there is no network ${network} for backup group ${name} of ${host.name}`
    return [{ code: 'NOT_FOUND', path: at, message, hint }]
  }
  const first = host.backupGroups.find((group) => group.network === network)
  return [
    ...(configured.role === 'client' || configured.role === 'both'
      ? []
      : [
          invalid(
            at,
            `network ${network} carries no logical addresses (its role is ${configured.role}), so it needs no group`,
          ),
        ]),
    ...(first?.name === name
      ? []
      : [invalid(at, `backup groups ${first?.name} and ${name} of ${host.name} are both on network ${network}`)]),
  ]
}

const ADAPTER = /^[^\s/:]{1,15}$/

function checkAdapters(host: PhysicalHost, { name, adapters }: BackupGroup): readonly Problem[] {
  const at = pathOf(host, name)
  if (adapters.length === 0) return [invalid(at, `backup group ${name} of ${host.name} has no adapter`)]
  if (adapters.length > PARTS_MAX) {
    const message = `backup group ${name} of ${host.name} has ${adapters.length} adapters; ${PARTS_MAX} are allowed`
    return [{ code: 'LIMIT_REACHED', path: at, message }]
  }
  return adapters.flatMap((adapter, index): readonly Problem[] => {
    if (!ADAPTER.test(adapter)) return [invalid(at, `'${adapter}' cannot be the name of an adapter`)]
    if (adapters.indexOf(adapter) !== index)
      return [invalid(at, `backup group ${name} of ${host.name} names ${adapter} twice`)]
    const other = host.backupGroups.find((group) => group.name !== name && group.adapters.includes(adapter))
    if (other === undefined || host.backupGroups.findIndex((g) => g.name === name) < host.backupGroups.indexOf(other))
      return []
    return [invalid(at, `adapter ${adapter} of ${host.name} is in backup groups ${other.name} and ${name}`)]
  })
}

/** The host's own address is on the group's adapters, too: it moves with the logical ones. */
function checkInterfaces(host: PhysicalHost): readonly Problem[] {
  return host.backupGroups.flatMap(({ name, network, adapters }): readonly Problem[] => {
    const at = host.interfaces.find((one) => one.network === network)
    if (at === undefined || adapters.length === 0 || adapters.includes(at.adapter)) return []
    return [
      invalid(
        pathOf(host, name),
        `the interface of ${host.name} on network ${network} is on ${at.adapter}, which is not in its backup group ${name}`,
      ),
    ]
  })
}

/** An address may name a group, or an adapter that a group may take in or let go; it must not name what is neither. */
function checkUsers(
  { name: host, backupGroups, interfaces }: PhysicalHost,
  logicalHosts: readonly LogicalHost[],
): readonly Problem[] {
  const known = new Set([
    ...backupGroups.flatMap(({ name, adapters }) => [name, ...adapters]),
    ...interfaces.map(({ adapter }) => adapter),
  ])
  return logicalHosts.flatMap(({ name, addresses }) =>
    addresses.flatMap(({ address, adapters }, index): readonly Problem[] => {
      const adapter = adapters[host]
      if (adapter === undefined || known.has(adapter) || !LOOKS_LIKE_A_GROUP.test(adapter)) return []
      const hint = `Backup groups of ${host} are: ${backupGroups.map((group) => group.name).join(', ') || 'none'}.`
      const message = `${address} of logical host ${name} is to be on ${adapter} of ${host}, which is not configured there`
      return [{ code: 'NOT_FOUND', path: ['logicalHosts', name, 'addresses', index, 'adapters', host], message, hint }]
    }),
  )
}

/** Any other name may be an adapter that nobody looks at; these are what groups are called. */
const LOOKS_LIKE_A_GROUP = /^nafo\d+$/

function pathOf({ name }: PhysicalHost, group: string): ProblemPath {
  return ['physicalHosts', name, 'backupGroups', group]
}

function invalid(path: ProblemPath, message: string): Problem {
  return { code: 'CONFIG_INVALID', path, message }
}
