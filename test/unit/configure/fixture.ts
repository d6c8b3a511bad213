import { HaError } from '../../../src/framework/errors/ha-error.ts'
import { PROFILES } from '../../../src/framework/membership/check-timings.ts'
import type {
  ClusterConfig,
  DataService,
  DiskGroup,
  LogicalHost,
  PhysicalHost,
} from '../../../src/framework/model/cluster-config.ts'
import type { ClusterState, Member } from '../../../src/framework/model/cluster-state.ts'
import { LATER_DEFAULTS } from '../../../src/framework/model/later-defaults.ts'
import type { LogicalHostState, Mastery } from '../../../src/framework/model/mastery.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { newPhysicalHost } from '../../../src/framework/model/new-physical-host.ts'

export const alpha = parseName('physicalHost', 'alpha')
export const beta = parseName('physicalHost', 'beta')
export const ha1 = parseName('logicalHost', 'ha1')
export const ha2 = parseName('logicalHost', 'ha2')
export const dg1 = parseName('diskGroup', 'dg1')
export const dg2 = parseName('diskGroup', 'dg2')
export const dg3 = parseName('diskGroup', 'dg3')
export const web = parseName('dataService', 'web')

const cluster: ClusterConfig = {
  name: parseName('cluster', 'demo'),
  timings: PROFILES.default,
  budgets: {
    takeoversMax: 3,
    takeoverWindowMs: 600_000,
    evictionsMax: 3,
    evictionWindowMs: 60_000,
    parallelMovesMax: 16,
  },
  logicalHostTimeoutS: 180,
  stepTimeoutS: 720,
  syslogFacility: 'daemon',
  ...LATER_DEFAULTS,
}

const physicalHost = (name: typeof alpha): PhysicalHost => ({
  ...newPhysicalHost(name),
  publicNames: [`${name}.example`],
})

const ha1Config: LogicalHost = {
  name: ha1,
  physicalHosts: [alpha, beta],
  diskGroups: [dg1],
  addresses: [{ kind: 'local', address: '127.1.0.1', prefixLength: 32, adapters: {} }],
  switchback: 'automatic',
  onStuck: 'stay',
}

const ha2Config: LogicalHost = {
  name: ha2,
  physicalHosts: [beta, alpha],
  diskGroups: [dg2],
  addresses: [{ kind: 'ip', address: '10.0.0.12', prefixLength: 24, adapters: { alpha: 'eth0', beta: 'eth1' } }],
  switchback: 'manual',
  onStuck: 'abort',
}

const diskGroups: readonly DiskGroup[] = [
  { kind: 'directory', name: dg1, path: '/srv/dg1' },
  {
    kind: 'filesystem',
    name: dg2,
    fileSystems: [{ device: '/dev/vdb', type: 'ext4', mountPoint: '', options: ['noatime'] }],
  },
  { kind: 'directory', name: dg3, path: '/srv/dg3' },
]

export const webConfig: DataService = {
  name: web,
  state: 'on',
  methods: { START: { program: '/opt/web/start', timeoutS: 60 }, STOP: { program: '/opt/web/stop', timeoutS: 30 } },
  baseDirectory: '/opt/web',
  dependsOn: [],
  logicalHosts: [ha1],
  version: '1.0',
  apiVersion: '2.2',
  packages: ['HAVweb'],
}

/** Two members; ha1 mastered by alpha with web on it, ha2 in maintenance; dg3 belongs to nobody. */
export const demo: ClusterState = {
  revision: 10,
  cluster,
  physicalHosts: new Map([alpha, beta].map((name) => [name, physicalHost(name)])),
  logicalHostRevisions: new Map(),
  networks: new Map(),
  fenceDevices: new Map(),
  sights: new Map(),
  diskGroups: new Map(diskGroups.map((group) => [group.name, group])),
  logicalHosts: new Map([ha1Config, ha2Config].map((logicalHost) => [logicalHost.name, logicalHost])),
  dataServices: new Map([[web, webConfig]]),
  members: new Map([alpha, beta].map((host) => [host, member(host)])),
  states: new Map([
    [ha1, lifeOf(ha1, { kind: 'mastered', by: alpha })],
    [ha2, lifeOf(ha2, { kind: 'unmastered', why: 'maintenance', uncleanOn: [] })],
  ]),
  lastReconfiguration: 4,
}

/** The same cluster with a fence device for each host. */
export const fenced: ClusterState = {
  ...demo,
  physicalHosts: new Map(
    [...demo.physicalHosts].map(([name, host]) => [
      name,
      { ...host, fenceLevels: [[parseName('fenceDevice', 'pdu')]] },
    ]),
  ),
}

/** The same cluster in another state of a logical host, ha1 unless said otherwise. */
export function withMastery(mastery: Mastery, state: ClusterState = demo, name = ha1): ClusterState {
  return { ...state, states: new Map(state.states).set(name, lifeOf(name, mastery)) }
}

/** The same cluster with a service changed or added. */
export function withService(service: Partial<DataService>, state: ClusterState = demo): ClusterState {
  const whole = { ...webConfig, ...service }
  return { ...state, dataServices: new Map(state.dataServices).set(whole.name, whole) }
}

/** Returns what a call throws, which must be an `HaError`. */
export function refusal(call: () => unknown): HaError {
  try {
    call()
  } catch (error) {
    if (error instanceof HaError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

function member(host: typeof alpha): Member {
  return { host, incarnation: 1, state: 'joined', joinedWallMs: 1_000 }
}

function lifeOf(name: typeof ha1, mastery: Mastery): LogicalHostState {
  return {
    name,
    mastery,
    generation: 3,
    reconfiguration: 4,
    sinceWallMs: 2_000,
    startFailures: [],
    takeOnFailures: [],
    without: [],
    switchbackTo: null,
    formerLists: [],
    heirs: null,
    takeoversWallMs: [],
  }
}
