import { carriesHeartbeats } from '../membership/heartbeats.ts'
import type { PhysicalHost } from '../model/cluster-config.ts'
import type { NetworkName } from '../model/names.ts'
import type { Configuration } from './configuration.ts'
import type { Problem } from './problem.ts'

/**
 * Finds changes that take away a network that something rests on: the last one that carries heartbeats, or one whose adapters carry logical addresses
 * (the rules of the NT cluster line).
 */
export function checkNetworkChanges(before: Configuration, after: Configuration): readonly Problem[] {
  return [...checkLastInternal(before, after), ...checkAddresses(before, after)]
}

function checkLastInternal(before: Configuration, after: Configuration): readonly Problem[] {
  const joining = heartbeatNetworks(before)
  // Hosts that are removed take their interfaces along; a single host talks to nobody.
  if (joining.length === 0 || heartbeatNetworks(after).length > 0 || after.physicalHosts.size < 2) return []
  return [
    {
      code: 'IN_USE',
      path: ['networks', ...joining.slice(0, 1)],
      message: `network ${joining.join(', ')} is the last one that carries heartbeats between hosts`,
      hint: 'Configure another one first: scconf CLUSTER --network NAME --role internal, and an --interface of each host on it.',
    },
  ]
}

/** Networks that carry heartbeats between two hosts at least. */
function heartbeatNetworks({ networks, physicalHosts }: Configuration): readonly NetworkName[] {
  const isOn = ({ interfaces }: PhysicalHost, name: NetworkName): boolean =>
    interfaces.some(({ network }) => network === name)
  return [...networks.values()]
    .filter(
      ({ name, role }) =>
        carriesHeartbeats(role) && [...physicalHosts.values()].filter((host) => isOn(host, name)).length > 1,
    )
    .map(({ name }) => name)
}

function checkAddresses(before: Configuration, after: Configuration): readonly Problem[] {
  const problems = [...after.logicalHosts.values()].flatMap((logicalHost) =>
    logicalHost.addresses.flatMap(({ address, adapters }) =>
      Object.entries(adapters).flatMap(([host, adapter]): readonly Problem[] => {
        const lost = clientNetworkOf(before, host, adapter)
        if (lost === undefined || clientNetworkOf(after, host, adapter) !== undefined) return []
        const isConfigured = [...after.physicalHosts.keys()].some((name) => name === host)
        if (!isConfigured) return []
        return [
          {
            code: 'IN_USE',
            path: ['networks', lost],
            message: `address ${address} of logical host ${logicalHost.name} depends on network ${lost}: on ${host} it is on ${adapter}`,
            hint: 'Give the address another adapter first: scconf CLUSTER -L LOGICALHOST --change -i ...',
          },
        ]
      }),
    ),
  )
  return problems
}

/** The network for clients that an adapter or backup group of a host is on; undefined = none that is configured. */
function clientNetworkOf(
  { physicalHosts, networks }: Configuration,
  hostName: string,
  adapter: string,
): NetworkName | undefined {
  const host = [...physicalHosts.values()].find(({ name }) => name === hostName)
  const name =
    host?.backupGroups.find((group) => group.name === adapter || group.adapters.includes(adapter))?.network ??
    host?.interfaces.find((one) => one.adapter === adapter)?.network
  const role = name === undefined ? undefined : networks.get(name)?.role
  return role === 'client' || role === 'both' ? name : undefined
}
