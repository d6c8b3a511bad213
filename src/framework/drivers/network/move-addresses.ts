import { writeFile } from 'node:fs/promises'
import { describeError } from '../../errors/ha-error.ts'
import type { LogicalAddress } from '../../model/cluster-config.ts'
import type { AddressMove, AddressMoved } from '../../ports/public-adapters.ts'
import { type Adapter, listAdapters } from '../address/address-table.ts'
import { addressBytes, framesFor, hardwareBytes } from '../address/frames.ts'
import { exchange, runFrames } from '../address/raw-socket.ts'
import type { RunCommand } from '../run-command.ts'
import type { GroupPlaces } from './group-places.ts'
import { type Moving, moveBatch } from './move-batch.ts'
import { keyOfAddress, type OwnPlace, readOwnPlace } from './own-addresses.ts'

/** What a move needs beside its order. */
export interface MoveParts {
  readonly run: RunCommand
  readonly places: GroupPlaces
  /** What was the host's own on the adapter when it was last well. */
  readonly remembered: OwnPlace | undefined
}

/** Moves the addresses in one go: one look, one `ip -batch` for each family, one announcement. Never rejects. */
export async function moveAddresses(order: AddressMove, parts: MoveParts, signal: AbortSignal): Promise<AddressMoved> {
  const { free, busy, unlock } = lockFree([...order.addresses, ...order.ifThere], parts.places)
  try {
    signal.throwIfAborted()
    const moved = await moveLocked({ ...order, ...keepFree(order, free) }, parts, signal)
    return { ...moved, busy }
  } catch (error) {
    return { moved: [], failed: [describeError(error)], busy }
  } finally {
    unlock()
  }
}

function keepFree(order: AddressMove, free: ReadonlySet<string>): Pick<AddressMove, 'addresses' | 'ifThere'> {
  const isFree = ({ address }: LogicalAddress): boolean => free.has(address)
  return { addresses: order.addresses.filter(isFree), ifThere: order.ifThere.filter(isFree) }
}

/** A step that works on one address must not make the others wait: it finds out by itself that its group has moved on. */
function lockFree(addresses: readonly LogicalAddress[], places: GroupPlaces) {
  const locks = addresses.map(({ address }) => ({ address, unlock: places.tryLock(address) }))
  return {
    free: new Set(locks.filter(({ unlock }) => unlock !== undefined).map(({ address }) => address)),
    busy: locks.filter(({ unlock }) => unlock === undefined).map(({ address }) => address),
    unlock: () => {
      for (const { unlock } of locks) unlock?.()
    },
  }
}

async function moveLocked(
  order: AddressMove,
  { run, remembered }: MoveParts,
  signal: AbortSignal,
): Promise<Omit<AddressMoved, 'busy'>> {
  const { from, to } = order
  const [adapters, now] = await Promise.all([
    listAdapters(run, signal),
    readOwnPlace(run, { adapter: from, logical: order.logical, signal }),
  ])
  const isOn = adapters.find(({ name }) => name === from)?.flags.includes('UP') === true
  const own = isOn ? now : withLost(now, remembered)
  const moving = movingOf(order, adapters, own)
  const present = adapters.flatMap(({ name, addresses }) => addresses.map((address) => ({ adapter: name, address })))
  await promoteSecondaries(from)
  await Promise.all(
    ([4, 6] as const).map(async (family) => {
      const input = moveBatch(family, { to, moving, present, own }).join('\n')
      if (input === '') return
      // What fails (a route whose gateway is gone, an address that somebody took away meanwhile) must not keep the rest.
      await run(['ip', `-${family}`, '-force', '-batch', '-'], { signal, input: `${input}\n`, accept: [0, 1, 2] })
    }),
  )
  return await checkAndAnnounce(run, { to, moving, signal })
}

/** An adapter that was switched off or removed has lost its routes and the most of its addresses. */
function withLost(now: OwnPlace, remembered: OwnPlace | undefined): OwnPlace {
  const known = new Set(now.addresses.map(({ key }) => key))
  const lost = remembered?.addresses.filter(({ key }) => !known.has(key)) ?? []
  return { addresses: [...now.addresses, ...lost], routes: [...(remembered?.routes ?? []), ...now.routes] }
}

function movingOf(order: AddressMove, adapters: readonly Adapter[], own: OwnPlace): readonly Moving[] {
  const onFrom = new Set(adapters.find(({ name }) => name === order.from)?.addresses.map(({ key }) => key))
  const wanted = [...order.addresses, ...order.ifThere.filter((address) => onFrom.has(keyOfAddress(address)))]
  return [
    ...own.addresses.map(({ key, text, prefixLength }) => ({ key, text, prefixLength, isLogical: false })),
    ...wanted.map((address) => ({
      key: keyOfAddress(address),
      text: address.address,
      prefixLength: address.prefixLength,
      isLogical: true,
    })),
  ]
}

/** Deleting the first address of a network deletes the others of it with it, unless this is set. An adapter that is gone has none. */
async function promoteSecondaries(adapter: string): Promise<void> {
  await writeFile(`/proc/sys/net/ipv4/conf/${adapter}/promote_secondaries`, '1').catch(() => undefined)
}

async function checkAndAnnounce(
  run: RunCommand,
  { to, moving, signal }: { readonly to: string; readonly moving: readonly Moving[]; readonly signal: AbortSignal },
): Promise<Omit<AddressMoved, 'busy'>> {
  const adapter = (await listAdapters(run, signal)).find(({ name }) => name === to)
  const there = new Set(adapter?.addresses.map(({ key }) => key))
  const [moved, failed] = [moving.filter(({ key }) => there.has(key)), moving.filter(({ key }) => !there.has(key))]
  if (adapter !== undefined) await announceAll(run, adapter, moved, signal)
  return {
    moved: moved.map(({ text }) => text),
    failed: failed.map(({ text }) => `${text} is not on ${to}`),
  }
}

/** Announces addresses over the adapter that has them, all with one program for each kind of frame. */
export async function announceAll(
  run: RunCommand,
  adapter: Pick<Adapter, 'index' | 'hardware' | 'flags' | 'linkType'>,
  addresses: readonly Pick<Moving, 'text'>[],
  signal: AbortSignal,
): Promise<void> {
  if (adapter.linkType !== 'ether' || adapter.flags.includes('NOARP')) return
  const hardware = hardwareBytes(adapter.hardware)
  const frames = addresses.flatMap(({ text }) => {
    const bytes = addressBytes(text)
    return bytes === undefined ? [] : [framesFor(bytes, hardware)]
  })
  const types = [...new Set(frames.map(({ type }) => type))]
  await Promise.all(
    types.map((type) => {
      const send = frames.filter((frame) => frame.type === type).flatMap(({ announcements }) => announcements)
      const times = { probes: 1, betweenMs: 0, waitMs: 0 }
      const made = { adapter: { index: adapter.index, hardware }, type, send, expect: [], times, signal }
      return exchange(runFrames(run), made)
    }),
  )
}
