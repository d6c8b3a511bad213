import type { AddressCall, AddressDriver } from '../../ports/address-driver.ts'
import type { Effects } from '../../ports/effects.ts'
import type { GroupPlaces } from './group-places.ts'

/** Moves that may overtake one step that brings an address up, each by another adapter that failed: more of them are no accident any more. */
const MOVES_MAX = 8

/**
 * Lets a driver of addresses be called with the name of a backup group where an adapter is meant: it gets the adapter that carries the group's addresses at
 * that moment. Taking down means wherever it is. Steps and moves of one address take turns.
 */
export function groupedAddresses(
  driver: AddressDriver,
  places: GroupPlaces,
  effects: Pick<Effects, 'sleep'>,
): AddressDriver {
  const inTurn = async <T>(call: AddressCall, work: () => Promise<T>): Promise<T> => {
    const unlock = await places.lock(call.address.address)
    try {
      return await work()
    } finally {
      unlock()
    }
  }
  const resolved = (call: AddressCall): AddressCall => ({
    ...call,
    adapter: places.find(call.adapter)?.active ?? call.adapter,
  })
  return {
    kind: driver.kind,
    isUp: (call) => driver.isUp(resolved(call)),
    up: async (call) => {
      await places.known(effects.sleep.bind(effects))
      if (places.find(call.adapter) === undefined) return inTurn(call, () => driver.up(call))
      return inTurn(call, () => upInGroup(driver, places, call))
    },
    down: (call) => inTurn(call, () => driver.down(resolved(call))),
    leftovers: (call) => driver.leftovers(resolved(call)),
    expect: () => driver.expect?.(),
    close: () => driver.close(),
  }
}

/** Brings it up on the active adapter, and goes after that one when the group moves on meanwhile. */
async function upInGroup(driver: AddressDriver, places: GroupPlaces, call: AddressCall): Promise<void> {
  for (let move = 0; ; move += 1) {
    const group = places.find(call.adapter)
    const adapter = group?.active ?? call.adapter
    const hasMoved = (): boolean => move < MOVES_MAX && places.find(call.adapter)?.active !== adapter
    // On another adapter of the group it is left over from before; that is no conflict.
    for (const other of group?.adapters ?? []) {
      if (other !== adapter && (await driver.isUp({ ...call, adapter: other })))
        await driver.down({ ...call, adapter: other })
    }
    try {
      await driver.up({ ...call, adapter })
    } catch (error) {
      if (hasMoved()) continue
      throw error
    }
    if (!hasMoved()) return
  }
}
