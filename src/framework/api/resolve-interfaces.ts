import { parseAddress } from '../configure/parse-address.ts'
import type { HostFacts } from './host-facts.ts'
import type { ConfigurationRequest } from './wire.ts'

/**
 * Replaces host names by their addresses in the words of `scconf -i`, so that deciding needs no resolver. A name that nobody knows stays,
 * and is refused as what it is: no address.
 */
export async function resolveInterfaces(
  request: ConfigurationRequest,
  lookUp: HostFacts['lookUp'],
): Promise<ConfigurationRequest> {
  if (!('interfaces' in request) || request.interfaces === undefined) return request
  const interfaces = await Promise.all(request.interfaces.map((words) => resolveLast(words, lookUp)))
  return { ...request, interfaces }
}

async function resolveLast(words: readonly string[], lookUp: HostFacts['lookUp']): Promise<readonly string[]> {
  const last = words.at(-1) ?? ''
  if (last === '' || parseAddress(last).kind !== 'not-an-ip') return words
  const [name = '', ...prefix] = last.split('/')
  const address = await lookUp(name)
  return address === undefined ? words : [...words.slice(0, -1), [address, ...prefix].join('/')]
}
