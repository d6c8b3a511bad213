import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  clusterId,
  type Datagram,
  isAuthentic,
  keyOfDirection,
  NUMBER_MAX,
  PAYLOAD_BYTES_MAX,
  peek,
  seal,
} from '../../../src/framework/drivers/network/heartbeat-datagram.ts'

const demo = clusterId('demo')
const secret = new Uint8Array(32).fill(7)
const direction = { cluster: 'demo', from: 'alpha', to: 'beta', network: 'priv1' }
const key = keyOfDirection(secret, direction)

const number = fc.integer({ min: 0, max: NUMBER_MAX - 1 })
const datagrams: fc.Arbitrary<Datagram> = fc.record({
  kind: fc.constantFrom('heartbeat', 'message'),
  session: number,
  counter: number,
  challenge: number,
  echo: number,
  payload: fc.uint8Array({ maxLength: PAYLOAD_BYTES_MAX }),
})

const beat: Datagram = { kind: 'heartbeat', session: 1, counter: 2, challenge: 3, echo: 4, payload: new Uint8Array() }

describe('a datagram', () => {
  it('says after its way what it said before', () => {
    fc.assert(
      fc.property(datagrams, (datagram) => {
        const bytes = seal(key, demo, datagram)
        const read = peek(bytes, demo)
        expect(typeof read === 'string' ? read : { ...read, payload: new Uint8Array(read.payload) }).toEqual(datagram)
        return isAuthentic(key, bytes)
      }),
    )
  })

  it('fits into one frame of Ethernet', () => {
    expect(seal(key, demo, { ...beat, payload: new Uint8Array(PAYLOAD_BYTES_MAX) }).length).toBeLessThan(1_452)
    expect(seal(key, demo, beat).length).toBe(54)
  })

  it('is no longer authentic when any one bit of it is another', () => {
    const bytes = seal(key, demo, { ...beat, kind: 'message', payload: new Uint8Array([1, 2, 3]) })
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(typeof peek(changed, demo) === 'string' || !isAuthentic(key, changed)).toBe(true)
    }
  })

  it('is authentic in one direction, on one network, in one cluster only', () => {
    const bytes = seal(key, demo, beat)
    const others = [
      { ...direction, from: 'beta', to: 'alpha' },
      { ...direction, to: 'gamma' },
      { ...direction, network: 'priv2' },
      { ...direction, cluster: 'prod' },
    ]
    for (const other of others) expect(isAuthentic(keyOfDirection(secret, other), bytes)).toBe(false)
    expect(isAuthentic(keyOfDirection(new Uint8Array(32), direction), bytes)).toBe(false)
    expect(isAuthentic(keyOfDirection(secret, direction), bytes)).toBe(true)
  })

  it('is told from garbage of any length, from another version and from another cluster', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => peek(Buffer.from(bytes), demo) === 'garbage'))
    const bytes = seal(key, demo, beat)
    expect(peek(bytes, clusterId('prod'))).toBe('other-cluster')
    expect(peek(Buffer.concat([bytes, Buffer.alloc(1)]), demo)).toBe('garbage')
    expect(peek(bytes.subarray(0, -1), demo)).toBe('garbage')
    expect(peek(Buffer.from(bytes).fill(2, 2, 3), demo)).toBe('other-version')
    expect(peek(Buffer.from(bytes).fill(9, 3, 4), demo)).toBe('garbage')
  })
})
