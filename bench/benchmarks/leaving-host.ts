import type { BenchContext, Benchmark } from '../benchmark.ts'
import { type Figure, spreadOf } from '../figure.ts'
import { pause, repeat, spawnShells, timeOf } from '../timing.ts'
import { type TrialCluster, withCluster } from '../trial-cluster.ts'

const LOGICAL_HOSTS = 20
const SERVICES_EACH = 3
const METHODS = ['START', 'STOP']
const CALLS = LOGICAL_HOSTS * SERVICES_EACH * METHODS.length
/** As many shells side by side as the machine has any use for. */
const SIDE_BY_SIDE = 8
const SHELLS = `${CALLS} times /bin/sh -c :, ${SIDE_BY_SIDE} side by side`

export const leavingHost: Benchmark = {
  name: 'leaving-host',
  summary: `${LOGICAL_HOSTS} logical hosts with ${SERVICES_EACH} services each leave a host: all switched over, and scadmin stopnode`,
  run: (context) => {
    const shape = {
      logicalHosts: LOGICAL_HOSTS,
      servicesEach: SERVICES_EACH,
      methods: METHODS,
      preferred: 'alpha',
    } as const
    return withCluster(context, shape, async (cluster) => [
      await allSwitchedOver(cluster, context),
      await stopped(cluster, context),
    ])
  },
}

async function allSwitchedOver(cluster: TrialCluster, { isQuick }: BenchContext): Promise<Figure> {
  const logicalHosts = Array.from({ length: LOGICAL_HOSTS }, (_, index) => `ha${index + 1}`)
  const moveAll = (round: number): Promise<number> =>
    cluster.carryOut('alpha', { kind: 'switchover', logicalHosts, to: round % 2 === 0 ? 'beta' : 'alpha' })
  await repeat(2, moveAll)
  const rounds = await repeat(isQuick ? 2 : 8, async (round) => ({
    movedMs: await timeOf(() => moveAll(round)),
    floorMs: await timeOf(() => spawnShells(CALLS, SIDE_BY_SIDE)),
  }))
  return {
    name: `${LOGICAL_HOSTS} logical hosts with ${SERVICES_EACH} services each switched over`,
    unit: 'ms',
    measured: spreadOf(rounds.map(({ movedMs }) => movedMs)),
    reference: { name: SHELLS, measured: spreadOf(rounds.map(({ floorMs }) => floorMs)) },
    target: { of: 'value', below: 500 },
    details: [],
  }
}

/** From the request to leave until the other host sees everything mastered by itself. */
async function stopped(cluster: TrialCluster, { isQuick }: BenchContext): Promise<Figure> {
  const rounds = await repeat(isQuick ? 1 : 4, async () => {
    const floorMs = await timeOf(() => spawnShells(CALLS, SIDE_BY_SIDE))
    const leave = cluster.client('alpha').leave({ withinMs: 60_000 })
    const leftMs = await timeOf(() => cluster.untilMasteredBy('beta', 'beta', 5))
    await leave
    await cluster.command('alpha', 'scadmin', ['startnode'])
    await cluster.carryOut('alpha', {
      kind: 'switchover',
      logicalHosts: Array.from({ length: LOGICAL_HOSTS }, (_, index) => `ha${index + 1}`),
      to: 'alpha',
    })
    await pause(200)
    return { leftMs, floorMs }
  })
  return {
    name: `the same by scadmin stopnode`,
    unit: 'ms',
    measured: spreadOf(rounds.map(({ leftMs }) => leftMs)),
    reference: { name: SHELLS, measured: spreadOf(rounds.map(({ floorMs }) => floorMs)) },
    target: { of: 'value', below: 500 },
    details: [],
  }
}
