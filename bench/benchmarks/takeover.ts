import type { TimelineJson } from '../../src/framework/api/wire.ts'
import type { BenchContext, Benchmark } from '../benchmark.ts'
import { type Figure, spreadOf } from '../figure.ts'
import { digits } from '../print-figures.ts'
import { memoryMb, processorMs } from '../process-usage.ts'
import { type TakeoverLab, type TakeoverShape, withTakeoverLab } from '../takeover/takeover-lab.ts'
import { pause, repeat } from '../timing.ts'
import { whereTimeWent } from '../where-time-goes.ts'

const ONE = { logicalHosts: 1, servicesEach: 1, disks: 'ext4', isFenced: false } as const
const TWENTY = { logicalHosts: 20, servicesEach: 3, disks: 'directory', isFenced: false } as const

/** `npm run bench -- takeover` runs all of them. Three hosts on etcd, in namespaces: they need root, and what test/e2e/packages.txt names. */
export const takeovers: readonly Benchmark[] = [
  benchmark(
    'takeover-default',
    'what a client sees that asks every 2 ms: a switchover, and its host loses its power; default timings',
    { ...ONE, timings: 'default' },
    async (lab, context) => [
      ...(await idle(lab, context)),
      await moves(lab, context, { what: 'switchover of one logical host (address, ext4, one service)', below: 60 }),
      ...(await losses(lab, context, { what: 'timings default', below: 2_500 })),
    ],
  ),
  benchmark('takeover-fast', 'the same loss with fast timings', { ...ONE, timings: 'fast' }, (lab, context) =>
    losses(lab, context, { what: 'timings fast', below: 1_000 }),
  ),
  benchmark(
    'takeover-fenced',
    'the same loss with a fence command that answers at once',
    { ...ONE, timings: 'default', isFenced: true },
    (lab, context) => losses(lab, context, { what: 'timings default, fenced by a command', below: 400 }),
  ),
  benchmark(
    'takeover-fenced-fast',
    'the same with fast timings and an etcd that elects as fast',
    { ...ONE, timings: 'fast', isFenced: true },
    (lab, context) => losses(lab, context, { what: 'timings fast, fenced by a command', below: 400 }),
  ),
  benchmark(
    'takeover-many',
    '20 logical hosts with 3 services each: leaving a host, and a loss',
    { ...TWENTY, timings: 'default' },
    async (lab, context) => [
      await moves(lab, context, { what: '20 logical hosts with 3 services each leave a host', below: 600 }),
      await loss(lab, context, {
        what: '20 logical hosts with 3 services each, timings default',
        below: 2_500,
        leads: false,
      }),
    ],
  ),
]

function benchmark(
  name: string,
  summary: string,
  shape: Omit<TakeoverShape, 'name'>,
  work: (lab: TakeoverLab, context: BenchContext) => Promise<readonly Figure[]>,
): Benchmark {
  return {
    name,
    summary,
    run: (context) => withTakeoverLab(context, { ...shape, name }, (lab) => work(lab, context)),
  }
}

interface Trial {
  readonly what: string
  /** The target, milliseconds. */
  readonly below: number
}

function trials({ isQuick }: BenchContext): number {
  return isQuick ? 2 : 9
}

/** Without and with the leader of etcd on the host that is lost. */
async function losses(lab: TakeoverLab, context: BenchContext, trial: Trial): Promise<readonly Figure[]> {
  return [await loss(lab, context, { ...trial, leads: false }), await loss(lab, context, { ...trial, leads: true })]
}

/** The master loses its power, again and again; each time the next one is the master. */
async function loss(
  lab: TakeoverLab,
  context: BenchContext,
  { what, below, leads }: Trial & { readonly leads: boolean },
): Promise<Figure> {
  const seen = await repeat(trials(context), async () => {
    await lab.bringAllBack()
    const master = await lab.master()
    const next = lab.nextAfter(master)
    await lab.etcd.lead(leads ? master : next)
    await pause(500)
    const before = await lab.lastReconfiguration()
    lab.answers.begin()
    await master.powerOff()
    const outages = await lab.answers.outagesMs(next.name)
    await lab.untilAt(next.name)
    return { outages, timelines: await lab.timelinesAfter(before) }
  })
  const name = `power loss of the master, ${what}, etcd's leader ${leads ? 'there too' : 'elsewhere'}`
  return figureOf(name, below, seen)
}

/** All logical hosts of the master are moved to the next one by one request. */
async function moves(lab: TakeoverLab, context: BenchContext, { what, below }: Trial): Promise<Figure> {
  const move = async (): Promise<Seen> => {
    const master = await lab.master()
    const next = lab.nextAfter(master)
    const before = await lab.lastReconfiguration()
    lab.answers.begin()
    const logicalHosts = Object.keys(lab.mastersAt(next.name))
    await master.api().submit({ request: { kind: 'switchover', logicalHosts, to: next.name } })
    const outages = await lab.answers.outagesMs(next.name)
    await lab.untilAt(next.name)
    return { outages, timelines: await lab.timelinesAfter(before) }
  }
  // The first moves also load code and make directories.
  await repeat(3, move)
  return figureOf(what, below, await repeat(trials(context), move))
}

interface Seen {
  /** Of each logical host, milliseconds. */
  readonly outages: readonly number[]
  readonly timelines: readonly TimelineJson[]
}

/** Of several logical hosts, what counts is the one that was away longest. */
function figureOf(name: string, below: number, seen: readonly Seen[]): Figure {
  const timelines = seen.flatMap((each) => each.timelines)
  const silent = timelines.flatMap(({ silences }) => silences.map(({ silentMs }) => silentMs))
  const shortest = seen.map(({ outages }) => Math.min(...outages))
  const isOne = seen[0]?.outages.length === 1
  return {
    name,
    unit: 'ms',
    measured: spreadOf(seen.map(({ outages }) => Math.max(...outages))),
    target: { of: 'value', below },
    details: [
      ...(isOne ? [] : [`the first of them: ${digits(spreadOf(shortest).median)}`]),
      ...(silent.length === 0
        ? []
        : [
            `silence before the plan: ${digits(spreadOf(silent).median)} (${digits(Math.min(...silent))} to ${digits(Math.max(...silent))})`,
          ]),
      ...(isOne ? [whereTimeWent(timelines)] : []),
    ],
  }
}

/** Processor and memory of a host of an idle cluster, and of the etcd beside it. */
async function idle(lab: TakeoverLab, { isQuick }: BenchContext): Promise<readonly Figure[]> {
  const lookMs = isQuick ? 2_000 : 20_000
  await pause(3_000)
  const hosts = [...lab.lab.hosts.values()].map((host) => ({
    ours: lab.processesOf(host, /clustd|failfastd|node/),
    etcd: lab.processesOf(host, /^etcd/),
  }))
  const used = (): readonly { ours: number; etcd: number }[] =>
    hosts.map(({ ours, etcd }) => ({ ours: sum(ours.map(processorMs)), etcd: sum(etcd.map(processorMs)) }))
  const [startedMs, before] = [performance.now(), used()]
  await pause(lookMs)
  const wallMs = performance.now() - startedMs
  const percent = used().map(({ ours, etcd }, index) => ({
    ours: ((ours - (before[index]?.ours ?? 0)) / wallMs) * 100,
    etcd: ((etcd - (before[index]?.etcd ?? 0)) / wallMs) * 100,
  }))
  const memory = hosts.map(({ ours, etcd }) => ({
    ours: sum(ours.map((pid) => memoryMb(pid).residentMb)),
    oursOnly: sum(ours.map((pid) => memoryMb(pid).proportionalMb)),
    etcd: sum(etcd.map((pid) => memoryMb(pid).residentMb)),
  }))
  return [
    {
      name: 'processor of Haven on an idle host of three',
      unit: '% of a core',
      measured: spreadOf(percent.map(({ ours }) => ours)),
      reference: { name: 'etcd', measured: spreadOf(percent.map(({ etcd }) => etcd)) },
      details: [],
    },
    {
      name: 'resident memory of Haven on a host (RSS)',
      unit: 'MB',
      measured: spreadOf(memory.map(({ ours }) => ours)),
      reference: { name: 'etcd', measured: spreadOf(memory.map(({ etcd }) => etcd)) },
      details: [
        `with what is shared counted once (PSS): ${digits(spreadOf(memory.map(({ oursOnly }) => oursOnly)).median)}`,
      ],
    },
  ]
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
