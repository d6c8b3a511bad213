import assert from 'node:assert/strict'
import { lstat, mkdir } from 'node:fs/promises'
import { networkInterfaces, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { describeError, HaError } from '../../errors/ha-error.ts'
import type { AddressCall, AddressDriver } from '../../ports/address-driver.ts'
import type { DriverHost } from '../driver-host.ts'
import { type Owner, OwnershipMark } from '../ownership-mark.ts'
import { type Belonging, belongingOf } from '../processes.ts'
import { addressBytes } from './frames.ts'
import { createListenerLook, type Listener } from './listeners.ts'

/** What may be set beside the host. */
export interface LocalAddressOptions {
  /** Where the hosts of this machine keep who has which address; default `haven-<uid>` in the directory for temporary files. */
  readonly directory?: string
}

/**
 * Makes the driver of logical addresses within 127/8, for several hosts on one machine and without any rights.
 *
 * The whole network is always there, so "up" is an exclusive mark that all hosts of the machine see. It does not outlive its worth: the
 * mark of a host that was killed is taken over. Like an `ip` address, what counts is who answers: as long as a process of another
 * host listens on the address, it is in use.
 */
export function localAddressDriver(host: DriverHost, options: LocalAddressOptions = {}): AddressDriver {
  const directory = options.directory ?? join(tmpdir(), `haven-${userInfo().uid}`)
  const findListeners = createListenerLook()
  const markOf = ({ address }: AddressCall): OwnershipMark =>
    new OwnershipMark(host, {
      directory: join(directory, host.cluster, 'addresses', address.address),
      what: address.address,
      isForThisBoot: true,
    })
  const isMarked = async (call: AddressCall): Promise<boolean> => {
    const mark = markOf(call)
    return mark.isOurs((await mark.read()).owner)
  }
  const listenersOf = async (call: AddressCall, whose: Belonging): Promise<readonly Listener[]> =>
    (await findListeners(bytesOf(call))).filter(({ tag }) => belongingOf(tag, host.scope) === whose)
  /** A listener without a tag is not counted: it may be a service of our own that lost its environment, and began to listen before the address was up. */
  const findOthers = (call: AddressCall): Promise<readonly Listener[]> => listenersOf(call, 'other-host')
  return {
    kind: 'local',
    isUp: isMarked,
    up: async (call) => {
      call.signal.throwIfAborted()
      checkAddress(call)
      const [isOurs, others] = await Promise.all([isMarked(call), findOthers(call), makeOwnDirectory(call, directory)])
      if (isOurs) return
      refuseListeners(call, others, undefined)
      await markOf(call).take(async (owner) => refuseListeners(call, await findOthers(call), owner))
    },
    down: async (call) => {
      call.signal.throwIfAborted()
      await markOf(call).release()
    },
    leftovers: async (call) => {
      const [isOurs, listeners] = await Promise.all([isMarked(call), listenersOf(call, 'ours')])
      const marks = isOurs ? [markLeftover(call, markOf(call).directory)] : []
      return [
        ...marks,
        ...listeners.map(
          (listener) => ({ kind: 'process', what: describe(listener), remedy: `kill -KILL ${listener.pid}` }) as const,
        ),
      ]
    },
    close: async () => undefined,
  }
}

function markLeftover({ address }: AddressCall, directory: string): { kind: 'address'; what: string; remedy: string } {
  return { kind: 'address', what: `${address.address} (mark ${directory})`, remedy: `rm -r ${directory}` }
}

function refuseListeners(call: AddressCall, others: readonly Listener[], owner: Owner | undefined): void {
  if (others.length === 0) return
  const whose =
    owner === undefined ? 'another host' : `physical host '${owner.physicalHost}' (HAVEN_ROOT ${owner.root})`
  throw new HaError('ADDRESS_IN_USE', `logical address ${call.address.address} is in use by ${whose}`, {
    hint: 'Stop what still listens there; then the address can be taken over.',
    details: others.map(describe),
  })
}

function describe({ pid, command, port, tag }: Listener): string {
  return `process ${pid} (${command})${tag === undefined ? '' : ` of ${tag}`} listens on port ${port}`
}

function checkAddress(call: AddressCall): void {
  const { address } = call.address
  if (bytesOf(call)[0] !== 127 || bytesOf(call).length !== 4) {
    throw unusable(call, 'it is not within 127.0.0.0/8', `Use an address such as 127.0.1.1, or kind ip for ${address}.`)
  }
  const isLoopbackUp = Object.values(networkInterfaces()).some((list) =>
    list?.some((each) => each.address === '127.0.0.1'),
  )
  if (!isLoopbackUp) throw unusable(call, 'the loopback adapter is down', 'Run: ip link set lo up')
}

/** In a directory that everybody may write, somebody else could have made ours before us. */
async function makeOwnDirectory(call: AddressCall, directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const facts = await lstat(directory)
    if (facts.isDirectory() && facts.uid === userInfo().uid) return
  } catch (error) {
    throw unusable(
      call,
      `the directory ${directory} cannot be made (${describeError(error)})`,
      'Let Haven write there.',
    )
  }
  throw unusable(call, `the directory ${directory} belongs to somebody else`, 'See who made it, and remove it.')
}

function bytesOf({ address }: AddressCall): Buffer {
  const bytes = addressBytes(address.address)
  assert(bytes !== undefined, `${address.address} is no address; the configuration should not have let it in`)
  return bytes
}

function unusable({ address }: AddressCall, why: string, hint: string): HaError {
  return new HaError('ADDRESS_UNUSABLE', `logical address ${address.address}: ${why}`, { hint })
}
