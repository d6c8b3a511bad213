import { isIPv4, isIPv6 } from 'node:net'

/** Bytes of an address: 4 of IPv4, 16 of IPv6. Undefined when the text is neither. */
export function addressBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number))
  if (!isIPv6(text) || text.includes('%')) return undefined
  // The last four bytes may be written like an IPv4 address.
  const words = text.replace(
    /[^:]*\.[^:]*$/,
    (tail) =>
      addressBytes(tail)
        ?.toString('hex')
        .replace(/^(....)/, '$1:') ?? '',
  )
  const [head = '', tail] = words.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  return Buffer.from([...left, ...zeros, ...right].map((word) => word.padStart(4, '0')).join(''), 'hex')
}

/** Bytes of an Ethernet address such as `02:77:00:00:00:01`. */
export function hardwareBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex')
}

/** Bytes that a frame has at a place, counted from the beginning of its Ethernet header. */
export interface Expectation {
  readonly offset: number
  readonly bytes: Buffer
}

/** What goes over the wire for one address on one adapter. */
export interface AddressFrames {
  /** EtherType of all of them. */
  readonly type: number
  /** Asks who has the address, without touching anybody's neighbour table. */
  readonly probe: Buffer
  /** A frame that meets all expectations of one of these lists comes from somebody who has the address, or is about to take it. */
  readonly conflicts: readonly (readonly Expectation[])[]
  /** Tells everybody on the link who has the address now. */
  readonly announcements: readonly Buffer[]
}

/** Makes the frames for an address and the Ethernet address of the adapter that is to have it. */
export function framesFor(address: Buffer, hardware: Buffer): AddressFrames {
  return address.length === 4 ? arpFrames(address, hardware) : neighbourFrames(address, hardware)
}

const BROADCAST = Buffer.alloc(6, 0xff)
const ARP = 0x0806
const IPV6 = 0x86dd

/** Address Conflict Detection and announcements of IPv4: RFC 5227, sections 2.1.1 and 2.3. */
function arpFrames(address: Buffer, hardware: Buffer): AddressFrames {
  const nobody = Buffer.alloc(4)
  const frame = (operation: 1 | 2, from: Buffer, target: Buffer): Buffer => {
    const header = Buffer.from([0, 1, 8, 0, 6, 4, 0, operation]) // Ethernet, IPv4, their lengths
    return Buffer.concat([ethernet(BROADCAST, hardware, ARP), header, hardware, from, target, address])
  }
  return {
    type: ARP,
    probe: frame(1, nobody, Buffer.alloc(6)),
    conflicts: [
      [{ offset: ARP_SENDER, bytes: address }],
      [
        { offset: ARP_SENDER, bytes: nobody },
        { offset: ARP_TARGET, bytes: address },
      ],
    ],
    // A request is what the RFC says; some old equipment only learns from a reply.
    announcements: [frame(1, address, Buffer.alloc(6)), frame(2, address, BROADCAST)],
  }
}

const ARP_SENDER = 28
const ARP_TARGET = 38

const SOLICITATION = 135
const ADVERTISEMENT = 136

/** Duplicate Address Detection (RFC 4862, section 5.4) and unsolicited advertisements (RFC 4861, section 7.2.6) of IPv6. */
function neighbourFrames(address: Buffer, hardware: Buffer): AddressFrames {
  const nobody = Buffer.alloc(16)
  const solicitedNode = Buffer.concat([Buffer.from('ff0200000000000000000001ff', 'hex'), address.subarray(13)])
  const allNodes = Buffer.from('ff020000000000000000000000000001', 'hex')
  const asked = Buffer.from([SOLICITATION, 0, 0, 0, 0, 0, 0, 0])
  // The override flag makes those replace a hardware address that they have already.
  const told = Buffer.from([ADVERTISEMENT, 0, 0, 0, 0x20, 0, 0, 0])
  const hardwareOption = Buffer.concat([Buffer.from([2, 1]), hardware])
  const frame = (from: Buffer, to: Buffer, message: readonly Buffer[]): Buffer => {
    const multicast = Buffer.concat([Buffer.from([0x33, 0x33]), to.subarray(12)])
    return Buffer.concat([ethernet(multicast, hardware, IPV6), icmpV6(from, to, Buffer.concat(message))])
  }
  const about = { offset: ICMPV6 + 8, bytes: address }
  return {
    type: IPV6,
    probe: frame(nobody, solicitedNode, [asked, address]),
    conflicts: [
      [isIcmpV6, { offset: ICMPV6, bytes: Buffer.from([ADVERTISEMENT]) }, about],
      [isIcmpV6, { offset: ICMPV6, bytes: Buffer.from([SOLICITATION]) }, { offset: IPV6_SOURCE, bytes: nobody }, about],
    ],
    announcements: [frame(address, allNodes, [told, address, hardwareOption])],
  }
}

const ETHERNET_LENGTH = 14
const IPV6_SOURCE = ETHERNET_LENGTH + 8
const ICMPV6 = ETHERNET_LENGTH + 40
const NEXT_IS_ICMPV6 = 58
const isIcmpV6: Expectation = { offset: ETHERNET_LENGTH + 6, bytes: Buffer.from([NEXT_IS_ICMPV6]) }

function ethernet(to: Buffer, from: Buffer, type: number): Buffer {
  return Buffer.concat([to, from, Buffer.from([type >> 8, type & 0xff])])
}

function icmpV6(from: Buffer, to: Buffer, message: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(message.length)
  const pseudoHeader = Buffer.concat([from, to, length, Buffer.from([0, 0, 0, NEXT_IS_ICMPV6])])
  const sealed = Buffer.from(message)
  sealed.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, message])), 2)
  // Version 6; 255 hops, for a neighbour's message has crossed no router.
  const header = Buffer.from([0x60, 0, 0, 0, message.length >> 8, message.length & 0xff, NEXT_IS_ICMPV6, 255])
  return Buffer.concat([header, from, to, sealed])
}

/** The checksum of the internet protocols: RFC 1071. All our messages have an even length. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** Reads the Ethernet address that sent a frame. */
export function senderOf(frame: Buffer): string {
  return frame.toString('hex', 6, 12).replace(/(..)(?=.)/g, '$1:')
}
