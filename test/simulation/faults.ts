import { configurationOf } from '../../src/framework/configure/configuration.ts'
import { decideChanges } from '../../src/framework/configure/decide-changes.ts'
import { PROFILES } from '../../src/framework/membership/check-timings.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { Cause } from '../../src/framework/model/reconfiguration.ts'
import { type DrawnCluster, shuffled } from './cluster-drawing.ts'
import type { Random } from './random.ts'
import type { SimHost } from './sim-host.ts'
import { SIM_NETWORKS, type SimNetwork } from './sim-network.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Where faults and requests strike. */
export interface Target {
  readonly time: VirtualTime
  readonly random: Random
  readonly hosts: readonly SimHost[]
  readonly network: SimNetwork
  readonly drawn: DrawnCluster
  readonly tell: (line: string) => void
}

type Deed = (target: Target) => void

/** What may happen, and how often compared with the rest. */
const DEEDS: readonly (readonly [weight: number, deed: Deed])[] = [
  [3, crash],
  [2, freeze],
  [2, suspend],
  [3, killClustd],
  [3, stopClustd],
  [2, stopGuard],
  [6, switchOver],
  [2, maintain],
  [2, switchService],
  [2, leave],
  [1, reconfigure],
  [1, crashAll],
  [1, changeTimings],
  [3, loseDatabase],
  [3, cutFromDatabase],
  [2, cutNetworks],
  [2, isolate],
  [3, halveSight],
  [3, changeList],
]

/** Does one thing, drawn by its weight. */
export function doSomething(target: Target): void {
  const total = DEEDS.reduce((sum, [weight]) => sum + weight, 0)
  let left = target.random.between(0, total)
  for (const [weight, deed] of DEEDS) {
    left -= weight
    if (left < 0) return deed(target)
  }
}

function crash(target: Target): void {
  const host = target.random.pick(target.hosts)
  const offMs = target.random.between(50, 8_000)
  target.tell(`power of ${host.machine.name} cut for ${Math.round(offMs)} ms`)
  host.powerCycle(offMs)
}

function crashAll(target: Target): void {
  target.tell('power of all hosts cut')
  for (const host of target.hosts) host.powerCycle(target.random.between(50, 4_000))
}

function freeze(target: Target): void {
  standStill(target, 'frozen')
}

function suspend(target: Target): void {
  standStill(target, 'suspended')
}

function standStill({ random, hosts, time, tell }: Target, kind: 'frozen' | 'suspended'): void {
  const { machine } = random.pick(hosts)
  const ms = random.chance(0.5) ? random.between(10, 2_500) : random.between(2_000, 12_000)
  tell(`${machine.name} ${kind} for ${Math.round(ms)} ms`)
  machine.freeze(kind)
  time.after(ms, () => {
    tell(`${machine.name} wakes`)
    machine.wake()
  })
}

function killClustd({ random, hosts, tell }: Target): void {
  kill(random.pick(hosts), tell)
}

/** Kills clustd; it is started again after `againMs`, or after a while. */
function kill(host: SimHost, tell: Target['tell'], againMs?: number): void {
  tell(`clustd of ${host.machine.name} killed`)
  host.clustd?.kill()
  host.restartLater(againMs)
}

function stopClustd({ random, hosts, time, tell }: Target): void {
  const { clustd } = random.pick(hosts)
  if (clustd === undefined) return
  const ms = random.chance(0.5) ? random.between(10, 1_500) : random.between(1_000, 10_000)
  tell(`${clustd.name} stopped for ${Math.round(ms)} ms`)
  clustd.stop()
  time.after(ms, () => clustd.resume())
}

/** A stopped guard alone is no danger as long as clustd is well: a host that stands still as a whole is drawn elsewhere. */
function stopGuard({ random, hosts, time, tell }: Target): void {
  const { guard } = random.pick(hosts).place
  if (guard === undefined) return
  tell(`${guard.name} stopped for a moment`)
  guard.stop()
  time.after(random.between(1, 100), () => guard.resume())
}

function switchOver(target: Target): void {
  const { random, drawn } = target
  const logicalHost = random.pick(drawn.logicalHosts)
  const to = random.pick(logicalHost.physicalHosts)
  ask(target, { kind: 'switchover', logicalHosts: [logicalHost.name], to, by: 'operator' })
}

function maintain(target: Target): void {
  const logicalHost = target.random.pick(target.drawn.logicalHosts)
  ask(target, { kind: 'maintenance', logicalHosts: [logicalHost.name], by: 'operator' })
  target.time.after(target.random.between(500, 8_000), () => {
    ask(target, {
      kind: 'switchover',
      logicalHosts: [logicalHost.name],
      to: target.random.pick(logicalHost.physicalHosts),
      by: 'operator',
    })
  })
}

function switchService(target: Target): void {
  const { random, drawn } = target
  if (drawn.dataServices.length === 0) return
  const { name } = random.pick(drawn.dataServices)
  ask(target, { kind: random.chance(0.5) ? 'services-on' : 'services-off', services: [name], by: 'operator' })
}

function reconfigure(target: Target): void {
  ask(target, { kind: 'reconfigure', by: 'operator' })
}

/** Timings are changed while the cluster runs: what a host was allowed by the old ones must run out by the old ones. */
function changeTimings({ random, hosts, tell }: Target): void {
  const timings = random.pick(Object.values(PROFILES))
  const host = random.pick(hosts)
  tell(`asked of ${host.machine.name}: timings ${JSON.stringify(timings)}`)
  host.loop?.services
    .configure((state) => [{ kind: 'cluster', cluster: { ...state.cluster, timings } }])
    .catch(() => {
      // It may be refused or cut off, as any request.
    })
}

/** The database is away for everybody: it is restarted, elects a leader, or is down. */
function loseDatabase({ random, network, tell }: Target): void {
  const ms = random.chance(0.5) ? random.between(100, 3_000) : random.between(2_000, 20_000)
  tell(`cluster database away for ${Math.round(ms)} ms`)
  network.cutDatabase('*', ms)
}

function cutFromDatabase({ random, network, hosts, tell }: Target): void {
  const { machine } = random.pick(hosts)
  const ms = random.chance(0.5) ? random.between(100, 3_000) : random.between(2_000, 20_000)
  tell(`${machine.name} cut from the cluster database for ${Math.round(ms)} ms`)
  network.cutDatabase(machine.name, ms)
}

/** One direction between two hosts, over one network or over all. */
function cutNetworks({ random, network, hosts, tell }: Target): void {
  const [from, to] = [random.pick(hosts).machine.name, random.pick(hosts).machine.name]
  const names = random.chance(0.5) ? SIM_NETWORKS : [random.pick(SIM_NETWORKS)]
  const ms = random.between(200, 15_000)
  tell(`${names.join(' and ')} cut from ${from} to ${to} for ${Math.round(ms)} ms`)
  for (const name of names) network.cut(from, to, name, ms)
}

/** Cut from everything, or, together with the database, from the other hosts alone. */
function isolate({ random, network, hosts, tell }: Target): void {
  const { machine } = random.pick(hosts)
  const ms = random.between(500, 15_000)
  tell(`${machine.name} cut from everything for ${Math.round(ms)} ms`)
  for (const other of hosts) {
    for (const name of SIM_NETWORKS) {
      network.cut(machine.name, other.machine.name, name, ms)
      network.cut(other.machine.name, machine.name, name, ms)
    }
  }
  network.cutDatabase(random.chance(0.8) ? machine.name : '*', ms)
}

/**
 * One host loses the database and the sight of a second one, while a third still hears it: that one gives it its word, and the second one does not know.
 * In the middle of it the third may lose its memory, or the second come onto a list that the first has not read.
 */
function halveSight(target: Target): void {
  const { random, network, hosts, time, tell } = target
  const [first, second, third] = aPairAndAStranger(target) ?? shuffled(random, hosts)
  if (first === undefined || second === undefined || third === undefined) return isolate(target)
  const ms = random.between(2_000, 8_000)
  const [blind, stranger] = [first.machine.name, second.machine.name]
  tell(`${blind} cut from the database and from ${stranger} for ${Math.round(ms)} ms`)
  network.cutDatabase(blind, ms)
  for (const name of SIM_NETWORKS) {
    network.cut(blind, stranger, name, ms)
    network.cut(stranger, blind, name, ms)
  }
  // About when the second one gives the first one up.
  const laterMs = random.between(1_200, 2_600)
  if (random.chance(0.5)) time.after(laterMs, () => kill(third, tell, random.between(20, 800)))
  else if (random.chance(0.7)) time.after(random.between(0, 1_500), () => addToLists(target, stranger, third))
}

/** The master of a logical host, a host that is not on its list, and the only other one that is; undefined when there is no such logical host. */
function aPairAndAStranger({ random, hosts }: Target): readonly SimHost[] | undefined {
  const state = hosts.find(({ loop }) => loop?.services.identity().role === 'member')?.loop?.services.state()
  const pairs = [...(state?.logicalHosts.values() ?? [])].filter(({ physicalHosts }) => physicalHosts.length === 2)
  if (state === undefined || pairs.length === 0) return undefined
  const { name, physicalHosts } = random.pick(pairs)
  const { mastery } = state.states.get(name) ?? {}
  if (mastery?.kind !== 'mastered') return undefined
  const first = hosts.find(({ machine }) => machine.name === mastery.by)
  const second = hosts.find(({ machine }) => !physicalHosts.some((host) => host === machine.name))
  const third = hosts.find((host) => host !== first && host !== second)
  return first && second && third ? [first, second, third] : undefined
}

/** Puts a host at the head of every list of possible masters that it is not on. */
function addToLists({ tell }: Target, name: string, asked: SimHost): void {
  tell(`asked of ${asked.machine.name}: ${name} on every list`)
  const host = parseName('physicalHost', name)
  asked.loop?.services
    .configure((state) => {
      const after = [...state.logicalHosts].map(([key, one]) => {
        const { physicalHosts } = one
        return [key, physicalHosts.includes(host) ? one : { ...one, physicalHosts: [host, ...physicalHosts] }] as const
      })
      return decideChanges(state, { ...configurationOf(state), logicalHosts: new Map(after) }, 'a new list')
    })
    .catch(() => {
      // It may be refused or cut off, as any request.
    })
}

/** The list of possible masters of a logical host grows, shrinks or changes its order. */
function changeList({ random, hosts, drawn, tell }: Target): void {
  const { name } = random.pick(drawn.logicalHosts)
  const physicalHosts = shuffled(
    random,
    drawn.physicalHosts.map((host) => host.name),
  ).slice(0, random.pick([1, 2, 2, 3, 3]))
  const host = random.pick(hosts)
  tell(`asked of ${host.machine.name}: ${name} on ${physicalHosts.join(', ')}`)
  host.loop?.services
    .configure((state) => {
      const logicalHost = state.logicalHosts.get(name)
      if (logicalHost === undefined) return []
      const after = new Map(state.logicalHosts).set(name, { ...logicalHost, physicalHosts })
      return decideChanges(state, { ...configurationOf(state), logicalHosts: after }, 'a new list')
    })
    .catch(() => {
      // It may be refused or cut off, as any request.
    })
}

function leave({ random, hosts, tell }: Target): void {
  const host = random.pick(hosts)
  tell(`${host.machine.name} asked to leave`)
  host.loop?.leave('operator').catch(() => {
    // It may be refused or cut off, as any request.
  })
}

/** Sends a request to some host whose daemon runs. A refusal is an answer like any other. */
export function ask({ random, hosts, tell }: Target, cause: Cause): void {
  const host = random.pick(hosts)
  tell(`asked of ${host.machine.name}: ${JSON.stringify(cause)}`)
  host.loop?.services.submit(cause, { busyWaitMs: 2_000 }).then(
    (number) => tell(`granted: reconfiguration ${number}`),
    (error: unknown) => tell(`refused: ${error instanceof Error ? error.message : String(error)}`),
  )
}
