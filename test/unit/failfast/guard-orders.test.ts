import { describe, expect, test } from 'vitest'
import { decodeLine, encodeLine, encodeText, LINE_BYTES } from '../../../src/framework/failfast/guard-orders.ts'

const ack = { bootId: 'b', guard: { pid: 1, startTicks: 2 }, state: 'watching' as const, lookedMs: 3.5, sawWrite: 4 }

describe('a line of the guard', () => {
  test('comes back as it was, and has always the same size', () => {
    expect(encodeLine(ack)).toHaveLength(LINE_BYTES)
    expect(decodeLine(encodeLine(ack))).toEqual(ack)
  })

  test('is refused with any byte changed, and with any part missing', () => {
    const line = encodeLine(ack)
    const lengthOfText = line.toString().trimEnd().length
    for (let at = 0; at < lengthOfText; at += 1) {
      const damaged = Buffer.from(line)
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
      expect(decodeLine(damaged), `byte ${at}`).toBeUndefined()
      expect(decodeLine(line.subarray(0, at)), `cut at ${at}`).toBeUndefined()
    }
  })

  test('is refused when half of it is of the one before', () => {
    const before = encodeLine({ ...ack, sawWrite: 99_999, lookedMs: 1_234_567.25 })
    const torn = Buffer.concat([encodeLine(ack).subarray(0, 60), before.subarray(60)])
    expect(decodeLine(torn)).toBeUndefined()
  })

  test('keeps its size with a reason of any length', () => {
    const orders = { ...ack, fire: `${'ü\u0000"\\'.repeat(500)}` }
    const read = decodeLine<{ fire: string }>(encodeLine(orders as never))
    expect(read?.fire).toHaveLength(200)
  })

  test('of any length comes back too', () => {
    const holding = { name: 'ü'.repeat(3000) }
    expect(decodeLine(encodeText(holding))).toEqual(holding)
  })
})
