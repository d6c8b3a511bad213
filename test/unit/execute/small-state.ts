import { PROFILES } from '../../../src/framework/membership/check-timings.ts'
import type { DataService, LogicalHost } from '../../../src/framework/model/cluster-config.ts'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { LATER_DEFAULTS } from '../../../src/framework/model/later-defaults.ts'
import type { LogicalHostState, Mastery } from '../../../src/framework/model/mastery.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import { newPhysicalHost } from '../../../src/framework/model/new-physical-host.ts'

const alpha = parseName('physicalHost', 'alpha')
const beta = parseName('physicalHost', 'beta')
const web = parseName('dataService', 'web')

/** Two logical hosts with one service; the masteries are given, the default is that alpha masters both. */
export function smallState(masteries: readonly Mastery[] = [{ kind: 'mastered', by: alpha }]): ClusterState {
  const names = ['ha1', 'ha2'].map((name) => parseName('logicalHost', name))
  const service: DataService = {
    name: web,
    state: 'on',
    methods: {},
    baseDirectory: '',
    dependsOn: [],
    logicalHosts: names,
    version: '',
    apiVersion: '',
    packages: [],
  }
  const logicalHosts = names.map(
    (name): LogicalHost => ({
      name,
      physicalHosts: [alpha, beta],
      diskGroups: [],
      addresses: [],
      switchback: 'manual',
      onStuck: 'stay',
    }),
  )
  const states = names.map(
    (name, index): LogicalHostState => ({
      name,
      mastery: masteries[index % masteries.length] ?? { kind: 'mastered', by: alpha },
      generation: 3,
      reconfiguration: 7,
      sinceWallMs: 0,
      startFailures: [],
      takeOnFailures: [],
      without: [],
      switchbackTo: null,
      formerLists: [],
      heirs: null,
      takeoversWallMs: [],
    }),
  )
  return {
    revision: 10,
    cluster: {
      name: parseName('cluster', 'test'),
      timings: PROFILES.default,
      budgets: {
        takeoversMax: 3,
        takeoverWindowMs: 300_000,
        evictionsMax: 8,
        evictionWindowMs: 60_000,
        parallelMovesMax: 8,
      },
      logicalHostTimeoutS: 180,
      stepTimeoutS: 720,
      syslogFacility: 'daemon',
      ...LATER_DEFAULTS,
    },
    physicalHosts: new Map([alpha, beta].map((name) => [name, newPhysicalHost(name)])),
    logicalHostRevisions: new Map(),
    networks: new Map(),
    fenceDevices: new Map(),
    sights: new Map(),
    diskGroups: new Map(),
    logicalHosts: new Map(logicalHosts.map((one) => [one.name, one])),
    dataServices: new Map([[web, service]]),
    members: new Map(),
    states: new Map(states.map((one) => [one.name, one])),
    lastReconfiguration: 7,
  }
}
