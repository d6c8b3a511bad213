import { NEW_CLUSTER } from '../../src/framework/daemon/join.ts'
import { PROFILES } from '../../src/framework/membership/check-timings.ts'
import type { LogicalHost } from '../../src/framework/model/cluster-config.ts'
import type { LogicalHostState } from '../../src/framework/model/mastery.ts'
import { parseName } from '../../src/framework/model/names.ts'
import { newPhysicalHost } from '../../src/framework/model/new-physical-host.ts'
import type { CommitOutcome, Guard, Write } from '../../src/framework/ports/cluster-database.ts'
import { draftsOfConfiguration, toWrite } from '../../src/framework/records/encode.ts'
import { MemoryDatabaseCore } from '../../src/framework/store/memory.ts'
import { NO_CHANCES } from './chances.ts'
import { Machine } from './machine.ts'
import { randomFrom } from './random.ts'
import { NO_FENCE_CHANCES } from './sim-fence.ts'
import { SimHost } from './sim-host.ts'
import { SIM_NETWORKS, SimNetwork } from './sim-network.ts'
import { VirtualTime } from './virtual-time.ts'
import { World } from './world.ts'

/** What a cluster of so many hosts, with as many logical hosts, does by itself. */
export interface Growth {
  readonly hosts: number
  /** At rest, in a second of the whole cluster. */
  readonly stampsPerSecond: number
  readonly otherCommitsPerSecond: number
  readonly heartbeatsPerSecond: number
  /** From the loss of power of one host until its logical host has another master; milliseconds. */
  readonly takeoverMs: number
  /** Commits of that other than stamps. */
  readonly takeoverCommits: number
}

const REST_MS = 8_000
const WATCHED_MS = 20_000
const TAKEOVER_MS_MAX = 20_000

/** Counts what is committed. */
class CountingCore extends MemoryDatabaseCore {
  stamps = 0
  others = 0

  override commit(guards: readonly Guard[], writes: readonly Write[]): CommitOutcome {
    const outcome = super.commit(guards, writes)
    if (outcome.kind === 'committed' && writes.every(({ key }) => key.startsWith('stamps/'))) this.stamps += 1
    else if (outcome.kind === 'committed') this.others += 1
    return outcome
  }
}

/** Runs the production loop of so many hosts on virtual time, at rest and through one loss, and counts. */
export async function measureGrowth(hosts: number): Promise<Growth> {
  const time = new VirtualTime()
  const random = randomFrom(hosts)
  const core = new CountingCore()
  const network = new SimNetwork(time, random.split(), () => NO_CHANCES)
  const names = Array.from({ length: hosts }, (_, index) => parseName('physicalHost', `h${index + 1}`))
  core.commit([], configurationOf(names))
  const simHosts = names.map(
    (name) =>
      new SimHost({
        machine: new Machine(name, time, random.split()),
        world: new World(() => undefined),
        core,
        network,
        hosts: names,
        timings: PROFILES.default,
        chances: () => NO_CHANCES,
        fenceChances: () => NO_FENCE_CHANCES,
        switchOff: () => undefined,
        onLog: () => undefined,
      }),
  )
  for (const host of simHosts) host.start()
  await time.runUntil(REST_MS * Math.max(1, hosts / 8))
  const before = { stamps: core.stamps, others: core.others, sent: network.sent }
  await time.runUntil(time.nowMs + WATCHED_MS)
  const seconds = WATCHED_MS / 1000
  const atRest = {
    stampsPerSecond: (core.stamps - before.stamps) / seconds,
    otherCommitsPerSecond: (core.others - before.others) / seconds,
    heartbeatsPerSecond: (network.sent - before.sent) / seconds,
  }
  return { hosts, ...atRest, ...(await takeover(time, core, simHosts)) }
}

async function takeover(
  time: VirtualTime,
  core: CountingCore,
  hosts: readonly SimHost[],
): Promise<Pick<Growth, 'takeoverMs' | 'takeoverCommits'>> {
  const [lost] = hosts
  const masterNow = (): string | undefined => {
    const record = core.snapshot().records.get('mastery/ha1')
    const mastery = (record?.value as unknown as LogicalHostState | undefined)?.mastery
    return mastery?.kind === 'mastered' ? mastery.by : undefined
  }
  if (lost === undefined || masterNow() !== lost.machine.name) throw new Error(`ha1 is mastered by ${masterNow()}`)
  const [fromMs, others] = [time.nowMs, core.others]
  lost.machine.crash()
  const isOver = (): boolean => masterNow() !== undefined && masterNow() !== lost.machine.name
  await time.runUntil(fromMs + TAKEOVER_MS_MAX, isOver)
  return { takeoverMs: time.nowMs - fromMs, takeoverCommits: core.others - others }
}

/** As many logical hosts as hosts, each with three possible masters, the first of them another one each. */
function configurationOf(names: readonly ReturnType<typeof parseName<'physicalHost'>>[]): readonly Write[] {
  const logicalHosts = names.map((_, index): LogicalHost => {
    const masters = [0, 1, 2].map((next) => names[(index + next) % names.length]).filter((name) => name !== undefined)
    return {
      name: parseName('logicalHost', `ha${index + 1}`),
      physicalHosts: [...new Set(masters)],
      diskGroups: [parseName('diskGroup', `dg${index + 1}`)],
      addresses: [],
      switchback: 'automatic',
      onStuck: 'stay',
    }
  })
  return [
    ...draftsOfConfiguration({
      kind: 'cluster',
      cluster: { ...NEW_CLUSTER, name: parseName('cluster', 'sim') },
    }),
    ...names.flatMap((name) =>
      draftsOfConfiguration({ kind: 'put-physical-host', physicalHost: newPhysicalHost(name) }),
    ),
    ...logicalHosts.flatMap((logicalHost) => [
      ...logicalHost.diskGroups.flatMap((name) =>
        draftsOfConfiguration({ kind: 'put-disk-group', diskGroup: { kind: 'directory', name, path: `/d/${name}` } }),
      ),
      ...draftsOfConfiguration({ kind: 'put-logical-host', logicalHost }),
    ]),
  ].map(toWrite)
}

/** Private networks of the simulated clusters; each heartbeat goes over all of them. */
export const NETWORKS = SIM_NETWORKS.length
