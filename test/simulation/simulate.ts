import { parseArgs } from 'node:util'
import { runHistory } from './run-history.ts'

/** `npm run simulate -- --seeds N [--seed S] [--lines L]`: runs histories one after the other; ends with 1 when a referee objected. */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    lines: { type: 'string', default: '60' },
  },
})
const first = Number(values.seed)
const count = Number(values.seeds)
let failures = 0
let reconfigurations = 0
for (let seed = first; seed < first + count; seed += 1) {
  const history = await runHistory(seed)
  reconfigurations += history.reconfigurations
  if (history.violation === undefined) continue
  failures += 1
  console.log(history.lines.slice(-Number(values.lines)).join('\n'))
  console.log(`seed ${seed}: ${history.violation}\nagain: npm run simulate -- --seeds 1 --seed ${seed} --lines 4000`)
}
console.log(`${count} histories, ${reconfigurations} reconfigurations, ${failures} violations`)
process.exitCode = failures === 0 ? 0 : 1
