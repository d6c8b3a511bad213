import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readAgentMetadata } from '../../src/framework/drivers/fence/api-agent.ts'
import { createFenceAgents } from '../../src/framework/drivers/fence/fence-agents.ts'
import { optionProblems } from '../../src/framework/drivers/fence/read-metadata.ts'
import { createRunCommand } from '../../src/framework/drivers/run-command.ts'
import type { FenceDevice } from '../../src/framework/model/fencing.ts'
import { parseName } from '../../src/framework/model/names.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'

// Debian's own agents, unchanged. All that they depend on is more than this machine needs: the packages are unpacked into a directory, not installed.
const PACKAGES = ['fence-agents', 'python3-pexpect', 'python3-ptyprocess', 'python3-pycurl']
const directory = mkdtempSync(join(tmpdir(), 'haven-fence-agents-'))
const unpacked = unpack()
const never = new AbortController().signal
const run = createRunCommand({ effects: createRealEffects(), tag: `test-${process.pid}:h1/-/fence` })
const agents = createFenceAgents({ run, effects: createRealEffects(), warn: () => undefined })
const host = parseName('physicalHost', 'h2')

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.skipIf(unpacked === undefined)("Debian's fence agents", () => {
  it('fence_dummy switches off, is asked for its status, and switches on again', async () => {
    const power = join(directory, 'h2.power')
    writeFileSync(power, 'on')
    const device = deviceOf('fence_dummy', { status_file: join(directory, 'HOST.power'), type: 'file' })
    expect(await agents.probe(device, never)).toBe('')
    expect((await agents.fence({ host, levels: [[device]] }, never)).devices).toEqual(['pdu'])
    expect(readFileSync(power, 'utf8')).toBe('off')
  })

  it('fence_dummy of the type "fail" confirms nothing', async () => {
    const device = deviceOf('fence_dummy', { type: 'fail', power_timeout: '1' })
    await expect(agents.fence({ host, levels: [[device]] }, never)).rejects.toThrow('no fence device confirmed')
  })

  it('tell their options', async () => {
    const told = ['fence_ipmilan', 'fence_apc_snmp', 'fence_virsh'].map(async (name) => {
      const metadata = await readAgentMetadata(run, { program: wrapped(name) }, never)
      if (metadata === undefined) throw new Error(`${name} tells no metadata`)
      return optionProblems(metadata, ['ip', 'usernam'])
    })
    const [ipmi = [], snmp = []] = await Promise.all(told)
    expect(ipmi).toEqual(["it has no option 'usernam' (but 'username')"])
    expect(snmp.join()).not.toContain("'ip'")
  })
})

function deviceOf(program: string, options: Readonly<Record<string, string>>): FenceDevice {
  return {
    name: parseName('fenceDevice', 'pdu'),
    agent: 'fence-agent',
    program: wrapped(program),
    options,
    plugs: {},
    hosts: [host],
    action: 'off',
    timeoutMs: 15_000,
  }
}

/** A program that runs the agent where it was unpacked. */
function wrapped(agent: string): string {
  const path = join(directory, agent)
  const lines = ['#!/bin/sh', `export PYTHONPATH=${unpacked}/usr/share/fence:${unpacked}/usr/lib/python3/dist-packages`]
  writeFileSync(path, `${[...lines, `exec /usr/bin/python3 ${unpacked}/usr/sbin/${agent}`].join('\n')}\n`)
  chmodSync(path, 0o755)
  return path
}

/** Where the packages were unpacked; undefined when this machine cannot fetch them, or has no Python. */
function unpack(): string | undefined {
  if (!existsSync('/usr/bin/python3')) return undefined
  try {
    execFileSync('apt-get', ['download', ...PACKAGES], { cwd: directory, stdio: 'ignore', timeout: 60_000 })
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.deb')))
      execFileSync('dpkg', ['-x', join(directory, file), join(directory, 'unpacked')])
    return join(directory, 'unpacked')
  } catch {
    return undefined // No Debian, or no network.
  }
}
