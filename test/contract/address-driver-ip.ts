import type { LogicalAddress } from '../../src/framework/model/cluster-config.ts'
import type { AddressCall, AddressDriver } from '../../src/framework/ports/address-driver.ts'
import type { AddressHost, AddressRig } from './address-driver.contract.ts'
import { listenerProgram } from './driver-rig/holder-programs.ts'
import type { NamespaceHost } from './driver-rig/namespace-host.ts'
import { ADAPTER, type Network } from './driver-rig/network.ts'

/** Programs that these tests need, beside those of every Debian. */
export const ipPrograms = ['ip', 'unshare', 'nsenter', 'perl', 'ping']

/** Logical addresses of the tests. */
export const LOGICAL = {
  IPv4: { kind: 'ip', address: '10.88.0.100', prefixLength: 24, adapters: {} },
  IPv6: { kind: 'ip', address: 'fd00:88::100', prefixLength: 64, adapters: {} },
} as const satisfies Record<string, LogicalAddress>

/** Makes a rig on a network that is there already. */
export function ipRig(network: Network, family: keyof typeof LOGICAL): AddressRig {
  const address = LOGICAL[family]
  const hosts = [network.host('h1'), network.host('h2')] as const
  const [h1, h2] = hosts.map((host) => hostOf(host, address))
  if (h1 === undefined || h2 === undefined) throw new Error('two hosts are two hosts')
  return {
    address,
    h1,
    h2,
    close: async () => {
      for (const host of hosts) {
        await host.killDrivers()
        await host.run(
          'sh',
          '-c',
          `ip addr del ${address.address}/${address.prefixLength} dev ${ADAPTER} 2>/dev/null || true`,
        )
      }
    },
  }
}

function hostOf(host: NamespaceHost, address: LogicalAddress): AddressHost {
  const call = (method: string, { signal, ...rest }: AddressCall): Promise<never> =>
    host.call('ip', method, [{ ...rest, needsSignal: true }], signal) as Promise<never>
  const driver: AddressDriver = {
    kind: 'ip',
    isUp: (options) => call('isUp', options),
    up: (options) => call('up', options),
    down: (options) => call('down', options),
    leftovers: (options) => call('leftovers', options),
    close: async () => void (await host.call('ip', 'close', [], new AbortController().signal)),
  }
  return { driver, adapter: ADAPTER, serve: () => host.launch(listenerProgram(address.address), {}) }
}
