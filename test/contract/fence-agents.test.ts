import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFenceAgents } from '../../src/framework/drivers/fence/fence-agents.ts'
import { findTagged } from '../../src/framework/drivers/processes.ts'
import { createRunCommand } from '../../src/framework/drivers/run-command.ts'
import type { FenceDevice } from '../../src/framework/model/fencing.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { FenceAgents } from '../../src/framework/ports/fence-agents.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { eventually } from '../eventually.ts'
import { fenceAgentsContract } from './fence-agents.contract.ts'
import { Outlets } from './fence-rig/outlets.ts'

const host = parseName('physicalHost', 'h2')
const never = new AbortController().signal
const effects = createRealEffects()
const tag = `test-${process.pid}:h1/-/fence`
let outlets: Outlets
let warnings: string[]
let agents: FenceAgents

beforeEach(() => {
  outlets = new Outlets()
  warnings = []
  const run = createRunCommand({ effects, tag })
  agents = createFenceAgents({ run, effects, warn: (message) => warnings.push(message) })
})

afterEach(() => outlets.remove())

describe.each(['command', 'fence-agent'] as const)('an agent of the kind %s', (agent) => {
  const device = (outlet: string, conduct = 'well', change: Partial<FenceDevice> = {}): FenceDevice => {
    outlets.plug(outlet, conduct as 'well')
    return outlets.device(agent, outlet, change)
  }

  fenceAgentsContract(() => ({
    agents,
    device,
    power: (outlet) => outlets.power(outlet),
    asked: () => outlets.asked(),
    warnings: () => warnings,
  }))

  it('leaves no process of a program behind that hangs', async () => {
    const levels = [[device('a', 'hangs', { timeoutMs: 300 })]]
    await expect(agents.fence({ host, levels }, never)).rejects.toThrow('no fence device confirmed that h2 is off')
    await eventually('the programs to be gone', 5_000, async (saw) => {
      const left = await findTagged(tag)
      saw(left)
      return left.length === 0 ? true : undefined
    })
  })

  it('says that a program is not there', async () => {
    const levels = [[device('a', 'well', { program: 'haven-has-no-such-agent' })]]
    await expect(agents.fence({ host, levels }, never)).rejects.toMatchObject({
      details: ['pdu-a: off failed: there is no haven-has-no-such-agent on this host'],
    })
  })

  it('reads secrets from the files that options name, and puts the host in', async () => {
    const file = join(outlets.directory, 'secret')
    writeFileSync(file, `${outlets.directory}\nnot this\n`)
    await agents.fence({ host, levels: [[device('a', 'well', { options: { 'directory@file': file } })]] }, never)
    expect(outlets.power('a')).toBe('off')
    const missing = device('b', 'well', { options: { 'directory@file': '/nonexistent/HOST.secret' } })
    expect(await agents.probe(missing, never)).toContain('/nonexistent/h2.secret')
  })

  it('uses the name of the host where no plug is configured', async () => {
    const levels = [[device('h2', 'well', { plugs: {} })]]
    await agents.fence({ host, levels }, never)
    expect(outlets.power('h2')).toBe('off')
  })
})

describe('an agent of the kind command', () => {
  it('is taken at its word when it cannot say whether there is power', async () => {
    outlets.plug('a', 'mute')
    await agents.fence({ host, levels: [[outlets.device('command', 'a')]] }, never)
    expect(outlets.power('a')).toBe('off')
  })
})

describe('an agent of the FenceAgentAPI', () => {
  it('is not asked for a status that its metadata does not name', async () => {
    const program = join(outlets.directory, 'no-status')
    writeFileSync(program, NO_STATUS)
    chmodSync(program, 0o755)
    const device = outlets.device('fence-agent', 'a', { program, options: {} })
    expect((await agents.fence({ host, levels: [[device]] }, never)).devices).toEqual(['pdu-a'])
    expect(await agents.probe(device, never)).toBe('')
  })
})

const NO_STATUS = `#!/bin/sh
while read -r line; do
  case $line in
    action=metadata) echo '<resource-agent name="x"><parameters></parameters><actions><action name="off"/></actions></resource-agent>'; exit 0 ;;
    action=off) exit 0 ;;
    action=*) echo "unknown action" >&2; exit 1 ;;
  esac
done
`
