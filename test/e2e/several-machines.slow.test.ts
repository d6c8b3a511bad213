import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { StatusJson, VotersJson } from '../../src/framework/api/wire.ts'
import { eventually } from '../eventually.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { addressOn } from './lab/network.ts'

const top = resolve(import.meta.dirname, '../..')
const why = missing === undefined ? '' : ` (skipped: ${missing})`
/** An election, a look at all voters, and an expiry, on a busy machine. */
const WITHIN_MS = 60_000

/** A command of the page; `at`: the machine whose prompt stands before it, or any host. */
interface Command {
  readonly at: string
  readonly words: readonly string[]
}

/** Takes the commands out of a section of docs/several-machines.md, for the adapters and addresses of a lab. */
function commandsOf(heading: string): readonly Command[] {
  const page = readFileSync(resolve(top, 'docs/several-machines.md'), 'utf8')
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [part = ''] = section.split('\n## ')
  const blocks = [...part.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
  return blocks
    .join('')
    .replaceAll(/10\.0\.([01])\.(\d)/g, (_, network, number) =>
      addressOn(network === '0' ? 'priv1' : 'priv2', Number(number)),
    )
    .replaceAll(/:eth(\d):/g, ':priv$1:')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, at = 'alpha', command = ''] = /^(?:(\w+)# *)?(.*)$/.exec(line) ?? []
      return { at, words: command.split(/ +/) }
    })
}

describe.skipIf(missing !== undefined)(`docs/several-machines.md${why}`, () => {
  let lab: Lab
  let witness: LabHost

  beforeAll(async () => {
    const workshop = inject('workshop')
    const networks = ['pub', 'priv1', 'priv2'] as const
    lab = await Lab.start({ workshop, installation: `${workshop}/haven`, name: 'page', networks })
    await lab.addHost('alpha')
    await lab.addHost('beta')
    witness = await lab.addHost('watcher', { isWitness: true })
  })
  afterAll(() => lab?.stop())

  /** Types what a section says, at each machine; a token is what was printed last. */
  async function follow(heading: string): Promise<void> {
    const commands = commandsOf(heading)
    expect(commands, heading).not.toEqual([])
    let token = 'none'
    for (const { at, words } of commands) {
      const [program = '', ...rest] = words.map((word) => (word === 'TOKEN' ? token : word))
      const machine = at === witness.name ? witness : lab.host(at)
      const said = await machine.haven(program, ...rest)
      if (rest[0] === 'token') token = said.trim()
    }
  }

  const votersAt = async (host: LabHost): Promise<VotersJson> =>
    JSON.parse(await host.haven('scadmin', 'voters', '--json')) as VotersJson
  const statusAt = async (host: LabHost): Promise<StatusJson> =>
    JSON.parse(await host.haven('hastat', '--json')) as StatusJson

  it('two hosts and a witness, set up as it says, see all networks and survive the loss of each machine', async () => {
    for (const heading of ['The first host', 'The second host', 'The witness', 'The networks']) await follow(heading)
    const alpha = lab.host('alpha')
    expect((await votersAt(alpha)).warnings).toEqual([])
    await eventually('both private networks to be up', WITHIN_MS, async (saw) => {
      const { privateNetworks } = await statusAt(alpha)
      saw(privateNetworks)
      return (privateNetworks.length === 2 && privateNetworks.every(({ state }) => state === 'up')) || undefined
    })
    const beta = lab.host('beta')
    for (const [index, machine] of [beta, witness, alpha].entries()) {
      const other = machine === alpha ? beta : alpha
      await machine.powerOff()
      await other.haven('scconf', 'shop', '-l', String(150 + index))
      await machine.boot()
      await machine.haven('scadmin', ...(machine === witness ? ['voters', 'start'] : ['startnode']))
      await eventually(`${machine.name} to vote again`, WITHIN_MS, async (saw) => {
        const { warnings } = await votersAt(other)
        saw(warnings)
        return warnings.length === 0 || undefined
      })
    }
  })
})
