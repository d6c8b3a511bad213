import type { ConfigurationRequest } from '../api/wire.ts'
import { HaError } from '../errors/ha-error.ts'
import { type NetworkName, parseName } from '../model/names.ts'
import type { Interface, Network } from '../model/network.ts'
import { type Configuration, withEntry, withoutEntry } from './configuration.ts'
import { parseAddress } from './parse-address.ts'

type Request<Kind> = Extract<ConfigurationRequest, { readonly kind: Kind }>

/** Adds a network, or changes what is given of it. Throws `NAME_INVALID`; a new one without a role is `internal`. */
export function putNetwork(configuration: Configuration, request: Request<'network'>): Configuration {
  const name = parseName('network', request.name)
  const before: Network = configuration.networks.get(name) ?? { name, role: 'internal', probeTargets: [] }
  const network: Network = {
    ...before,
    role: request.role ?? before.role,
    probeTargets: request.probeTargets?.map(canonical) ?? before.probeTargets,
  }
  return { ...configuration, networks: withEntry(configuration.networks, name, network) }
}

/** Removes a network with all interfaces on it. Throws `NOT_FOUND`. */
export function removeNetwork(configuration: Configuration, text: string): Configuration {
  const name = [...configuration.networks.keys()].find((one) => one === text)
  if (name === undefined) {
    throw new HaError('NOT_FOUND', `there is no network ${text}`, {
      hint: `Configured are: ${[...configuration.networks.keys()].toSorted().join(', ') || 'none'}.`,
    })
  }
  const hosts = [...configuration.physicalHosts].map(
    ([host, value]) => [host, { ...value, interfaces: withoutNetwork(value.interfaces, name) }] as const,
  )
  return {
    ...configuration,
    networks: withoutEntry(configuration.networks, name),
    physicalHosts: new Map(hosts),
  }
}

/**
 * Changes the interfaces of a host by the words of `--interface NETWORK:ADAPTER:ADDRESS` and `--no-interface NETWORK`; the others stay. Throws
 * `CONFIG_INVALID` for words of another form, `NAME_INVALID`, and `NOT_FOUND` when there is no interface to take away.
 */
export function editInterfaces(
  before: readonly Interface[],
  { interfacesOn = [], withoutInterfaces = [] }: Pick<Request<'physical-host'>, 'interfacesOn' | 'withoutInterfaces'>,
): readonly Interface[] {
  const left = withoutInterfaces.reduce((kept, network) => {
    const name = parseName('network', network)
    if (kept.some((one) => one.network === name)) return withoutNetwork(kept, name)
    throw new HaError('NOT_FOUND', `it has no interface on network ${network}`, {
      hint: `It has some on: ${before.map((one) => one.network).join(', ') || 'none'}.`,
    })
  }, before)
  const put = interfacesOn.map(parseInterface)
  const stays = left.filter(({ network }) => !put.some((one) => one.network === network))
  return [...stays, ...put].toSorted((one, other) => (one.network < other.network ? -1 : 1))
}

/** Reads `NETWORK:ADAPTER:ADDRESS`; an IPv6 address has colons of its own. */
function parseInterface(text: string): Interface {
  const [network = '', adapter = '', ...address] = text.split(':')
  if (adapter === '' || address.length === 0) {
    throw new HaError('CONFIG_INVALID', `'${text}' is no interface`, {
      hint: 'Write --interface NETWORK:ADAPTER:ADDRESS, such as priv1:eth1:10.1.0.1.',
    })
  }
  return { network: parseName('network', network), adapter, address: canonical(address.join(':')) }
}

function withoutNetwork(interfaces: readonly Interface[], name: NetworkName): readonly Interface[] {
  return interfaces.filter(({ network }) => network !== name)
}

/** Keeps text that is no address as it is: the check of the whole configuration says what is wrong with it. */
function canonical(text: string): string {
  const parsed = parseAddress(text)
  return parsed.kind === 'ip' && !text.includes('/') ? parsed.address : text
}
