import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { openHeartbeatChannel } from '../../src/framework/drivers/network/heartbeat-channel.ts'
import { parseName } from '../../src/framework/model/names.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { eventually } from '../eventually.ts'
import { bundleHeartbeats } from './heartbeat-bundle.ts'
import { NETWORKS, type PeersWorld, peersContract } from './peers.contract.ts'

const directory = mkdtempSync(join(tmpdir(), 'haven-peers-'))
let program = ''

beforeAll(async () => {
  program = await bundleHeartbeats(directory)
})
afterAll(() => rmSync(directory, { recursive: true }))

const effects = createRealEffects()
/** No two test processes that run at the same time share it. */
const port = 20_000 + (process.pid % 20_000)

peersContract('the channel on loopback', async (): Promise<PeersWorld> => {
  return {
    open: async (_host, { cluster = 'demo', hasOtherKey = false } = {}) =>
      openHeartbeatChannel({
        program,
        clusterKey: new Uint8Array(32).fill(hasOtherKey ? 2 : 1),
        cluster: parseName('cluster', cluster),
        effects,
        warn: () => undefined,
        port,
      }),
    addressOf: (host, network) => `127.9.${NETWORKS.indexOf(network) + 1}.${host === 'alpha' ? 1 : 2}`,
    nowMs: () => effects.nowMonotonicMs(),
    until: (what, probe) => eventually(what, 5_000, probe),
    close: async () => undefined,
  }
})
