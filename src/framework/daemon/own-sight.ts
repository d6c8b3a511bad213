import { audibleOver, carriesHeartbeats } from '../membership/heartbeats.ts'
import type { ClusterState } from '../model/cluster-state.ts'
import type { NetworkName, PhysicalHostName } from '../model/names.ts'
import type { Interface, InterfaceSight } from '../model/network.ts'
import { linkOf } from '../ports/links.ts'
import type { Host } from './host.ts'

/** A network where somebody is missing is asked about by a probe this often, which then takes as long as it may. */
const PROBE_EVERY_MS = 1_000
const PROBE_TIMEOUT_MS = 500

/** What this host sees of its own interfaces. */
export class OwnSight {
  readonly #host: Host
  /** Since when heartbeats are expected over a network; null once the first look at it was over. */
  readonly #firstLookMs = new Map<NetworkName, number | null>()
  readonly #probes = new Map<NetworkName, Probe>()

  constructor(host: Host) {
    this.#host = host
  }

  /** Returns what is seen now; one for each interface of this host, in their order. */
  look(): readonly InterfaceSight[] {
    const { parts } = this.#host
    const state = this.#host.state()
    const interfaces = state.physicalHosts.get(parts.host)?.interfaces ?? []
    for (const network of this.#firstLookMs.keys())
      if (!interfaces.some((one) => one.network === network)) this.#firstLookMs.delete(network)
    return interfaces.map((at): InterfaceSight => {
      const hears = this.#hears(state, at.network)
      const link = parts.publicAdapters === undefined ? 'unknown' : linkOf(parts.publicAdapters.links, at.adapter)
      return { network: at.network, link, hears, reaches: this.#reaches(state, at, hears) }
    })
  }

  /** Null: it does not listen, or has not listened long enough to know who is silent. */
  #hears(state: ClusterState, network: NetworkName): readonly PhysicalHostName[] | null {
    const { peers, effects } = this.#host.parts
    if (!carriesHeartbeats(state.networks.get(network)?.role ?? 'none')) return null
    const configured = othersOn(state, network, this.#host.parts.host)
    if (configured.length === 0) return []
    const listeningSinceMs = peers.listeningSinceMs()
    const nowMs = effects.nowMonotonicMs()
    if (listeningSinceMs > nowMs) return null
    const { suspectMs } = state.cluster.heartbeats
    const audible = audibleOver({ heard: peers.heard(), listeningSinceMs, nowMs }, network, suspectMs)
    const hears = audible.filter((host) => configured.includes(host))
    const firstMs = this.#firstLookMs.get(network) ?? nowMs
    if (this.#firstLookMs.get(network) === null) return hears
    const isOver = hears.length === configured.length || nowMs - Math.max(firstMs, listeningSinceMs) >= suspectMs
    this.#firstLookMs.set(network, isOver ? null : firstMs)
    return isOver ? hears : null
  }

  /** Asked only while somebody is not heard: that is when it has to be known whose interface it is. */
  #reaches(state: ClusterState, at: Interface, hears: readonly PhysicalHostName[] | null): boolean | null {
    const targets = state.networks.get(at.network)?.probeTargets ?? []
    const members = othersOn(state, at.network, this.#host.parts.host).filter((host) => state.members.has(host))
    if (hears === null || targets.length === 0 || members.every((host) => hears.includes(host))) {
      this.#probes.delete(at.network)
      return null
    }
    const probe = this.#probes.get(at.network) ?? { askedMs: Number.NEGATIVE_INFINITY, answer: null }
    this.#probes.set(at.network, probe)
    this.#ask(probe, at, targets)
    return probe.answer
  }

  #ask(probe: Probe, { adapter }: Interface, targets: readonly string[]): void {
    const { publicAdapters, effects } = this.#host.parts
    const nowMs = effects.nowMonotonicMs()
    if (publicAdapters === undefined || nowMs - probe.askedMs < PROBE_EVERY_MS) return
    probe.askedMs = nowMs
    void publicAdapters.ask(adapter, targets, PROBE_TIMEOUT_MS).then((answer) => {
      probe.answer = answer === 'nobody-to-ask' ? null : answer === 'answered'
    })
  }
}

interface Probe {
  askedMs: number
  answer: boolean | null
}

function othersOn(
  { physicalHosts }: ClusterState,
  network: NetworkName,
  me: PhysicalHostName,
): readonly PhysicalHostName[] {
  return [...physicalHosts.values()]
    .filter(({ name, interfaces }) => name !== me && interfaces.some((one) => one.network === network))
    .map(({ name }) => name)
}
