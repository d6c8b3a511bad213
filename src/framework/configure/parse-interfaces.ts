import { HaError } from '../errors/ha-error.ts'
import type { LogicalAddress } from '../model/cluster-config.ts'
import type { PhysicalHostName } from '../model/names.ts'
import { parseAddress } from './parse-address.ts'

/**
 * Makes an address of the words of one `scconf -i if1,if2,ADDRESS[/PREFIX]`: one adapter per possible master, in their order, then the address
 * (Sun Cluster 2.2 System Administration Guide 4.4). An address in 127/8, or adapters that are all `lo`, give kind `local`.
 *
 * Host names must have been looked up before. Throws `CONFIG_INVALID`.
 */
export function parseInterfaces(words: readonly string[], hosts: readonly PhysicalHostName[]): LogicalAddress {
  const text = words.at(-1) ?? ''
  const adapters = words.slice(0, -1)
  const parsed = parseAddress(text)
  if (parsed.kind === 'unusable') throw new HaError('CONFIG_INVALID', parsed.why)
  if (parsed.kind === 'not-an-ip') {
    throw new HaError('CONFIG_INVALID', `'${text}' is neither an IP address nor a host name that is known here`, {
      hint: `Write one adapter for each of ${hosts.join(', ')}, then the address: -i ${hosts.map(() => 'eth0').join(',')},10.0.0.11/24`,
    })
  }
  const { address, prefixLength, isLoopback } = parsed
  const isLocal = isLoopback || (adapters.length > 0 && adapters.every((adapter) => adapter === 'lo'))
  if (isLocal) return { kind: 'local', address, prefixLength, adapters: {} }
  if (adapters.length !== hosts.length) throw wrongCount(adapters, hosts, text)
  return { kind: 'ip', address, prefixLength, adapters: adaptersOf(hosts, adapters) }
}

function adaptersOf(hosts: readonly PhysicalHostName[], adapters: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(hosts.map((host, index) => [host, adapters[index] ?? '']))
}

function wrongCount(adapters: readonly string[], hosts: readonly PhysicalHostName[], text: string): HaError {
  return new HaError(
    'CONFIG_INVALID',
    `${adapters.length} adapters are given for ${text}, but there are ${hosts.length} possible masters`,
    { hint: `Write one adapter for each of ${hosts.join(', ')}, in this order, then the address.` },
  )
}
