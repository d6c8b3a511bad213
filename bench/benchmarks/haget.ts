import type { Benchmark } from '../benchmark.ts'
import { spreadOf } from '../figure.ts'
import { repeat, runProgram, timeOf } from '../timing.ts'
import { withCluster } from '../trial-cluster.ts'

export const haget: Benchmark = {
  name: 'haget',
  summary: 'the shortest command, beside an empty Node.js',
  run: (context) => {
    const shape = { logicalHosts: 1, servicesEach: 1, methods: ['START', 'STOP'], preferred: 'alpha' } as const
    return withCluster(context, shape, async (cluster) => {
      const ask = (): Promise<void> => cluster.command('alpha', 'haget', ['-f', 'master', '-h', 'ha1'])
      await repeat(3, ask)
      const rounds = await repeat(context.isQuick ? 2 : 25, async () => ({
        hagetMs: await timeOf(ask),
        nodeMs: await timeOf(() => runProgram(process.execPath, ['-e', '0'])),
      }))
      return [
        {
          name: 'haget -f master -h ha1',
          unit: 'ms',
          measured: spreadOf(rounds.map(({ hagetMs }) => hagetMs)),
          reference: { name: 'node -e 0', measured: spreadOf(rounds.map(({ nodeMs }) => nodeMs)) },
          target: { of: 'ratio', below: 2 },
          details: [],
        },
      ]
    })
  },
}
