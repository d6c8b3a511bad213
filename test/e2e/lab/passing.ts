import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { StatusJson } from '../../../src/framework/api/wire.ts'
import { eventually } from '../../eventually.ts'
import { isMember } from './cluster.ts'
import { TIMINGS } from './cluster-rig.ts'
import type { Guest } from './expect-whole.ts'
import type { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { marksOf } from './marking.ts'

/** Who has not stamped for so long is given up. */
const EXPIRY_MS = TIMINGS.guardMs + TIMINGS.abortMs + TIMINGS.marginMs
/** After so many stamps of somebody, whoever has not stamped meanwhile has expired, and the next one has had its time to commit that. */
const STAMPS = Math.ceil(EXPIRY_MS / TIMINGS.stampMs) + 1
/** What is waited for takes some seconds; the rest is for a busy machine. */
const PASSED_MS = 60_000
/** A mark has some fifty bytes. */
const TAIL_BYTES = 400

/** The moment of the last mark that anybody wrote to the disk of a guest; nanoseconds of the machine's monotonic clock; 0 = none. */
export function lastMarkNs(lab: Lab, guest: string): bigint {
  const file = openSync(marksOf(lab, guest), 'r')
  try {
    const tail = Buffer.alloc(TAIL_BYTES)
    const from = Math.max(0, fstatSync(file).size - TAIL_BYTES)
    const text = tail.toString('latin1', 0, readSync(file, tail, 0, TAIL_BYTES, from))
    return BigInt(text.trimEnd().split('\n').at(-1)?.split(' ')[0] ?? '0')
  } finally {
    closeSync(file)
  }
}

/** Waits until every one of these guests has gone on writing for so long from now: what time has passed is read on their disks. */
export async function writtenFor(
  lab: Lab,
  { guests, ms }: { readonly guests: readonly Guest[]; readonly ms: number },
): Promise<void> {
  const untilNs = process.hrtime.bigint() + BigInt(Math.round(ms * 1e6))
  const names = guests.map(({ name }) => name)
  await eventually(`${names.join(' and ')} to be written for ${ms} ms`, ms + PASSED_MS, (saw) => {
    const late = names.filter((name) => lastMarkNs(lab, name) < untilNs)
    saw(late)
    return late.length === 0 ? true : undefined
  })
}

/** Waits until every member has stamped so often (default: that who has not must have been given up), as somebody sees it who reaches the database. */
export async function stampsGoOn(lab: Lab, times = STAMPS): Promise<void> {
  const ages = new Map<string, number>()
  const stamps = new Map<string, number>()
  await eventually(`${times} stamps of every member`, PASSED_MS, async (saw) => {
    const status = await statusByDatabase(lab)
    const members = status?.physicalHosts.filter(({ membership }) => membership === 'member') ?? []
    for (const { name, stampAgeMs } of members) {
      if (stampAgeMs === null) continue
      if (stampAgeMs < (ages.get(name) ?? 0)) stamps.set(name, (stamps.get(name) ?? 0) + 1)
      ages.set(name, stampAgeMs)
    }
    saw(Object.fromEntries(stamps))
    const isDone = members.length > 0 && members.every(({ name }) => (stamps.get(name) ?? 0) >= times)
    return isDone ? true : undefined
  })
}

/** What a member says that reaches the database; undefined when none does. */
async function statusByDatabase(lab: Lab): Promise<StatusJson | undefined> {
  for (const host of lab.hosts.values()) {
    if (!(await isMember(host))) continue
    const status = await host.api().status()
    if (status.databaseAway === null) return status
  }
  return undefined
}

/** Waits until the database has been away for every host for longer than it takes to give somebody up, as the hosts say themselves. */
export async function databaseStaysAway(hosts: readonly LabHost[]): Promise<void> {
  await eventually(`the database to be away for ${EXPIRY_MS} ms`, PASSED_MS, async (saw) => {
    const all = await Promise.all(hosts.map((host) => host.api().status()))
    const awayMs = all.map(({ databaseAway, atWallMs }) =>
      databaseAway === null ? 0 : atWallMs - databaseAway.sinceWallMs,
    )
    saw(awayMs)
    return awayMs.every((ms) => ms > EXPIRY_MS) ? true : undefined
  })
}

/** Waits until every host finds these networks to be so. */
export async function networksAre(hosts: readonly LabHost[], wanted: Readonly<Record<string, string>>): Promise<void> {
  await eventually(`the networks to be ${JSON.stringify(wanted)}`, PASSED_MS, async (saw) => {
    const all = await Promise.all(
      hosts.map(async (host) => {
        const { privateNetworks } = await host.api().status()
        return Object.fromEntries(privateNetworks.map(({ name, state }) => [name, state]))
      }),
    )
    saw(all)
    const isSo = (one: Readonly<Record<string, string>>): boolean =>
      Object.entries(wanted).every(([network, state]) => one[network] === state)
    return all.every(isSo) ? true : undefined
  })
}
