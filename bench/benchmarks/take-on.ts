import { createHostLoop, type HostLoop } from '../../src/framework/daemon/loop.ts'
import { LOOP_SETTINGS } from '../../src/framework/daemon/parts.ts'
import { DONE, type Hands } from '../../src/framework/execute/hands.ts'
import { expiryMs, PROFILES } from '../../src/framework/membership/check-timings.ts'
import type { ConfigurationChange } from '../../src/framework/model/configuration-change.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { Guard } from '../../src/framework/ports/guard.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { silentPeers } from '../../src/framework/ports/silent-peers.ts'
import { MemoryDatabaseCore } from '../../src/framework/store/memory.ts'
import type { Benchmark } from '../benchmark.ts'
import { type Figure, spreadOf } from '../figure.ts'
import { pause, repeat, timeOf } from '../timing.ts'

const hosts = ['alpha', 'beta'].map((name) => parseName('physicalHost', name))
const effects = createRealEffects()

/** What Haven itself costs when a host is lost: the production loop of both hosts over the memory engine, with hands that do nothing. */
export const takeOn: Benchmark = {
  name: 'take-on',
  summary: 'own time of a take-on after a loss, for 100, 200 and 500 logical hosts',
  run: async ({ isQuick }) => {
    const figures: Figure[] = []
    for (const count of isQuick ? [20] : [100, 200, 500]) {
      const times = await repeat(isQuick ? 1 : 3, () => timeOfTakeOn(count))
      figures.push({
        name: `take-on of ${count} logical hosts after a loss, for each`,
        unit: 'ms',
        measured: spreadOf(times.map((ms) => ms / count)),
        target: { of: 'value', below: 5 },
        details: [`all ${count}: ${times.map((ms) => `${Math.round(ms)} ms`).join(', ')}; both hosts in one process`],
      })
    }
    return figures
  },
}

async function timeOfTakeOn(count: number): Promise<number> {
  const core = new MemoryDatabaseCore()
  const [alpha, beta] = hosts.map((host) => loopOf(core, host))
  if (alpha === undefined || beta === undefined) throw new Error('two hosts are needed')
  await alpha.start('found')
  await beta.start('join')
  await alpha.services.configure(() => configurationOf(count))
  await masteredBy(alpha, 'alpha', count)
  // A member that has just joined takes nothing on from a lost host before this.
  await pause(expiryMs(PROFILES.default) + 100)
  await alpha.stop()
  const cause = {
    kind: 'hosts-lost',
    hosts: [{ host: parseName('physicalHost', 'alpha'), evidence: 'fenced' }],
  } as const
  const tookMs = await timeOf(async () => {
    await beta.services.submit(cause, { busyWaitMs: 0 })
    await masteredBy(beta, 'beta', count)
  })
  await beta.stop()
  return tookMs
}

async function masteredBy({ services }: HostLoop, host: string, count: number): Promise<void> {
  const { signal } = new AbortController()
  for (let revision = 0; ; revision = await services.changed(revision, 1_000, signal)) {
    const there = [...services.state().states.values()].filter(
      ({ mastery }) => mastery.kind === 'mastered' && mastery.by === host,
    )
    if (there.length === count) return
  }
}

function loopOf(core: MemoryDatabaseCore, host: (typeof hosts)[number]): HostLoop {
  return createHostLoop({
    host,
    cluster: parseName('cluster', 'bench'),
    database: core.connect(host),
    effects,
    hands: IDLE_HANDS,
    guard: idleGuard(),
    peers: silentPeers(),
    log: { write: () => undefined },
    endStrays: async () => undefined,
    pathPrefixOf: (name) => `/${name}`,
    identity: { root: '/', pid: process.pid, version: 'bench' },
    settings: LOOP_SETTINGS,
    recordPlan: () => undefined,
    missingPrograms: async () => [],
    guardReports: () => [],
  })
}

const done = async (): Promise<typeof DONE> => DONE
const IDLE_HANDS: Hands = {
  import: done,
  export: done,
  'address-up': done,
  'address-down': done,
  method: done,
  'end-processes': done,
  'prove-released': done,
}

/** A guard that lets everything pass: what the real one costs is part of the other benchmarks. */
function idleGuard(): Guard {
  const nothing = async (): Promise<void> => undefined
  return {
    formerLife: async () => ({ kind: 'none' }),
    abortRemains: async () => [],
    prepare: nothing,
    arm: nothing,
    live: nothing,
    extend: nothing,
    deadlineMs: () => Number.POSITIVE_INFINITY,
    hold: nothing,
    disarm: nothing,
    fire: nothing,
  }
}

/** Logical hosts that prefer alpha, each with a disk group, an address and a service of its own. */
function configurationOf(count: number): readonly ConfigurationChange[] {
  return Array.from({ length: count }, (_, index): readonly ConfigurationChange[] => {
    const name = parseName('logicalHost', `ha${index}`)
    const diskGroup = parseName('diskGroup', `dg${index}`)
    const address = `127.9.${Math.floor(index / 250)}.${(index % 250) + 1}`
    const method = (program: string): { program: string; timeoutS: number } => ({ program, timeoutS: 60 })
    return [
      { kind: 'put-disk-group', diskGroup: { kind: 'directory', name: diskGroup, path: `/disks/${diskGroup}` } },
      {
        kind: 'put-logical-host',
        logicalHost: {
          name,
          physicalHosts: hosts,
          diskGroups: [diskGroup],
          addresses: [{ kind: 'local', address, prefixLength: 32, adapters: {} }],
          switchback: 'manual',
          onStuck: 'stay',
        },
      },
      {
        kind: 'put-data-service',
        dataService: {
          name: parseName('dataService', `web${index}`),
          state: 'on',
          methods: { START: method('/bin/true'), STOP: method('/bin/true') },
          baseDirectory: '',
          dependsOn: [],
          logicalHosts: [name],
          version: '',
          apiVersion: '',
          packages: [],
        },
      },
    ]
  }).flat()
}
