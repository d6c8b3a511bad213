import { type NameKind, type PhysicalHostName, parseName } from '../../../src/framework/model/names.ts'
import type { Cause, LossEvidence } from '../../../src/framework/model/reconfiguration.ts'

const names = <Kind extends NameKind>(kind: Kind, texts: readonly string[]): ReturnType<typeof parseName<Kind>>[] =>
  texts.map((text) => parseName(kind, text))

const host = (text: string | undefined): PhysicalHostName => parseName('physicalHost', text ?? '')

const evidences: readonly LossEvidence[] = ['expired', 'fenced', 'confirmed', 'restarted']

/** Makes a cause of the words of a command; undefined when the command is no cause. The operator's name is left empty. */
export function causeOf(words: readonly string[]): Cause | undefined {
  const [command, ...rest] = words
  const [first] = rest
  const by = ''
  switch (command) {
    case 'start':
      return { kind: 'cluster-started', host: host(first) }
    case 'join':
      return { kind: 'host-joined', host: host(first) }
    case 'lose': {
      const evidence = evidences.find((known) => rest.includes(known)) ?? 'expired'
      const [lost, [seen]] = splitAt(
        rest.filter((word) => word !== evidence && word !== 'asked'),
        'seen',
      )
      const asked = rest.includes('asked') ? { operator: 'root' } : {}
      // What it has read of the database; everything, unless the scenario says otherwise.
      const seenRevision = Number(seen ?? Number.MAX_SAFE_INTEGER)
      return {
        kind: 'hosts-lost',
        hosts: names('physicalHost', lost).map((name) => ({ host: name, evidence, seenRevision, ...asked })),
      }
    }
    case 'stopnode':
      return { kind: 'host-leaving', host: host(first), by }
    case 'left':
      return { kind: 'host-left', host: host(first) }
    case 'switchover':
      return { kind: 'switchover', to: host(first), logicalHosts: names('logicalHost', rest.slice(1)), by }
    case 'maintenance':
      return { kind: 'maintenance', logicalHosts: names('logicalHost', rest), by }
    case 'reconfigure':
      return { kind: 'reconfigure', by }
    case 'on':
      return { kind: 'services-on', services: names('dataService', rest), by }
    case 'off':
      return { kind: 'services-off', services: names('dataService', rest), by }
    case 'interface-failed':
      return {
        kind: 'interface-failed',
        host: host(first),
        network: parseName('network', 'public'),
        group: rest[1] ?? '',
      }
    case 'clear':
      return { kind: 'cleared', logicalHost: parseName('logicalHost', first ?? ''), by }
    case 'settle':
      return { kind: 'settle', why: 'something can be mastered and is not' }
    case 'service-hosts':
      return serviceHosts(rest)
    default:
      return undefined
  }
}

function splitAt(words: readonly string[], word: string): readonly [readonly string[], readonly string[]] {
  const at = words.indexOf(word)
  return at < 0 ? [words, []] : [words.slice(0, at), words.slice(at + 1)]
}

/** `service-hosts nfs +ha2 -ha1`: configures a service on more logical hosts, or no longer on some. */
function serviceHosts([service, ...signed]: readonly string[]): Cause {
  const those = (sign: string) => signed.filter((word) => word.startsWith(sign)).map((word) => word.slice(1))
  return {
    kind: 'service-hosts',
    service: parseName('dataService', service ?? ''),
    add: names('logicalHost', those('+')),
    remove: names('logicalHost', those('-')),
    by: '',
  }
}
