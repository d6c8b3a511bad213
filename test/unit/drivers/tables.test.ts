import { describe, expect, it } from 'vitest'
import { parseAdapters } from '../../../src/framework/drivers/address/address-table.ts'
import { deviceName, isWithin, mountAt, parseMount, unmountOrder } from '../../../src/framework/drivers/mount-table.ts'

const lines = [
  '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard',
  '40 27 7:3 / /ha1 rw - ext4 /dev/loop3 ro,errors=remount-ro',
  '41 40 7:4 / /ha1/with\\040blank rw master:2 propagate_from:3 - xfs /dev/loop4 rw',
  '42 27 0:50 / /other rw - tmpfs tmpfs rw',
  '43 27 0:51 / /ha1 rw - tmpfs tmpfs rw',
]
const mounts = lines.flatMap((line) => parseMount(line) ?? [])

describe('the mount table', () => {
  it('reads lines with any number of optional fields', () => {
    expect(mounts.map(({ device, type, source }) => [device, type, source])).toEqual([
      ['254:0', 'ext4', '/dev/vda'],
      ['7:3', 'ext4', '/dev/loop3'],
      ['7:4', 'xfs', '/dev/loop4'],
      ['0:50', 'tmpfs', 'tmpfs'],
      ['0:51', 'tmpfs', 'tmpfs'],
    ])
    expect(mounts[2]?.mountPoint).toBe('/ha1/with blank')
    expect(mounts.map(({ isReadOnly }) => isReadOnly)).toEqual([false, true, false, false, false])
    expect(parseMount('')).toBeUndefined()
  })

  it('sees what was mounted last', () => {
    expect(mountAt(mounts, '/ha1')?.device).toBe('0:51')
    expect(mountAt(mounts, '/nowhere')).toBeUndefined()
  })

  it('unmounts what lies on something before that', () => {
    const order = unmountOrder(mounts.filter(({ mountPoint }) => mountPoint.startsWith('/ha1')))
    expect(order.map(({ device }) => device)).toEqual(['7:4', '0:51', '7:3'])
  })
})

describe('paths and device numbers', () => {
  it('tells what is below a directory', () => {
    expect(isWithin('/ha1', '/ha1')).toBe(true)
    expect(isWithin('/ha1/x', '/ha1')).toBe(true)
    expect(isWithin('/ha10', '/ha1')).toBe(false)
    expect(isWithin('/x', '/')).toBe(true)
  })

  it('writes device numbers like the kernel', () => {
    expect(deviceName(0x703)).toBe('7:3')
    expect(deviceName(0xfe00)).toBe('254:0')
    expect(deviceName(0x100703)).toBe('7:259')
  })
})

describe('the table of adapters', () => {
  it('reads what ip prints, and leaves out what it does not know', () => {
    const text = JSON.stringify([
      {},
      {
        ifname: 'eth0',
        ifindex: 2,
        flags: ['UP'],
        link_type: 'ether',
        address: '02:00:00:00:00:01',
        addr_info: [
          { family: 'inet', local: '10.0.0.1', prefixlen: 24, secondary: true },
          { family: 'inet6', local: 'fd00::1', prefixlen: 64, dadfailed: true },
          { family: 'mpls' },
        ],
      },
      { ifname: 'tun0', ifindex: 3 },
    ])
    expect(parseAdapters(text)).toEqual([
      {
        name: 'eth0',
        index: 2,
        linkType: 'ether',
        hardware: '02:00:00:00:00:01',
        flags: ['UP'],
        addresses: [
          { key: '0a000001', text: '10.0.0.1', prefixLength: 24, isSecondary: true, isDuplicate: false },
          {
            key: 'fd000000000000000000000000000001',
            text: 'fd00::1',
            prefixLength: 64,
            isSecondary: false,
            isDuplicate: true,
          },
        ],
      },
      { name: 'tun0', index: 3, linkType: '', hardware: '', flags: [], addresses: [] },
    ])
    expect(parseAdapters('')).toEqual([])
  })
})
