import { LATER_DEFAULTS } from '../../src/framework/model/later-defaults.ts'
import { type Growth, measureGrowth, NETWORKS } from '../../test/simulation/scaling.ts'
import { HEARTBEAT_MS } from '../../test/simulation/sim-host.ts'
import type { Benchmark } from '../benchmark.ts'
import { type Figure, spreadOf } from '../figure.ts'

const SIZES = [2, 4, 8, 16, 32, 64]
const SIZES_QUICK = [2, 4]

/** How much hosts say and commit as there are more of them: counted, not timed, so the load of this machine does not matter. */
export const scaling: Benchmark = {
  name: 'scaling',
  summary: 'stamps, commits and heartbeats of 2 to 64 hosts, and a takeover among them, in the simulation',
  run: async ({ isQuick }) => {
    const figures: Figure[] = []
    for (const hosts of isQuick ? SIZES_QUICK : SIZES) figures.push(...figuresOf(await measureGrowth(hosts)))
    return figures
  },
}

function figuresOf(growth: Growth): readonly Figure[] {
  const { hosts, stampsPerSecond, otherCommitsPerSecond, heartbeatsPerSecond, takeoverMs, takeoverCommits } = growth
  const { intervalMs } = LATER_DEFAULTS.heartbeats
  const heartbeats = (heartbeatsPerSecond * HEARTBEAT_MS) / intervalMs
  const told = stampsPerSecond * hosts
  const about = (name: string): string => `${hosts} hosts at rest: ${name}`
  return [
    {
      name: about('stamps committed'),
      unit: 'per second',
      measured: spreadOf([stampsPerSecond]),
      details: [`told to every host: ${Math.round(told)} a second; other commits: ${otherCommitsPerSecond} a second`],
    },
    {
      name: about('heartbeats sent'),
      unit: 'per second',
      measured: spreadOf([heartbeats]),
      details: [
        `over ${NETWORKS} networks, every ${intervalMs} ms; each host sends and hears ${Math.round(heartbeats / hosts)}`,
      ],
    },
    {
      name: `${hosts} hosts: from the loss of one to its logical host mastered again`,
      unit: 'ms',
      measured: spreadOf([takeoverMs]),
      details: [`virtual time, drivers that take about a millisecond; ${takeoverCommits} commits beside the stamps`],
    },
  ]
}
