import { spawn } from 'node:child_process'
import type { Benchmark } from '../benchmark.ts'
import { type Figure, spreadOf } from '../figure.ts'
import { digits } from '../print-figures.ts'
import { memoryMb, processorMs } from '../process-usage.ts'
import { pause, repeat } from '../timing.ts'
import { type TrialCluster, withCluster } from '../trial-cluster.ts'

const HOSTS = ['alpha', 'beta'] as const

export const idle: Benchmark = {
  name: 'idle',
  summary: 'processor and memory of clustd and failfastd when nothing happens, beside a Node.js that does nothing',
  run: (context) => {
    const shape = { logicalHosts: 2, servicesEach: 1, methods: ['START', 'STOP'], preferred: 'alpha' } as const
    return withCluster(context, shape, async (cluster) => {
      // A host that has just started has yet to tidy up; one that has moved something has all its code in memory.
      await repeat(4, (round) =>
        cluster.carryOut('alpha', {
          kind: 'switchover',
          logicalHosts: ['ha1'],
          to: round % 2 === 0 ? 'beta' : 'alpha',
        }),
      )
      const empty = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e9)'], { stdio: 'ignore' })
      try {
        return await look(cluster, empty.pid ?? 0, context.isQuick ? 1_000 : 25_000)
      } finally {
        empty.kill('SIGKILL')
      }
    })
  },
}

async function look(cluster: TrialCluster, emptyPid: number, lookMs: number): Promise<readonly Figure[]> {
  await pause(Math.min(lookMs, 2_000))
  const hosts = await Promise.all(
    HOSTS.map(async (host) => ({ clustd: await cluster.clustdPid(host), guard: cluster.guardPid(host) })),
  )
  const usedMs = () => hosts.map(({ clustd, guard }) => ({ clustd: processorMs(clustd), guard: processorMs(guard) }))
  const [startedMs, before] = [performance.now(), usedMs()]
  await pause(lookMs)
  const wallMs = performance.now() - startedMs
  const percent = usedMs().map(({ clustd, guard }, index) => ({
    clustd: ((clustd - (before[index]?.clustd ?? 0)) / wallMs) * 100,
    guard: ((guard - (before[index]?.guard ?? 0)) / wallMs) * 100,
  }))
  const memory = hosts.map(({ clustd, guard }) => ({ clustd: memoryMb(clustd), guard: memoryMb(guard) }))
  const nothing = memoryMb(emptyPid)
  return [
    {
      name: 'processor of clustd and failfastd of an idle host',
      unit: '% of a core',
      measured: spreadOf(percent.map(({ clustd, guard }) => clustd + guard)),
      target: { of: 'value', below: 1 },
      details: [
        `over ${digits(lookMs / 1000)} s, two hosts`,
        ...percent.map(({ clustd, guard }) => `clustd ${digits(clustd)}, failfastd ${digits(guard)}`),
      ],
    },
    {
      name: 'resident memory of both (RSS)',
      unit: 'MB',
      measured: spreadOf(memory.map(({ clustd, guard }) => clustd.residentMb + guard.residentMb)),
      reference: { name: 'a Node.js that does nothing', measured: spreadOf([nothing.residentMb]) },
      target: { of: 'value', below: 130 },
      details: memory.map(
        ({ clustd, guard }) => `clustd ${digits(clustd.residentMb)}, failfastd ${digits(guard.residentMb)}`,
      ),
    },
    {
      name: 'the same with what is shared counted once (PSS)',
      unit: 'MB',
      measured: spreadOf(memory.map(({ clustd, guard }) => clustd.proportionalMb + guard.proportionalMb)),
      reference: { name: 'a Node.js that does nothing', measured: spreadOf([nothing.proportionalMb]) },
      details: [],
    },
  ]
}
