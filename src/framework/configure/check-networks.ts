import { carriesHeartbeats } from '../membership/heartbeats.ts'
import type { PhysicalHost } from '../model/cluster-config.ts'
import type { NetworkName, PhysicalHostName } from '../model/names.ts'
import type { Interface, Network } from '../model/network.ts'
import type { Configuration } from './configuration.ts'
import { parseAddress } from './parse-address.ts'
import type { Problem, ProblemPath } from './problem.ts'

/** Networks of a cluster: each is a heartbeat of every host to every other one. */
export const NETWORKS_MAX = 16
/** Addresses that answer probes, of one network: one that answers is enough. */
const PROBE_TARGETS_MAX = 16

/** Finds what is wrong with networks and the interfaces on them. */
export function checkNetworks(configuration: Configuration): readonly Problem[] {
  const { networks, physicalHosts } = configuration
  const tooMany = networks.size > NETWORKS_MAX ? [tooManyNetworks(networks.size)] : []
  const owners = ownersOfLogicalAddresses(configuration)
  return [
    ...tooMany,
    ...[...networks.values()].flatMap(checkNetwork),
    ...[...physicalHosts.values()].flatMap((host) => checkInterfaces(host, networks, owners)),
    ...checkFamilies(configuration),
  ]
}

function tooManyNetworks(count: number): Problem {
  const message = `${count} networks are more than the ${NETWORKS_MAX} that Haven allows`
  return { code: 'LIMIT_REACHED', path: ['networks'], message }
}

function checkNetwork({ name, probeTargets }: Network): readonly Problem[] {
  const at = ['networks', name, 'probeTargets']
  if (probeTargets.length > PROBE_TARGETS_MAX) {
    const message = `network ${name} has ${probeTargets.length} probe targets; ${PROBE_TARGETS_MAX} are allowed`
    return [{ code: 'LIMIT_REACHED', path: at, message }]
  }
  return probeTargets.flatMap((target, index) => checkIp([...at, index], target, `probe target of network ${name}`))
}

function checkInterfaces(
  { name, interfaces }: PhysicalHost,
  networks: Configuration['networks'],
  owners: Map<string, string>,
): readonly Problem[] {
  const seen = new Set<NetworkName>()
  return interfaces.flatMap((one): readonly Problem[] => {
    const at = ['physicalHosts', name, 'interfaces', one.network]
    const isSecond = seen.has(one.network)
    seen.add(one.network)
    return [
      ...(networks.has(one.network) ? [] : [unknownNetwork(at, name, one, networks)]),
      ...(isSecond ? [invalid(at, `physical host ${name} has two interfaces on network ${one.network}`)] : []),
      ...(ADAPTER.test(one.adapter) ? [] : [invalid(at, `'${one.adapter}' cannot be the name of an adapter`)]),
      ...checkIp(at, one.address, `address of ${name} on network ${one.network}`),
      ...checkOwner(at, one.address, `an address of physical host ${name}`, owners),
    ]
  })
}

// As the kernel: at most 15 characters, no slash, no space. Whether the adapter exists, only its host knows.
const ADAPTER = /^[^\s/:]{1,15}$/

function unknownNetwork(
  path: ProblemPath,
  host: PhysicalHostName,
  { network }: Interface,
  networks: Configuration['networks'],
): Problem {
  const hint = `Networks are: ${[...networks.keys()].toSorted().join(', ') || 'none; define one with scconf CLUSTER --network NAME --role internal'}.`
  return { code: 'NOT_FOUND', path, message: `there is no network ${network} for the interface of ${host}`, hint }
}

function checkIp(path: ProblemPath, text: string, what: string): readonly Problem[] {
  const parsed = parseAddress(text)
  if (parsed.kind === 'not-an-ip') return [invalid(path, `'${text}', ${what}, is not an IP address`)]
  if (parsed.kind === 'unusable') return [invalid(path, `${parsed.why}, and cannot be the ${what}`)]
  return parsed.address === text ? [] : [invalid(path, `${text} is not in canonical text: write ${parsed.address}`)]
}

function ownersOfLogicalAddresses({ logicalHosts }: Configuration): Map<string, string> {
  const all = [...logicalHosts.values()].flatMap(({ name, addresses }) =>
    addresses.map(({ address }) => [address, `an address of logical host ${name}`] as const),
  )
  return new Map(all)
}

function checkOwner(path: ProblemPath, address: string, what: string, owners: Map<string, string>): readonly Problem[] {
  const owner = owners.get(address)
  owners.set(address, owner ?? what)
  return owner === undefined
    ? []
    : [invalid(path, `${address} is ${owner === what ? `twice ${owner}` : `${owner} already`}`)]
}

/** Heartbeats between an IPv4 and an IPv6 address would go nowhere. */
function checkFamilies({ networks, physicalHosts }: Configuration): readonly Problem[] {
  return [...networks.values()].flatMap(({ name, role }): readonly Problem[] => {
    const on = [...physicalHosts.values()].flatMap((host) => host.interfaces.filter(({ network }) => network === name))
    const isMixed = on.some(({ address }) => address.includes(':')) && on.some(({ address }) => !address.includes(':'))
    if (!carriesHeartbeats(role) || !isMixed) return []
    return [
      invalid(
        ['networks', name],
        `network ${name} has interfaces with IPv4 and with IPv6 addresses; heartbeats need one of them`,
      ),
    ]
  })
}

function invalid(path: ProblemPath, message: string): Problem {
  return { code: 'CONFIG_INVALID', path, message }
}
