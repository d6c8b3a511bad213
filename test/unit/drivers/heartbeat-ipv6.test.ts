import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missingFor } from '../../contract/driver-rig/namespace-host.ts'
import { Network } from '../../contract/driver-rig/network.ts'
import { bundleHeartbeats } from '../../contract/heartbeat-bundle.ts'
import { bundleHeartbeatHost, HeartbeatHost } from './heartbeat-host-rig.ts'

const missing = await missingFor(['ip', 'unshare', 'nsenter', 'setpriv'])

describe.skipIf(missing !== undefined)(`heartbeats over IPv6${missing === undefined ? '' : ` (${missing})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'haven-heartbeat-ipv6-'))
  const network = new Network()
  const hosts: HeartbeatHost[] = []
  let [program, entry] = ['', '']
  beforeAll(async () => {
    ;[program, entry] = await Promise.all([
      bundleHeartbeats(directory),
      bundleHeartbeatHost(directory),
      network.start(),
    ])
  })
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.end()
  })
  afterAll(async () => {
    await network.stop()
    rmSync(directory, { recursive: true })
  })

  /** Starts a host in its namespace. */
  const start = async (name: 'h1' | 'h2', from: string, to: string): Promise<HeartbeatHost> => {
    const [me, other] = [
      { host: name, address: from },
      { host: name === 'h1' ? 'h2' : 'h1', address: to },
    ]
    const order = { program, port: 7411, me, other, network: 'priv1', intervalMs: 20, silentMs: 500 }
    const host = new HeartbeatHost(
      await network.host(name).launch([process.execPath, entry, JSON.stringify(order)], {}),
    )
    hosts.push(host)
    return host
  }
  const hear = (...those: readonly HeartbeatHost[]): Promise<unknown> =>
    Promise.all(those.flatMap((host) => [host.tells('heard', { times: 3 }), host.tells('message', { times: 3 })]))

  it('are heard, with messages, and missed when the network is cut', async () => {
    const one = await start('h1', 'fd00:88::1', 'fd00:88::2')
    const other = await start('h2', 'fd00:88::2', 'fd00:88::1')
    await hear(one, other)
    const from = one.told.length
    const bridge = network.host('switch')
    await bridge.run('ip', 'link', 'set', 'h2', 'down')
    await one.tells('silent', { from })
    await one.tells('changed', { from })
    await bridge.run('ip', 'link', 'set', 'h2', 'up')
    await one.tells('audible', { from })
    expect(one.count('warned')).toBe(0)
  })

  it('are heard whatever way the addresses are written', async () => {
    const [first, second] = ['FD00:88:0:0::1', 'fd00:0088::0:2']
    await hear(await start('h1', first, second), await start('h2', second, first))
  })
})
