import type { NetworkFacts } from '../../../src/framework/membership/networks.ts'
import type { PhysicalHost } from '../../../src/framework/model/cluster-config.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import type {
  BackupGroup,
  GroupSight,
  InterfaceSight,
  Network,
  NetworkSight,
} from '../../../src/framework/model/network.ts'
import { newPhysicalHost } from '../../../src/framework/model/new-physical-host.ts'
import { host, members } from './names.ts'

/** What one host sees of one network. A plain list of names: its link is up, and it hears these. */
export type Seen =
  | readonly string[]
  | (Partial<Omit<InterfaceSight, 'network' | 'hears'>> & { readonly hears?: readonly string[] | null })

/** One network with the hosts on it; null = no sight. */
export interface Sketch {
  readonly role?: Network['role']
  readonly sees: Readonly<Record<string, Seen | null>>
}

/** What is different from a cluster whose hosts are all members. */
export interface Rest {
  /** Configured, but no members. */
  readonly absent?: readonly string[]
  readonly doubtful?: readonly string[]
  /** Their sights are of a former life. */
  readonly outdated?: readonly string[]
  /** State of the only backup group of a host, on the first network. */
  readonly groups?: Readonly<Record<string, GroupSight['state']>>
}

/** Makes the facts of some networks: `{ priv1: { sees: { alpha: ['beta'], beta: ['alpha'] } } }`. */
export function sketch(networks: Readonly<Record<string, Sketch>>, rest: Rest = {}): NetworkFacts {
  const { absent = [], doubtful = [], outdated = [], groups = {} } = rest
  const names = [...new Set(Object.values(networks).flatMap(({ sees }) => Object.keys(sees)))]
  const isMember = (name: string): boolean => !absent.includes(name)
  return {
    networks: new Map(Object.entries(networks).map(([name, { role }]) => [networkName(name), network(name, role)])),
    physicalHosts: new Map(names.map((name) => [host(name), physicalHost(name, networks, name in groups)])),
    members: members(Object.fromEntries(names.filter(isMember).map((name) => [name, 2]))),
    sights: new Map(
      names.map((name) => [host(name), sight(name, networks, { isOld: outdated.includes(name), group: groups[name] })]),
    ),
    doubtful: new Set(doubtful.map(host)),
  }
}

function networkName(name: string): Network['name'] {
  return parseName('network', name)
}

function network(name: string, role: Network['role'] = 'internal'): Network {
  return { name: networkName(name), role, probeTargets: [] }
}

function physicalHost(name: string, networks: Readonly<Record<string, Sketch>>, hasGroup: boolean): PhysicalHost {
  const on = Object.keys(networks).filter((one) => networks[one]?.sees[name] !== undefined)
  const first = on[0]
  const group: BackupGroup[] =
    hasGroup && first !== undefined ? [{ name: 'nafo0', network: networkName(first), adapters: ['eth0'] }] : []
  return {
    ...newPhysicalHost(host(name)),
    interfaces: on.map((one, index) => ({ network: networkName(one), adapter: `eth${index}`, address: '10.0.0.1' })),
    backupGroups: group,
  }
}

function sight(
  name: string,
  networks: Readonly<Record<string, Sketch>>,
  { isOld, group }: { readonly isOld: boolean; readonly group: GroupSight['state'] | undefined },
): NetworkSight {
  const interfaces = Object.entries(networks).flatMap(([one, { sees }]): readonly InterfaceSight[] => {
    const seen = sees[name]
    if (seen === null || seen === undefined) return []
    const { hears = [], ...more } = Array.isArray(seen) ? { hears: seen } : (seen as Exclude<Seen, readonly string[]>)
    return [{ network: networkName(one), link: 'up', reaches: null, hears: hears?.map(host) ?? null, ...more }]
  })
  const groups = group === undefined ? [] : [{ name: 'nafo0', active: 'eth0', state: group, faulty: [] }]
  return { host: host(name), incarnation: isOld ? 1 : 2, interfaces, groups }
}
