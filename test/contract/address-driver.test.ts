import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localAddressDriver } from '../../src/framework/drivers/address/local.ts'
import type { LogicalAddress } from '../../src/framework/model/cluster-config.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { isWhole } from '../whole.ts'
import { type AddressHost, type AddressRig, describeAddressDriver } from './address-driver.contract.ts'
import { ipPrograms, ipRig } from './address-driver-ip.ts'
import { listenerProgram } from './driver-rig/holder-programs.ts'
import { kill, missingFor } from './driver-rig/namespace-host.ts'
import { Network } from './driver-rig/network.ts'

/** Of the pid, so that two runs on one machine do not meet. */
const LOCAL: LogicalAddress = {
  kind: 'local',
  address: `127.88.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}`,
  prefixLength: 32,
  adapters: {},
}

async function localRig(): Promise<AddressRig> {
  const directory = await mkdtemp(join(tmpdir(), 'haven-local-'))
  const launched: ChildProcess[] = []
  const host = (physicalHost: string): AddressHost => {
    const scope = `test-${process.pid}:${physicalHost}`
    const settings = { cluster: 'test', physicalHost, root: join(directory, physicalHost), scope }
    return {
      driver: localAddressDriver(
        { ...settings, effects: createRealEffects() },
        { directory: join(directory, 'shared') },
      ),
      adapter: '',
      serve: async () => {
        const [program = '', ...words] = listenerProgram(LOCAL.address)
        const env = { PATH: process.env['PATH'], HAVEN_SCOPE: `${scope}/lh1/web` }
        const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'inherit'] })
        launched.push(child)
        await new Promise((resolve) => child.stdout.once('data', resolve))
        return child
      },
    }
  }
  return {
    address: LOCAL,
    h1: host('h1'),
    h2: host('h2'),
    close: async () => {
      await Promise.all(launched.map(kill))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const nothing = async (): Promise<void> => undefined
describeAddressDriver('local', { start: nothing, rig: localRig, stop: nothing })

const skip = await missingFor(ipPrograms)
for (const family of isWhole ? (['IPv4', 'IPv6'] as const) : (['IPv4'] as const)) {
  const network = new Network()
  const rig = async (): Promise<AddressRig> => ipRig(network, family)
  describeAddressDriver(`ip, ${family}`, { skip, start: () => network.start(), rig, stop: () => network.stop() })
}
