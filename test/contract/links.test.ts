import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LINKS_REREAD_MS } from '../../src/framework/drivers/network/links.ts'
import type { AdapterLink, AdapterTraffic } from '../../src/framework/ports/links.ts'
import { eventually } from '../eventually.ts'
import { missingFor } from './driver-rig/namespace-host.ts'
import { Network } from './driver-rig/network.ts'

interface Reading {
  readonly adapters: readonly AdapterLink[]
  readonly traffic: readonly (readonly [string, AdapterTraffic])[]
}

const missing = await missingFor(['ip', 'unshare', 'nsenter', 'perl', 'ping'])
const network = new Network()
const never = new AbortController().signal
/** A notice takes milliseconds; without it the next reading would come after this. */
const AT_ONCE_MS = LINKS_REREAD_MS / 2

describe.skipIf(missing !== undefined)(`the adapters of a host${missing === undefined ? '' : ` (${missing})`}`, () => {
  beforeAll(() => network.start())
  afterAll(() => network.stop())

  const read = (): Promise<Reading> => network.host('h1').call('links', 'read', [], never) as Promise<Reading>
  const linkIs = (what: string, test: (link: AdapterLink | undefined) => boolean, withinMs: number): Promise<true> =>
    eventually(`eth0 to be ${what}`, withinMs, async (saw) => {
      const link = (await read()).adapters.find(({ name }) => name === 'eth0')
      saw(link)
      return test(link) ? true : undefined
    })
  const isUp = (link: AdapterLink | undefined): boolean => link?.isUp === true

  it('are seen with their state, and what they carry is counted', async () => {
    await linkIs('up', isUp, 5_000)
    const before = new Map((await read()).traffic).get('eth0')
    await network.host('h2').run('ping', '-c', '2', '-i', '0.05', '10.88.0.1')
    const after = new Map((await read()).traffic).get('eth0')
    expect(after?.received).toBeGreaterThan(before?.received ?? 0)
    expect(after?.sent).toBeGreaterThan(before?.sent ?? 0)
  })

  it('are known to lose their carrier and to get it back without a wait for the timer', async () => {
    const bridge = network.host('switch')
    await linkIs('up', isUp, 5_000)
    await bridge.run('ip', 'link', 'set', 'h1', 'down')
    await linkIs('down', (link) => link?.isUp === false && link.isOn, AT_ONCE_MS)
    await bridge.run('ip', 'link', 'set', 'h1', 'up')
    await linkIs('up', isUp, AT_ONCE_MS)
  })

  it('are known to be switched off, to be removed and to be put in again', async () => {
    const host = network.host('h1')
    await linkIs('up', isUp, 5_000)
    await host.run('ip', 'link', 'set', 'eth0', 'down')
    await linkIs('off', (link) => link?.isOn === false, AT_ONCE_MS)
    await host.run('ip', 'link', 'set', 'eth0', 'name', 'away0')
    await linkIs('gone', (link) => link === undefined, AT_ONCE_MS)
    await host.run('ip', 'link', 'set', 'away0', 'name', 'eth0', 'up')
    await linkIs('up', isUp, AT_ONCE_MS)
  })

  it('are seen all the same when what listens to the kernel is killed', async () => {
    const host = network.host('h1')
    await linkIs('up', isUp, 5_000)
    await host.run(
      'sh',
      '-c',
      `for p in /proc/[0-9]*; do
      [ "$(readlink $p/ns/net)" = "$(readlink /proc/self/ns/net)" ] && [ "$(cat $p/comm)" = perl ] && kill -KILL "\${p#/proc/}"
    done; true`,
    )
    await network.host('switch').run('ip', 'link', 'set', 'h1', 'down')
    await linkIs('down', (link) => link?.isUp === false, 2 * LINKS_REREAD_MS)
    await network.host('switch').run('ip', 'link', 'set', 'h1', 'up')
    await linkIs('up', isUp, 2 * LINKS_REREAD_MS)
  })
})
