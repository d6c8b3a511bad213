import type { Benchmark } from '../benchmark.ts'
import { spreadOf } from '../figure.ts'
import { repeat, spawnShells, timeOf } from '../timing.ts'
import { withCluster } from '../trial-cluster.ts'
import { whereTimeWent } from '../where-time-goes.ts'

const METHODS = ['START', 'STOP', 'START_NET', 'STOP_NET']

export const switchover: Benchmark = {
  name: 'switchover',
  summary: 'one logical host with one service, from the request to the end as the requester sees it',
  run: (context) => {
    const shape = { logicalHosts: 1, servicesEach: 1, methods: METHODS, preferred: 'alpha' } as const
    return withCluster(context, shape, async (cluster) => {
      const move = (to: 'alpha' | 'beta'): Promise<number> =>
        cluster.carryOut('alpha', { kind: 'switchover', logicalHosts: ['ha1'], to })
      const destination = (round: number): 'alpha' | 'beta' => (round % 2 === 0 ? 'beta' : 'alpha')
      // The first moves also load code and make directories.
      await repeat(4, (round) => move(destination(round)))
      const numbers: number[] = []
      const rounds = await repeat(context.isQuick ? 2 : 20, async (round) => ({
        movedMs: await timeOf(async () => numbers.push(await move(destination(round)))),
        floorMs: await timeOf(() => spawnShells(METHODS.length)),
      }))
      const timelines = await Promise.all(numbers.map((number) => cluster.client('alpha').timeline(number)))
      return [
        {
          name: 'switchover of a logical host',
          unit: 'ms',
          measured: spreadOf(rounds.map(({ movedMs }) => movedMs)),
          reference: {
            name: `${METHODS.length} times /bin/sh -c :`,
            measured: spreadOf(rounds.map(({ floorMs }) => floorMs)),
          },
          target: { of: 'value', below: 50 },
          details: [whereTimeWent(timelines)],
        },
      ]
    })
  },
}
