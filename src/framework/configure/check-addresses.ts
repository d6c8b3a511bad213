import type { LogicalAddress, LogicalHost } from '../model/cluster-config.ts'
import type { Configuration } from './configuration.ts'
import { PARTS_MAX } from './limits.ts'
import { parseAddress } from './parse-address.ts'
import type { Problem, ProblemPath } from './problem.ts'

/** Finds what is wrong with logical addresses: no addresses, on no adapter, or somebody else's. */
export function checkAddresses({ logicalHosts }: Configuration): readonly Problem[] {
  const owners = new Map<string, string>()
  return [...logicalHosts.values()].flatMap((logicalHost) => {
    const at = ['logicalHosts', logicalHost.name, 'addresses']
    return [
      ...checkCount(at, logicalHost),
      ...logicalHost.addresses.flatMap((address, index) => [
        ...checkAddress([...at, index], address, logicalHost),
        ...checkOwner([...at, index], address, logicalHost, owners),
      ]),
    ]
  })
}

function checkCount(path: ProblemPath, { name, addresses }: LogicalHost): readonly Problem[] {
  if (addresses.length <= PARTS_MAX) return []
  const message = `logical host ${name} has ${addresses.length} addresses; ${PARTS_MAX} are allowed`
  return [{ code: 'LIMIT_REACHED', path, message }]
}

function checkAddress(path: ProblemPath, address: LogicalAddress, logicalHost: LogicalHost): readonly Problem[] {
  const parsed = parseAddress(`${address.address}/${address.prefixLength}`)
  if (parsed.kind === 'not-an-ip')
    return [invalid(path, `'${address.address}' of logical host ${logicalHost.name} is not an IP address`)]
  if (parsed.kind === 'unusable')
    return [invalid(path, `${parsed.why}, and cannot be an address of logical host ${logicalHost.name}`)]
  return [
    ...checkKind(path, address, parsed),
    ...(address.kind === 'ip' ? checkAdapters(path, address, logicalHost) : checkNoAdapters(path, address)),
  ]
}

function checkKind(
  path: ProblemPath,
  { kind, address }: LogicalAddress,
  parsed: { readonly address: string; readonly isLoopback: boolean },
): readonly Problem[] {
  if (parsed.address !== address) return [invalid(path, `${address} is not in canonical text: write ${parsed.address}`)]
  if (kind === 'local' && !parsed.isLoopback) {
    return [invalid(path, `${address} is not in 127/8, and cannot be an address on the loopback adapter`)]
  }
  if (kind === 'ip' && parsed.isLoopback)
    return [invalid(path, `${address} is in 127/8, and cannot be an address on a network`)]
  return []
}

// As the kernel: at most 15 characters, no slash, no space. Whether the adapter exists, only its host knows.
const ADAPTER = /^[^\s/:]{1,15}$/

function checkAdapters(
  path: ProblemPath,
  { address, adapters }: LogicalAddress,
  { name, physicalHosts }: LogicalHost,
): readonly Problem[] {
  const missing = physicalHosts.filter((host) => adapters[host] === undefined)
  const foreign = Object.keys(adapters).filter((host) => !physicalHosts.some((possible) => possible === host))
  const bad = Object.entries(adapters).filter(([, adapter]) => !ADAPTER.test(adapter))
  return [
    ...missing.map((host) =>
      invalid([...path, 'adapters'], `${address} of logical host ${name} has no adapter on ${host}`),
    ),
    ...foreign.map((host) =>
      invalid(
        [...path, 'adapters', host],
        `${address} names an adapter on ${host}, which is not a possible master of ${name}`,
      ),
    ),
    ...bad.map(([host, adapter]) =>
      invalid([...path, 'adapters', host], `'${adapter}' cannot be the name of an adapter`),
    ),
  ]
}

function checkNoAdapters(path: ProblemPath, { address, adapters }: LogicalAddress): readonly Problem[] {
  if (Object.keys(adapters).length === 0) return []
  return [invalid([...path, 'adapters'], `${address} is local and has no adapters`)]
}

function checkOwner(
  path: ProblemPath,
  { address }: LogicalAddress,
  { name }: LogicalHost,
  owners: Map<string, string>,
): readonly Problem[] {
  const owner = owners.get(address)
  owners.set(address, owner ?? name)
  if (owner === undefined) return []
  const whose =
    owner === name ? `twice an address of logical host ${name}` : `an address of logical host ${owner} already`
  return [invalid(path, `${address} is ${whose}`)]
}

function invalid(path: ProblemPath, message: string): Problem {
  return { code: 'CONFIG_INVALID', path, message }
}
