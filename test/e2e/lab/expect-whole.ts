import { expect } from 'vitest'
import type { LaneJson, TimelineJson } from '../../../src/framework/api/wire.ts'
import { eventually } from '../../eventually.ts'
import { anyMember, settled } from './cluster.ts'
import { type HostView, lookAtHost, type SeenProcess } from './host-view.ts'
import type { Lab } from './lab.ts'
import type { ClientReport, RowWriter } from './row-writer.ts'
import { runProgram } from './run-program.ts'

/** A logical host of a lab, as the tests configured it. */
export interface Guest {
  readonly name: string
  readonly address: string
  /** The image of its disk group; empty = it is a directory. */
  readonly image: string
  /** The directory that is its disk group; absent = it is an image. */
  readonly directory?: string
}

/** What a test expects at its end. */
export interface Expected {
  readonly guests: readonly Guest[]
  /** Who masters what. */
  readonly masters: Readonly<Record<string, string>>
  /** The last reconfiguration before the deed; those after it are looked at. */
  readonly after: number
  /** Halves that were to fail, as `1 take-on of pg1 on h2`, counted from `after`; default none. */
  readonly failed?: readonly string[]
  /** Whether halves may also have ended otherwise than well as long as a later reconfiguration has taken over from theirs; default false. */
  readonly mayBeSuperseded?: boolean
  readonly writer?: RowWriter
}

type Mastered = Pick<Expected, 'guests' | 'masters'>

/** What a test can go on to look at. */
export interface Whole {
  readonly client: ClientReport | undefined
  readonly timelines: readonly TimelineJson[]
}

/** What is on its way may still end; what is left over stays. */
const TRANSIENT_MS = 10_000

/**
 * Expects that a deed has ended well. One master of each logical host, by what is mounted, up and running on the hosts themselves; nothing of it on any other
 * host; the address answers there, also in the client's neighbour table; no acknowledged row is lost; every half has its run, and every millisecond is explained.
 */
export async function expectWhole(lab: Lab, expected: Expected): Promise<Whole> {
  await settled(lab, expected.masters)
  await expectNothingTwice(lab, expected)
  for (const guest of expected.guests) await expectAnswer(lab, guest, expected.masters[guest.name] ?? '')
  const client = await expected.writer?.report()
  if (client !== undefined) expect({ lost: client.lost, unknown: client.unknown }).toEqual({ lost: [], unknown: [] })
  return { client, timelines: await expectTimelines(lab, expected) }
}

/** Expects one master of each logical host by what is mounted, up and running on the hosts themselves, and nothing of it on any other host. */
export async function expectNothingTwice(lab: Lab, expected: Mastered, withinMs = TRANSIENT_MS): Promise<void> {
  await expectOneMaster(lab, expected, withinMs)
  await expectOneLoopDevice(lab, expected, withinMs)
}

/** The number of the last reconfiguration. */
export async function lastReconfiguration(lab: Lab): Promise<number> {
  return (await (await anyMember(lab)).api().status()).lastReconfiguration
}

/** What is there of the logical hosts, in words that show what is too much and what is missing. */
async function expectOneMaster(lab: Lab, { guests, masters }: Mastered, withinMs: number): Promise<void> {
  const wanted = [...lab.hosts.values()]
    .filter(({ isAwake }) => isAwake)
    .map(({ name }) => {
      const own = guests.filter((guest) => masters[guest.name] === name)
      return {
        host: name,
        mounted: own.map((guest) => guest.name),
        up: own.map((guest) => guest.address).toSorted(),
        running: own.map((guest) => guest.name),
        strangers: [],
      }
    })
  await expectEventually(
    'one master of each logical host, and nothing of it elsewhere',
    { wanted, withinMs },
    async () => {
      const views = await Promise.all([...lab.hosts.values()].filter(({ isAwake }) => isAwake).map(lookAtHost))
      return views.map((view) => summary(lab, guests, view))
    },
  )
}

function summary(lab: Lab, guests: readonly Guest[], view: HostView): unknown {
  const { root } = lab.host(view.host)
  const placeOf = (guest: Guest): string => `${root}/${guest.name}`
  // A service is there by where it works, or by what it was told to serve.
  const isOf = (guest: Guest, { cwd, words }: SeenProcess): boolean =>
    [placeOf(guest), guest.directory].some((place) => place !== undefined && `${cwd}/`.startsWith(`${place}/`)) ||
    words.includes(`${placeOf(guest)}/`)
  const known = guests.map(placeOf)
  return {
    host: view.host,
    mounted: guests
      .filter((guest) => [...view.mounts.map(({ place }) => place), ...view.links].includes(placeOf(guest)))
      .map(({ name }) => name),
    up: view.addresses.toSorted(),
    running: guests.filter((guest) => view.processes.some((process) => isOf(guest, process))).map(({ name }) => name),
    strangers: [
      ...view.mounts.filter(({ place }) => !known.includes(place)).map(({ place }) => `mount ${place}`),
      ...view.links.filter((place) => !known.includes(place)).map((place) => `link ${place}`),
      ...view.processes
        .filter((process) => !guests.some((guest) => isOf(guest, process)))
        .map(({ pid, words, cwd }) => `process ${pid} ${words} in ${cwd}`),
    ],
  }
}

/** Loop devices belong to the whole machine: each image has one, which its master's mount uses. */
async function expectOneLoopDevice(lab: Lab, { guests: all, masters }: Mastered, withinMs: number): Promise<void> {
  const guests = all.filter(({ directory }) => directory === undefined)
  const wanted = guests.map((guest) => ({ image: guest.image, on: [masters[guest.name]] }))
  await expectEventually('one loop device of each image', { wanted, withinMs }, async () => {
    const { loopdevices } = JSON.parse(
      (await runProgram(['losetup', '--json', '--list', '--output', 'BACK-FILE,MAJ:MIN'])) || '{"loopdevices":[]}',
    ) as Loops
    const views = await Promise.all([...lab.hosts.values()].filter(({ isAwake }) => isAwake).map(lookAtHost))
    const usersOf = (device: string): readonly string[] =>
      views.filter(({ mounts }) => mounts.some((mount) => mount.device === device)).map(({ host }) => host)
    return guests.map(({ image }) => ({
      image,
      on: loopdevices
        .filter((loop) => loop['back-file'] === image)
        .flatMap((loop) => {
          const users = usersOf(loop['maj:min'].trim())
          return users.length === 0 ? ['nobody'] : users
        }),
    }))
  })
}

interface Loops {
  readonly loopdevices: readonly { readonly 'back-file': string; readonly 'maj:min': string }[]
}

/** The client reaches the master by the address, and knows its hardware. */
async function expectAnswer(lab: Lab, guest: Guest, master: string): Promise<void> {
  await lab.client('ping', '-c', '1', '-W', '5', '-q', guest.address)
  const [neighbour] = JSON.parse(await lab.client('ip', '-json', 'neighbour', 'show', guest.address)) as readonly {
    readonly lladdr?: string
  }[]
  // Whichever adapter of it: the last number is the machine's.
  expect(neighbour?.lladdr?.slice(-2), `the machine that the client knows for ${guest.address}`).toBe(
    lab.host(master).hardwareAddress.slice(-2),
  )
}

/** Looks at every reconfiguration after the deed. */
async function expectTimelines(
  lab: Lab,
  { after, failed = [], mayBeSuperseded = false }: Expected,
): Promise<readonly TimelineJson[]> {
  const api = (await anyMember(lab)).api()
  const last = (await api.status()).lastReconfiguration
  const numbers = Array.from({ length: last - after }, (_, index) => after + 1 + index)
  const members = (await api.status()).physicalHosts
    .filter(({ membership }) => membership === 'member')
    .map(({ name }) => name)
  const timelines = await eventually('the halves that nobody waits for', TRANSIENT_MS, async (saw) => {
    const now = await Promise.all(numbers.map((number) => api.timeline(number)))
    const open = now
      .filter(({ followedBy }) => followedBy === null)
      .flatMap(({ watches }) => watches)
      .filter(({ host, state }) => members.includes(host) && (state === 'waiting' || state === 'running'))
    saw(open)
    return open.length === 0 ? now : undefined
  })
  const traced = timelines.filter(({ followedBy }) => !mayBeSuperseded || followedBy === null)
  const notDone = traced.flatMap(({ number, lanes, watches }) =>
    [...lanes.flatMap(({ halves }) => halves), ...watches.filter(({ host }) => members.includes(host))]
      .filter(({ state }) => state !== 'done')
      .map(({ kind, logicalHost, host, state }) => `${number - after} ${kind} of ${logicalHost} on ${host}: ${state}`),
  )
  expect(notDone, 'halves without a run that ended well').toEqual(failed)
  for (const timeline of timelines) for (const lane of timeline.lanes) expectNoGap(timeline, lane)
  return timelines
}

/** Spans follow each other from the commit of the plan to the end of the lane; each says what it was. */
function expectNoGap({ number }: TimelineJson, { logicalHost, spans, durationMs }: LaneJson): void {
  let cursorMs = 0
  for (const span of spans) {
    expect(span.fromMs, `reconfiguration ${number}, ${logicalHost}: where a span begins`).toBeCloseTo(cursorMs, 3)
    expect(span.kind === 'waiting' ? span.what : span.step.sentence).not.toBe('')
    cursorMs += span.durationMs
  }
  expect(durationMs, `reconfiguration ${number}, ${logicalHost}: its end`).toBeCloseTo(cursorMs, 3)
}

async function expectEventually(
  what: string,
  { wanted, withinMs }: { readonly wanted: unknown; readonly withinMs: number },
  look: () => Promise<unknown>,
): Promise<void> {
  let last: unknown
  await eventually(what, withinMs, async () => {
    last = await look()
    return JSON.stringify(last) === JSON.stringify(wanted) ? true : undefined
  }).catch((error: unknown) => {
    // This one shows the difference.
    expect(last, what).toEqual(wanted)
    throw error
  })
}
