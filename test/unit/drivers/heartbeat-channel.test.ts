import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openHeartbeatChannel } from '../../../src/framework/drivers/network/heartbeat-channel.ts'
import { parseName } from '../../../src/framework/model/names.ts'
import type { PeerSetting, Peers } from '../../../src/framework/ports/peers.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { bundleHeartbeats } from '../../contract/heartbeat-bundle.ts'
import { eventually } from '../../eventually.ts'
import { Forger } from './heartbeat-forger.ts'

const directory = mkdtempSync(join(tmpdir(), 'haven-heartbeats-'))
let program = ''
beforeAll(async () => {
  program = await bundleHeartbeats(directory)
})
afterAll(() => rmSync(directory, { recursive: true }))

const effects = createRealEffects()
const port = 20_000 + (process.pid % 20_000)
const clusterKey = new Uint8Array(32).fill(5)
const INTERVAL_MS = 20
const SILENT_MS = 150
const ALPHA = '127.11.1.1'
const BETA = '127.11.1.2'
const place = { clusterKey, from: BETA, to: ALPHA, port, network: 'priv1' }

const setting: PeerSetting = {
  me: { host: parseName('physicalHost', 'alpha'), addresses: [{ network: 'priv1', address: ALPHA }] },
  others: [{ host: parseName('physicalHost', 'beta'), addresses: [{ network: 'priv1', address: BETA }] }],
  intervalMs: INTERVAL_MS,
}
const turned: PeerSetting = {
  me: setting.others[0] ?? setting.me,
  others: [setting.me],
  intervalMs: INTERVAL_MS,
}

describe('the channel', () => {
  const closers: (() => Promise<void>)[] = []
  let alpha: Peers

  const open = async (as: PeerSetting): Promise<Peers> => {
    const peers = openHeartbeatChannel({
      program,
      clusterKey,
      cluster: parseName('cluster', 'demo'),
      effects,
      warn: () => undefined,
      port,
    })
    closers.push(() => peers.close())
    await peers.configure(as)
    return peers
  }
  const openForger = async (session: number, from = BETA): Promise<Forger> => {
    const forger = await Forger.open({ ...place, from }, session)
    closers.push(() => forger.close())
    return forger
  }
  const heardMs = (peers = alpha): number => peers.heard()[0]?.atMs ?? 0

  /** Speaks as beta until alpha counts it; returns all that was said. */
  const shakeHands = async (forger: Forger, said: Buffer[] = []): Promise<Buffer[]> => {
    const before = heardMs()
    await eventually('alpha to count what the forger says', 5_000, () => {
      forger.learn()
      const bytes = forger.make()
      said.push(bytes)
      forger.send(bytes)
      return heardMs() > before ? true : undefined
    })
    return said
  }

  beforeEach(async () => {
    alpha = await open(setting)
  })
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close()
  })

  it('does not count what was recorded in its former life', async () => {
    const forger = await openForger(100)
    const said = await shakeHands(forger)
    for (let beat = 0; beat < 20; beat += 1) {
      const bytes = forger.make()
      said.push(bytes)
      forger.send(bytes)
    }
    await alpha.close()
    alpha = await open(setting)
    forger.heard.splice(0)
    await eventually('the new life of alpha to have heard it all', 5_000, () => {
      for (const bytes of said) forger.send(bytes)
      return forger.heard.length >= 10 ? true : undefined
    })
    expect(alpha.heard()).toEqual([])
    await shakeHands(await openForger(100_000))
  })

  it('does not count anything twice', async () => {
    const forger = await openForger(200)
    const said = await shakeHands(forger)
    await eventually('a repeated heartbeat to count for nothing', 5_000, () => {
      for (const bytes of said) forger.send(bytes)
      return effects.nowMonotonicMs() - heardMs() > SILENT_MS ? true : undefined
    })
    await shakeHands(forger)
  })

  it('does not count what comes from another address, or was meant for another network', async () => {
    const forger = await openForger(300)
    await shakeHands(forger)
    const stranger = await openForger(300, '127.11.1.3')
    await eventually('what comes from elsewhere to count for nothing', 5_000, () => {
      stranger.send(forger.make())
      forger.send(forger.make('priv2'))
      return effects.nowMonotonicMs() - heardMs() > SILENT_MS ? true : undefined
    })
    await shakeHands(forger)
  })

  it('says why it refuses what comes, and why nothing goes out', async () => {
    const forger = await Forger.open({ ...place, clusterKey: new Uint8Array(32) }, 400)
    closers.push(() => forger.close())
    await eventually('a word about the wrong key', 8_000, (saw) => {
      forger.send(forger.make())
      saw(alpha.troubles())
      return alpha.troubles().find((trouble) => trouble.includes('another key'))
    })
    await alpha.configure({
      ...setting,
      me: { ...setting.me, addresses: [{ network: 'priv1', address: '192.0.2.77' }] },
    })
    const trouble = await eventually('a word about the address', 5_000, () =>
      alpha.troubles().find((one) => one.includes('192.0.2.77')),
    )
    expect(trouble).toContain('EADDRNOTAVAIL')
  })

  it('goes on while clustd is stopped, and tells it afterwards', async () => {
    const beta = await open(turned)
    await eventually('both to hear each other', 5_000, () => (heardMs() > 0 && heardMs(beta) > 0 ? true : undefined))
    const stoppedMs = effects.nowMonotonicMs()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
    const wokenMs = effects.nowMonotonicMs()
    expect(wokenMs - stoppedMs).toBeGreaterThan(900)
    // Nothing of the main thread has run yet: what is known was written by the other one.
    expect(heardMs()).toBeGreaterThan(stoppedMs + 500)
  })

  it('starts its thread again when that has died', async () => {
    const broken = openHeartbeatChannel({
      program: join(directory, 'nothing.mjs'),
      clusterKey,
      cluster: parseName('cluster', 'demo'),
      effects,
      warn: (message) => warnings.push(message),
      port,
    })
    const warnings: string[] = []
    closers.push(() => broken.close())
    void broken.configure(turned)
    await eventually('two failures', 8_000, () => (warnings.length > 1 ? true : undefined))
    expect(warnings[0]).toContain('nothing.mjs')
    expect(broken.heard()).toEqual([])
    expect(broken.listeningSinceMs()).toBe(Number.POSITIVE_INFINITY)
  })
})
