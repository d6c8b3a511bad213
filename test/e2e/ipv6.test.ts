import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { PROFILES } from '../../src/framework/membership/check-timings.ts'
import { eventually } from '../eventually.ts'
import { bringAllBack, settled, startCluster } from './lab/cluster.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { storyOf } from './lab/story.ts'

/** The logical address. Hosts have fd77::1, fd77::2, the client fd77::fa. */
const ADDRESS = 'fd77::101'

describe.skipIf(missing !== undefined)(`a logical host with an IPv6 address${missing ?? ''}`, () => {
  let lab: Lab
  let h1: LabHost
  let h2: LabHost

  beforeAll(async () => {
    const directory = inject('workshop')
    lab = await Lab.start({ workshop: directory, installation: join(directory, 'haven'), name: 'six' })
    h1 = await lab.addHost('h1')
    h2 = await lab.addHost('h2')
    for (const host of [h1, h2]) await addOwn(host)
    // What the client once knows of a neighbour it neither forgets nor asks about again: only an advertisement that nobody asked for can tell it of another one.
    const neighbours = '/proc/sys/net/ipv6/neigh/pub'
    const never = `echo 36000000 >${neighbours}/base_reachable_time_ms; echo 36000 >${neighbours}/delay_first_probe_time`
    await lab.client('sh', '-c', `ip -6 address add fd77::fa/64 dev pub nodad; ${never}`)
    mkdirSync(join(lab.shared, 'web-disks'))
    await startCluster(lab, clusterOf(lab))
    await settled(lab, { web: 'h1' })
    await h1.haven('hareg', '-r', 'greeter', '-b', makeService(lab), '-m', 'START_NET=start-net,STOP_NET=stop-net')
    await h1.haven('hareg', '-y', 'greeter')
    await settled(lab, { web: 'h1' })
  })
  afterAll(() => lab?.stop())

  it('is served to its clients, with an address that is there at once', async () => {
    expect(await ask()).toBe('h1')
    expect(await neighbour()).toBe(h1.hardwareAddress)
    expect(await flagsAt(h1)).not.toContain('tentative')
    expect(await flagsAt(h2)).toBeUndefined()
  })

  it('takes its clients along when it is switched over', async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    await h1.haven('haswitch', 'h2', 'web')
    await settled(lab, { web: 'h2' })
    expect(await ask()).toBe('h2')
    expect(await neighbour()).toBe(h2.hardwareAddress)
    expect(await flagsAt(h1)).toBeUndefined()
  })

  it('takes its clients along when its host loses its power', async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    expect(await ask()).toBe('h2')
    await h2.powerOff()
    await settled(lab, { web: 'h1' })
    expect(await ask()).toBe('h1')
    expect(await neighbour()).toBe(h1.hardwareAddress)
    await h2.boot()
    await addOwn(h2)
    await bringAllBack(lab)
    await settled(lab, { web: 'h1' })
    expect(await flagsAt(h2)).toBeUndefined()
  })

  it('is not brought up where somebody else has its address', async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    await h1.haven('haswitch', '-m', 'web')
    await lab.client('ip', '-6', 'address', 'add', `${ADDRESS}/64`, 'dev', 'pub', 'nodad')
    const { exitCode, stdout, stderr } = await h1.tryHaven('haswitch', 'h1', 'web')
    expect(exitCode).not.toBe(0)
    expect(`${stdout}${stderr}`).toContain(ADDRESS)
    expect(await flagsAt(h1)).toBeUndefined()
    await lab.client('ip', '-6', 'address', 'del', `${ADDRESS}/64`, 'dev', 'pub')
    await h1.haven('haswitch', 'h1', 'web')
    await settled(lab, { web: 'h1' })
    expect(await ask()).toBe('h1')
  })

  /** Who answers the client, over a new connection. */
  function ask(): Promise<string> {
    return eventually('an answer', 10_000, async () => (await lab.client(process.execPath, '-e', CLIENT)) || undefined)
  }

  /** The hardware address that the client knows for the logical address. */
  async function neighbour(): Promise<string | undefined> {
    const shown = await lab.client('ip', '-6', '-json', 'neighbour', 'show', ADDRESS)
    return (JSON.parse(shown) as readonly { readonly lladdr?: string }[])[0]?.lladdr
  }

  /** What a host says of the logical address; undefined = it has not got it. */
  async function flagsAt(host: LabHost): Promise<string | undefined> {
    const shown = await host.exec('ip', '-6', '-oneline', 'address', 'show', 'dev', 'pub')
    return shown.split('\n').find((line) => line.includes(` ${ADDRESS}/`))
  }
})

async function addOwn(host: LabHost): Promise<void> {
  await host.exec('ip', '-6', 'address', 'add', `fd77::${host.name.slice(1)}/64`, 'dev', 'pub', 'nodad')
}

function clusterOf(lab: Lab): object {
  return {
    // How fast it is others measure; here no host is to be given up because the machine is busy.
    cluster: { name: 'e2e', timings: PROFILES.relaxed, budgets: { takeoversMax: 1_000, evictionsMax: 1_000 } },
    diskGroups: { 'web-disks': { directory: join(lab.shared, 'web-disks') } },
    logicalHosts: {
      web: {
        physicalHosts: ['h1', 'h2'],
        diskGroups: ['web-disks'],
        addresses: [{ address: `${ADDRESS}/64`, adapters: 'pub' }],
        switchback: 'manual',
      },
    },
  }
}

/** A service that says where it runs to whoever connects to the logical address. */
function makeService(lab: Lab): string {
  const directory = join(lab.shared, 'greeter')
  mkdirSync(directory)
  const write = (name: string, text: string): void => {
    writeFileSync(join(directory, name), text)
    chmodSync(join(directory, name), 0o755)
  }
  write(
    'server.mjs',
    `import { createServer } from 'node:net'
createServer((socket) => socket.end(process.env.HA_PHYSICAL_HOST)).listen(7000, '${ADDRESS}', () => console.log('serving'))`,
  )
  write(
    'start-net',
    `#!/bin/sh
. haven-method.sh
start() {
  if haven_running "$HAVEN_ROOT/greeter.pid"; then return 0; fi
  : >"$HAVEN_ROOT/greeter.log"
  haven_start_daemon "$HAVEN_ROOT/greeter.pid" "$HAVEN_ROOT/greeter.log" "${process.execPath}" "${directory}/server.mjs" || return 1
  haven_wait 5 grep -q serving "$HAVEN_ROOT/greeter.log"
}
haven_for_each_mastered start
`,
  )
  write(
    'stop-net',
    `#!/bin/sh
. haven-method.sh
stop() {
  if [ -e "$HAVEN_ROOT/greeter.pid" ]; then haven_stop_daemon "$HAVEN_ROOT/greeter.pid" 3; fi
}
haven_for_each_not_mastered stop
`,
  )
  return directory
}

const CLIENT = `
const socket = require('node:net').connect({ host: '${ADDRESS}', port: 7000 })
socket.setTimeout(1000, () => process.exit(1))
socket.on('data', (data) => process.stdout.write(data))
socket.on('error', () => process.exit(1))
`
