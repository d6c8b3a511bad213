import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHeartbeatChannel } from '../../src/framework/drivers/network/heartbeat-channel.ts'
import { audibleOver } from '../../src/framework/membership/heartbeats.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { PeerPlace, Peers } from '../../src/framework/ports/peers.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import type { BenchContext, Benchmark } from '../benchmark.ts'
import { type Figure, spreadOf } from '../figure.ts'
import { digits } from '../print-figures.ts'
import { pause } from '../timing.ts'

const NAMES = ['alpha', 'beta', 'gamma']
const NETWORKS = ['priv1', 'priv2']
const PORT = 20_000 + (process.pid % 20_000)
const effects = createRealEffects()

/** What heartbeats cost, how soon a silence is known, and what a flood of garbage does to them; on loopback, each channel with its own thread. */
export const heartbeats: Benchmark = {
  name: 'heartbeats',
  summary: 'processor and memory of the threads of heartbeats, time until a silence is known, and a flood of garbage',
  run: async (context) => {
    // Threads of heartbeats keep no process from ending.
    const alive = setInterval(() => undefined, 1_000)
    try {
      return [
        ...(await costOf(context)),
        await detection(context, { intervalMs: 50, suspectMs: 250 }),
        await detection(context, { intervalMs: 25, suspectMs: 120 }),
        ...(await flood(context)),
      ]
    } finally {
      clearInterval(alive)
    }
  },
}

async function costOf(context: BenchContext): Promise<readonly Figure[]> {
  const before = { tasks: tasks(), rssMb: process.memoryUsage.rss() / 1e6 }
  const channels = await Promise.all(NAMES.map((name) => open(context, name, 50)))
  await allHeard(channels)
  await pause(2_000)
  const rssMb = process.memoryUsage.rss() / 1e6
  const threads = busyTasks(before.tasks)
  const percent = await percentOf(threads, context.isQuick ? 2_000 : 20_000)
  await Promise.all(channels.map((channel) => channel.close()))
  return [
    {
      name: 'processor of the thread of one host, 3 hosts, 2 networks, a heartbeat every 50 ms',
      unit: '% of a core',
      measured: spreadOf(percent),
      target: { of: 'value', below: 1 },
      details: [`${threads.length} threads; 80 heartbeats a second out, 80 in`],
    },
    {
      name: 'memory that one channel adds to its process',
      unit: 'MB',
      measured: spreadOf([(rssMb - before.rssMb) / NAMES.length]),
      details: [`${NAMES.length} channels in one process`],
    },
  ]
}

async function detection(
  context: BenchContext,
  { intervalMs, suspectMs }: { readonly intervalMs: number; readonly suspectMs: number },
): Promise<Figure> {
  const alpha = await open(context, 'alpha', intervalMs)
  const times: number[] = []
  for (let round = 0; round < (context.isQuick ? 3 : 50); round += 1) {
    const beta = await open(context, 'beta', intervalMs)
    await allHeard([alpha, beta], 1)
    // In no step with the heartbeats.
    await pause(100 + ((round * 37) % intervalMs))
    const known = new Promise<number>((resolve) => {
      const stop = alpha.onChange(suspectMs, () => {
        const hearing = {
          heard: alpha.heard(),
          listeningSinceMs: alpha.listeningSinceMs(),
          nowMs: effects.nowMonotonicMs(),
        }
        if (NETWORKS.some((network) => audibleOver(hearing, network, suspectMs).length > 0)) return
        resolve(hearing.nowMs)
        stop()
      })
    })
    const stoppedMs = effects.nowMonotonicMs()
    await beta.close()
    times.push((await known) - stoppedMs)
  }
  await alpha.close()
  return {
    name: `from the end of a host until its silence is known, ${intervalMs}/${suspectMs} ms`,
    unit: 'ms',
    measured: spreadOf(times),
    target: { of: 'value', below: suspectMs + intervalMs },
    details: ['two hosts, two networks, silent on both'],
  }
}

async function flood(context: BenchContext): Promise<readonly Figure[]> {
  const before = tasks()
  const [alpha, beta] = await Promise.all([open(context, 'alpha', 50), open(context, 'beta', 50)])
  await allHeard([alpha, beta], 1)
  const figures: Figure[] = []
  for (const [who, from] of [
    ['a stranger', '127.13.1.99'],
    ['the address of the other host', addressOf('beta', 'priv1')],
  ] as const) {
    const threads = busyTasks(before)
    const sender = await startFlood(from, addressOf('alpha', 'priv1'))
    const ages: number[] = []
    const percent = percentOf(threads, 5_000)
    for (let look = 0; look < 500; look += 1) {
      await pause(10)
      const nowMs = effects.nowMonotonicMs()
      for (const { atMs } of alpha.heard()) ages.push(nowMs - atMs)
    }
    const perSecond = await sender.stop()
    figures.push({
      name: `age of the last heartbeat while ${who} sends ${Math.round(perSecond / 1_000)}k datagrams of garbage a second`,
      unit: 'ms',
      measured: spreadOf(ages),
      details: [`threads of the two hosts: ${(await percent).map((one) => `${digits(one)} %`).join(', ')} of a core`],
    })
  }
  await Promise.all([alpha.close(), beta.close()])
  return figures
}

/** Sends as much as one thread of ours can, up to about 50k a second. */
async function startFlood(from: string, to: string): Promise<{ stop(): Promise<number> }> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.bind({ address: from, port: PORT }, resolve))
  const garbage = Buffer.alloc(54, 0x5a)
  const startedMs = performance.now()
  let sent = 0
  let isOver = false
  const ended = (async () => {
    while (!isOver) {
      const dueCount = (performance.now() - startedMs) * 50
      for (let burst = 0; burst < 500 && sent < dueCount; burst += 1) {
        socket.send(garbage, PORT, to)
        sent += 1
      }
      await pause(1)
    }
  })()
  return {
    stop: async () => {
      isOver = true
      await ended
      socket.close()
      return (sent / (performance.now() - startedMs)) * 1_000
    },
  }
}

async function open({ installation }: BenchContext, name: string, intervalMs: number): Promise<Peers> {
  const peers = openHeartbeatChannel({
    program: join(installation.directory, 'dist/heartbeat-worker.mjs'),
    clusterKey: new Uint8Array(32).fill(3),
    cluster: parseName('cluster', 'bench'),
    effects,
    warn: () => undefined,
    port: PORT,
  })
  const others = NAMES.filter((other) => other !== name).map(placeOf)
  await peers.configure({ me: placeOf(name), others, intervalMs })
  return peers
}

function placeOf(name: string): PeerPlace {
  return {
    host: parseName('physicalHost', name),
    addresses: NETWORKS.map((network) => ({ network, address: addressOf(name, network) })),
  }
}

function addressOf(name: string, network: string): string {
  return `127.13.${NETWORKS.indexOf(network) + 1}.${NAMES.indexOf(name) + 1}`
}

async function allHeard(channels: readonly Peers[], others = channels.length - 1): Promise<void> {
  const fresh = (one: Peers): number => one.heard().filter(({ atMs }) => effects.nowMonotonicMs() - atMs < 100).length
  while (channels.some((one) => fresh(one) < others * NETWORKS.length)) await pause(5)
}

function tasks(): ReadonlySet<string> {
  return new Set(readdirSync('/proc/self/task'))
}

/** The threads that were started since, and do something. */
function busyTasks(before: ReadonlySet<string>): readonly string[] {
  return readdirSync('/proc/self/task').filter((task) => !before.has(task) && usedMs(task) > 5)
}

function usedMs(task: string): number {
  return Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'latin1').split(' ')[0]) / 1e6
}

async function percentOf(threads: readonly string[], lookMs: number): Promise<readonly number[]> {
  const startedMs = performance.now()
  const before = threads.map(usedMs)
  await pause(lookMs)
  const wallMs = performance.now() - startedMs
  return threads.map((task, index) => ((usedMs(task) - (before[index] ?? 0)) / wallMs) * 100)
}
