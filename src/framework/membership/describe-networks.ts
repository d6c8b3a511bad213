import type { PhysicalHostName } from '../model/names.ts'
import type { NetworkState } from '../model/network.ts'
import { carriesHeartbeats } from './heartbeats.ts'
import type { InterfaceVerdict, Isolation, NetworkVerdict } from './networks.ts'

/** Pairs of hosts that are named in one sentence. */
const PAIRS_TOLD_MAX = 3

/** Says how one network is, with the reason and what that means for heartbeats; a phrase: `down: alpha and beta do not hear each other over it`. */
export function describeNetwork(verdict: NetworkVerdict, all: readonly NetworkVerdict[]): string {
  const { state, network, interfaces } = verdict
  if (state === 'unavailable')
    return `unavailable: ${network.role === 'none' ? 'its role is none' : 'no member is on it'}`
  const failures = interfaces.filter(({ isolation }) => isolation !== null).map(describeFailure)
  const failed = new Set(interfaces.filter(({ isolation }) => isolation !== null).map(({ host }) => host))
  const pairs = pairsApart(interfaces).filter(([one, other]) => !failed.has(one) && !failed.has(other))
  const reasons = [...failures, ...describePairs(pairs, network.role === 'client')]
  const others = state === 'up' ? '' : describeOthers(verdict, all)
  return `${WORDS[state]}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}${others}`
}

const WORDS: Readonly<Record<NetworkState, string>> = {
  up: 'up',
  unknown: 'not known at this time',
  unavailable: 'unavailable',
  partitioned: 'partitioned',
  down: 'down',
}

const WHY: Readonly<Record<Isolation, (adapter: string) => string>> = {
  link: (adapter) => `the link of ${adapter} is down`,
  group: () => 'every adapter of its backup group is faulty',
  peers: () => 'nobody hears it, while others hear each other',
  probes: () => 'it reaches nothing outside, while others do',
}

/** Says how one interface is; a phrase: `failed: the link of eth1 is down`. */
export function describeInterface({ state, isolation, adapter, apartFrom }: InterfaceVerdict): string {
  if (isolation !== null) return `failed: ${WHY[isolation](adapter)}`
  if (state !== 'unreachable') return state
  return apartFrom.length === 0 ? state : `${state}: no heartbeats to and from ${listed(apartFrom)}`
}

function describeFailure({ host, adapter, isolation }: InterfaceVerdict): string {
  return `the interface ${adapter} of ${host} has failed (${isolation === null ? '' : WHY[isolation](adapter)})`
}

type Pair = readonly [PhysicalHostName, PhysicalHostName]

function pairsApart(interfaces: readonly InterfaceVerdict[]): readonly Pair[] {
  return interfaces.flatMap(({ host, apartFrom }) =>
    apartFrom.filter((other) => host < other).map((other): Pair => [host, other]),
  )
}

function describePairs(pairs: readonly Pair[], isClient: boolean): readonly string[] {
  if (pairs.length === 0 || isClient) return []
  const told = pairs.slice(0, PAIRS_TOLD_MAX).map(([one, other]) => `${one} and ${other}`)
  const more = pairs.length > told.length ? [`${pairs.length - told.length} more pairs`] : []
  return [`${listed([...told, ...more])} do not hear each other over it`]
}

/** Whether the hosts that are apart still hear each other elsewhere: then nothing follows from it. */
function describeOthers({ network, interfaces }: NetworkVerdict, all: readonly NetworkVerdict[]): string {
  if (!carriesHeartbeats(network.role)) return ''
  const pairs = pairsApart(interfaces)
  const over = all.filter(
    (other) =>
      other.network !== network &&
      carriesHeartbeats(other.network.role) &&
      pairs.length > 0 &&
      pairs.every((pair) => areTogether(pair, other)),
  )
  if (over.length > 0) return `; heartbeats go on over ${listed(over.map((other) => other.network.name))}`
  const isElsewhere = pairs.every((pair) => all.some((other) => other.network !== network && areTogether(pair, other)))
  return pairs.length === 0
    ? ''
    : isElsewhere
      ? '; heartbeats go on over other networks'
      : '; no other network carries their heartbeats'
}

function areTogether([one, other]: Pair, { network, interfaces }: NetworkVerdict): boolean {
  const end = interfaces.find(({ host }) => host === one)
  const isKnown = interfaces.some(({ host, state }) => host === other && state !== 'unavailable' && state !== 'unknown')
  return (
    carriesHeartbeats(network.role) &&
    isKnown &&
    end !== undefined &&
    end.state !== 'unavailable' &&
    end.state !== 'unknown' &&
    !end.apartFrom.includes(other)
  )
}

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}
