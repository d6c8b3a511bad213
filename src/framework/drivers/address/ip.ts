import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { HaError } from '../../errors/ha-error.ts'
import type { AddressCall, AddressDriver } from '../../ports/address-driver.ts'
import type { DriverHost } from '../driver-host.ts'
import { driverTag } from '../processes.ts'
import { CommandError, createRunCommand } from '../run-command.ts'
import { createSpareProgram, type RunWithInput } from '../spare-program.ts'
import {
  type Adapter,
  type AdapterAddress,
  type AdapterList,
  createAdapterList,
  parseAdapters,
} from './address-table.ts'
import { AGAIN_AFTER_MS, Announcer } from './announce-again.ts'
import { type AddressFrames, addressBytes, framesFor, hardwareBytes, senderOf } from './frames.ts'
import { createIpSession, type IpSession } from './ip-session.ts'
import {
  announceAddress,
  type EthernetAdapter,
  FRAMES,
  PROBE_TIMES_DEFAULT,
  type ProbeTimes,
  probeAddress,
} from './raw-socket.ts'

/** What may be set beside the host. */
export interface IpAddressOptions {
  /** How the link is asked for others before an address comes up. */
  readonly probe?: ProbeTimes
  /** Pauses between repeated announcements, ms; empty: only the first one. */
  readonly announceAgainAfterMs?: readonly number[]
}

/** Makes the driver of logical addresses on Ethernet adapters, IPv4 and IPv6, by iproute2 and raw frames (docs/decisions/0007). It needs root. */
export function ipAddressDriver(host: DriverHost, options: IpAddressOptions = {}): AddressDriver {
  const made = { effects: host.effects, tag: driverTag(host.scope, 'addresses') }
  const ip = createIpSession(made)
  const list = createAdapterList(async (signal) => parseAdapters((await ip.ask([], 'addr show', signal)).json))
  const frames = createSpareProgram(createRunCommand(made), FRAMES, host.effects)
  const tools: Tools = { ip, list, frames: frames.run }
  const announcer = new Announcer(host.effects, options.announceAgainAfterMs ?? AGAIN_AFTER_MS)
  const probe = options.probe ?? PROBE_TIMES_DEFAULT
  const keyOf = (call: AddressCall): string => `${call.adapter} ${bytesOf(call).toString('hex')}`
  return {
    kind: 'ip',
    isUp: async (call) => (await findOn(tools, call)) !== undefined,
    up: async (call) => {
      announcer.stop(keyOf(call))
      const found = await explained(call, () => bringUp(tools, call, probe))
      if (found === undefined) return
      announcer.start(keyOf(call), (signal) => announceIfStillHere(tools, { ...call, signal }, found))
    },
    down: async (call) => {
      announcer.stop(keyOf(call))
      await explained(call, () => takeDown(tools, call))
    },
    leftovers: async (call) => {
      const key = bytesOf(call).toString('hex')
      const adapters = await tools.list(call.signal)
      return adapters.flatMap(({ name, addresses }) =>
        addresses
          .filter((address) => address.key === key)
          .map(
            ({ text, prefixLength }) =>
              ({
                kind: 'address',
                what: `${text} on ${name}`,
                remedy: `ip addr del ${text}/${prefixLength} dev ${name}`,
              }) as const,
          ),
      )
    },
    expect: () => {
      ip.expect()
      frames.expect()
    },
    close: async () => {
      announcer.stopAll()
      frames.close()
      ip.close()
    },
  }
}

interface Tools {
  readonly ip: IpSession
  readonly list: AdapterList
  /** Runs the program for raw frames. */
  readonly frames: RunWithInput
}

interface OnLink {
  readonly adapter: EthernetAdapter
  readonly frames: AddressFrames
}

/** Undefined when the adapter has no neighbours (NOARP): there is nobody to ask and nobody to tell. */
async function bringUp(tools: Tools, call: AddressCall, times: ProbeTimes): Promise<OnLink | undefined> {
  const { frames, list } = tools
  const bytes = bytesOf(call)
  const adapters = await list(call.signal)
  const adapter = usableAdapter(call, adapters)
  refuseElsewhere(call, adapters)
  const onLink = adapter.flags.includes('NOARP') ? undefined : linkOf(adapter, bytes)
  const present = addressOn(adapter, bytes)
  if (present?.isDuplicate === true) await remove(tools, call, present)
  if (present === undefined || present.isDuplicate) {
    if (onLink !== undefined && call.isReleased !== true) await refuseInUse(frames, call, { ...onLink, times })
    call.signal.throwIfAborted()
    await add(tools, call)
  }
  if (onLink !== undefined) await announceAddress(frames, { ...onLink, signal: call.signal })
  return onLink
}

function usableAdapter(call: AddressCall, adapters: readonly Adapter[]): Adapter {
  const adapter = adapters.find(({ name }) => name === call.adapter)
  if (adapter === undefined) {
    const names = adapters.map(({ name }) => name).join(', ')
    throw unusable(call, `this host has no adapter '${call.adapter}'`, `Configure one of its adapters: ${names}`)
  }
  if (!adapter.flags.includes('UP')) {
    throw unusable(call, `adapter '${call.adapter}' is down`, `Run: ip link set ${call.adapter} up`)
  }
  if (!adapter.flags.includes('LOWER_UP')) {
    throw unusable(call, `adapter '${call.adapter}' has no carrier`, 'Look at its cable and at the switch.')
  }
  if (adapter.linkType === 'ether') return adapter
  throw unusable(
    call,
    `adapter '${call.adapter}' is of type '${adapter.linkType}'`,
    'Logical addresses of kind ip need an Ethernet adapter.',
  )
}

function refuseElsewhere(call: AddressCall, adapters: readonly Adapter[]): void {
  const bytes = bytesOf(call)
  const other = adapters.find((adapter) => adapter.name !== call.adapter && addressOn(adapter, bytes) !== undefined)
  if (other === undefined) return
  const { address, prefixLength } = call.address
  throw unusable(
    call,
    `it is up on adapter '${other.name}' of this host, not on '${call.adapter}'`,
    `Correct the configuration, or run: ip addr del ${address}/${prefixLength} dev ${other.name}`,
  )
}

function linkOf(adapter: Adapter, bytes: Buffer): OnLink {
  const hardware = hardwareBytes(adapter.hardware)
  return { adapter: { index: adapter.index, hardware }, frames: framesFor(bytes, hardware) }
}

async function refuseInUse(
  frames: RunWithInput,
  call: AddressCall,
  asked: OnLink & { readonly times: ProbeTimes },
): Promise<void> {
  const answer = await probeAddress(frames, { ...asked, signal: call.signal })
  if (answer === undefined) return
  const hardware = senderOf(answer)
  throw new HaError(
    'ADDRESS_IN_USE',
    `logical address ${call.address.address} is in use: ${hardware} answers for it on '${call.adapter}'`,
    {
      hint: `Find the host with the hardware address ${hardware} and take the address from it.`,
    },
  )
}

async function add(tools: Tools, call: AddressCall): Promise<void> {
  const { address, prefixLength } = call.address
  // Our own check has been made, so the kernel is not to make another one of a second (nodad). An IPv6 address without a preferred lifetime
  // is not chosen for connections that this host makes for itself: they would break at the next switchover.
  const words = isIpV6(call) ? 'nodad preferred_lft 0 ' : prefixLength < 31 ? 'broadcast + ' : ''
  const command = `addr replace ${address}/${prefixLength} ${words}dev ${call.adapter}`
  const { complaint, isThere } = await change(tools, call, command)
  if (!isThere)
    throw new CommandError(['ip', command], 'refused', { exitCode: null, isMissing: false, stderr: complaint })
}

/** Carries out a command for the address, and tells whether the adapter has it afterwards. */
async function change(
  { ip }: Tools,
  call: AddressCall,
  command: string,
): Promise<{ readonly complaint: string; readonly isThere: boolean }> {
  const bytes = bytesOf(call)
  const { json, complaint } = await ip.ask([command], `addr show to ${call.address.address}`, call.signal)
  const adapter = parseAdapters(json).find(({ name }) => name === call.adapter)
  return { complaint, isThere: adapter !== undefined && addressOn(adapter, bytes) !== undefined }
}

/** Takes it from every adapter that has it: in a backup group it may have moved since the step was planned, or since the guard was told. */
async function takeDown(tools: Tools, call: AddressCall): Promise<void> {
  const bytes = bytesOf(call)
  for (const adapter of await tools.list(call.signal)) {
    const address = addressOn(adapter, bytes)
    if (address === undefined) continue
    if (needsPromotion(adapter, address)) {
      // Deleting the first address of a network deletes the others of it with it, other logical hosts' among them, unless this is set.
      await writeFile(`/proc/sys/net/ipv4/conf/${adapter.name}/promote_secondaries`, '1')
    }
    await remove(tools, { ...call, adapter: adapter.name }, address)
  }
}

async function remove(tools: Tools, call: AddressCall, { text, prefixLength }: AdapterAddress): Promise<void> {
  const command = `addr del ${text}/${prefixLength} dev ${call.adapter}`
  const { complaint, isThere } = await change(tools, call, command)
  // Somebody else may have taken it down meanwhile, whatever ip complained of.
  if (isThere)
    throw unusable(call, `it cannot be taken from adapter '${call.adapter}': ${complaint}`, `Run: ip ${command}`)
}

function needsPromotion(adapter: Adapter, address: AdapterAddress): boolean {
  return !address.isSecondary && adapter.addresses.some((other) => other.isSecondary)
}

/** False ends the repetitions: this host must never announce what it has not, and another process of it (the guard) may have taken it down. */
async function announceIfStillHere(tools: Tools, call: AddressCall, onLink: OnLink): Promise<boolean> {
  if ((await findOn(tools, call)) === undefined) return false
  await announceAddress(tools.frames, { ...onLink, signal: call.signal })
  return true
}

async function findOn(
  tools: Tools,
  call: AddressCall,
): Promise<{ readonly adapter: Adapter; readonly address: AdapterAddress } | undefined> {
  const bytes = bytesOf(call)
  const adapter = (await tools.list(call.signal)).find(({ name }) => name === call.adapter)
  const address = adapter === undefined ? undefined : addressOn(adapter, bytes)
  return adapter === undefined || address === undefined ? undefined : { adapter, address }
}

function addressOn(adapter: Adapter, bytes: Buffer): AdapterAddress | undefined {
  return adapter.addresses.find((address) => address.key === bytes.toString('hex'))
}

function bytesOf({ address }: AddressCall): Buffer {
  const bytes = addressBytes(address.address)
  assert(bytes !== undefined, `${address.address} is no address; the configuration should not have let it in`)
  return bytes
}

function isIpV6(call: AddressCall): boolean {
  return bytesOf(call).length === 16
}

async function explained<T>(call: AddressCall, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const program = error.commandLine.split(' ')[0]
    const hint = error.facts.isMissing
      ? `Install ${program} (Debian: ${program === 'ip' ? 'iproute2' : 'perl-base'}).`
      : 'Haven must run as root for addresses of kind ip; see whether the adapter allows this kind of address.'
    throw unusable(call, `${program} failed`, hint, error)
  }
}

function unusable({ address }: AddressCall, why: string, hint: string, cause?: CommandError): HaError {
  const details = cause === undefined ? [] : [cause.message]
  return new HaError('ADDRESS_UNUSABLE', `logical address ${address.address}: ${why}`, { hint, details, cause })
}
