import { setMaxListeners } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Benchmark } from './benchmark.ts'
import { commits } from './benchmarks/commits.ts'
import { etcd } from './benchmarks/etcd.ts'
import { haget } from './benchmarks/haget.ts'
import { heartbeats } from './benchmarks/heartbeats.ts'
import { idle } from './benchmarks/idle.ts'
import { leavingHost } from './benchmarks/leaving-host.ts'
import { scaling } from './benchmarks/scaling.ts'
import { switchover } from './benchmarks/switchover.ts'
import { takeOn } from './benchmarks/take-on.ts'
import { takeovers } from './benchmarks/takeover.ts'
import type { Figure } from './figure.ts'
import { buildInstallation } from './installation.ts'
import { linesOf, toJson } from './print-figures.ts'
import { killAllOf } from './process-usage.ts'

const USAGE = `usage: npm run bench [-- [--json] [--quick] [--list] [NAME...]]

Measures Haven on this machine, each figure beside its reference in the same run. NAME: only benchmarks whose names hold it.
  --json    prints one JSON value
  --quick   few rounds: shows that it works, measures badly
  --list    names the benchmarks`

const benchmarks: readonly Benchmark[] = [
  switchover,
  leavingHost,
  takeOn,
  ...takeovers,
  scaling,
  commits,
  etcd,
  haget,
  heartbeats,
  idle,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) console.log(USAGE)
else if (values.list) for (const { name, summary } of benchmarks) console.log(`${name.padEnd(17)} ${summary}`)
else await main()

async function main(): Promise<void> {
  const chosen = benchmarks.filter(
    ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  )
  if (chosen.length === 0)
    throw new Error(`no benchmark is called like that; there are ${benchmarks.map(({ name }) => name).join(', ')}`)
  const workshop = mkdtempSync(join(tmpdir(), `haven-bench-${process.pid}-`))
  process.on('exit', () => {
    killAllOf(workshop)
    rmSync(workshop, { recursive: true, force: true, maxRetries: 3 })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
  // Everything that is under way in two hosts of one process listens to their end.
  setMaxListeners(0)
  const say = (line: string): void => {
    if (!values.json) console.log(line)
  }
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node.js ${process.version}`
  say(`${machine}, load ${loadNow()}`)
  const installation = buildInstallation(join(workshop, 'haven'))
  const found: { readonly benchmark: string; readonly figure: Figure }[] = []
  for (const { name, run } of chosen) {
    const figures = await run({ workshop, installation, isQuick: values.quick })
    say(`\n${name} (load ${loadNow()})`)
    for (const figure of figures) {
      for (const line of linesOf(figure)) say(`  ${line}`)
      found.push({ benchmark: name, figure })
    }
  }
  if (!values.json) return
  const figures = found.map(({ benchmark, figure }) => toJson(benchmark, figure))
  console.log(JSON.stringify({ machine, load: loadNow(), isQuick: values.quick, figures }, undefined, 2))
}

/** How busy the machine is, with us and with others: what is measured on a busy one is worth less. */
function loadNow(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')
}
