import { describe, expect, it } from 'vitest'
import { addressBytes, framesFor, hardwareBytes, senderOf } from '../../../src/framework/drivers/address/frames.ts'

const hardware = hardwareBytes('02:77:00:00:00:01')

function bytesOf(text: string): Buffer {
  const bytes = addressBytes(text)
  if (bytes === undefined) throw new Error(`${text} is an address`)
  return bytes
}

describe('bytes of addresses', () => {
  it.each([
    ['10.0.0.1', '0a000001'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['fd00::', 'fd000000000000000000000000000000'],
    ['fd00:88::1:100', 'fd000088000000000000000000010100'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
  ])('reads %s', (text, hex) => {
    expect(addressBytes(text)?.toString('hex')).toBe(hex)
  })

  it.each(['', 'eth0', '10.0.0', '10.0.0.256', '::1::', 'fe80::1%eth0'])('refuses %j', (text) => {
    expect(addressBytes(text)).toBeUndefined()
  })
})

describe('frames of IPv4', () => {
  const frames = framesFor(bytesOf('10.0.0.9'), hardware)

  it('asks without giving an address of its own, which would change neighbour tables', () => {
    expect(frames.probe.toString('hex')).toBe(
      [
        'ffffffffffff',
        '027700000001',
        '0806',
        '0001080006040001',
        '027700000001',
        '00000000',
        '000000000000',
        '0a000009',
      ].join(''),
    )
  })

  it('announces by request and by reply', () => {
    const [request, reply] = frames.announcements.map((frame) => frame.toString('hex', 20))
    expect(request).toBe(['0001', '027700000001', '0a000009', '000000000000', '0a000009'].join(''))
    expect(reply).toBe(['0002', '027700000001', '0a000009', 'ffffffffffff', '0a000009'].join(''))
  })

  it('takes an answer and the probe of somebody else for a conflict, and nothing more', () => {
    const other = hardwareBytes('02:77:00:00:00:02')
    const theirs = framesFor(bytesOf('10.0.0.9'), other)
    expect([...theirs.announcements, theirs.probe].map((frame) => isConflict(frame, frames.conflicts))).toEqual([
      true,
      true,
      true,
    ])
    const unrelated = framesFor(bytesOf('10.0.0.8'), other)
    expect([...unrelated.announcements, unrelated.probe].map((frame) => isConflict(frame, frames.conflicts))).toEqual([
      false,
      false,
      false,
    ])
    expect(senderOf(theirs.probe)).toBe('02:77:00:00:00:02')
  })
})

describe('frames of IPv6', () => {
  const frames = framesFor(bytesOf('fd00:88::1:100'), hardware)

  it('asks the solicited-node address, from the unspecified one', () => {
    const hex = frames.probe.toString('hex')
    expect(hex.slice(0, 28)).toBe('3333ff010100' + '027700000001' + '86dd')
    expect(hex.slice(28, 44)).toBe('6000000000183aff')
    expect(hex.slice(44, 76)).toBe('0'.repeat(32))
    expect(hex.slice(76, 108)).toBe('ff0200000000000000000001ff010100')
  })

  it('seals every message with the checksum of RFC 4443', () => {
    for (const frame of [frames.probe, ...frames.announcements]) expect(sumOf(frame)).toBe(0xffff)
  })

  it('takes an answer and the probe of somebody else for a conflict, and no ordinary question', () => {
    const other = framesFor(bytesOf('fd00:88::1:100'), hardwareBytes('02:77:00:00:00:02'))
    expect([...other.announcements, other.probe].map((frame) => isConflict(frame, frames.conflicts))).toEqual([
      true,
      true,
    ])
    const question = Buffer.from(other.probe)
    question[30] = 0xfd // Somebody with an address looks for the owner: nothing wrong with that.
    expect(isConflict(question, frames.conflicts)).toBe(false)
  })
})

type Conflicts = ReturnType<typeof framesFor>['conflicts']

function isConflict(frame: Buffer, conflicts: Conflicts): boolean {
  return conflicts.some((list) =>
    list.every(({ offset, bytes }) => frame.subarray(offset, offset + bytes.length).equals(bytes)),
  )
}

/** Adds pseudo-header and message up as a receiver does; a whole message gives all ones. */
function sumOf(frame: Buffer): number {
  const message = frame.subarray(54)
  const rest = Buffer.from([0, 0, 0, message.length, 0, 0, 0, 58])
  const all = Buffer.concat([frame.subarray(22, 54), rest, message])
  let sum = 0
  for (let at = 0; at < all.length; at += 2) sum += all.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}
