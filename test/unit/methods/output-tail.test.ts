import { describe, expect, it } from 'vitest'
import { outputTail } from '../../../src/methods/output-tail.ts'

const tail = (text: string | Uint8Array, isCut = false): readonly string[] =>
  outputTail(typeof text === 'string' ? new TextEncoder().encode(text) : text, isCut)

describe('the tail of an output', () => {
  it.each([
    ['nothing', '', []],
    ['empty lines only', '\n\n\n', []],
    ['a line without an end', 'a', ['a']],
    ['empty lines in between, none at the end', 'a\n\nb\n\n', ['a', '', 'b']],
    ['lines of other systems and progress bars', 'a\r\nb\r10 %\r20 %\n', ['a', 'b', '10 %', '20 %']],
    ['colours and titles', '\u001b[1;31mred\u001b[0m \u001b]0;title\u0007end\n', ['red end']],
    ['control characters', 'a\u0000b\u0007c\td\n', ['a\uFFFDb\uFFFDc\td']],
    ['text of many bytes', 'Größe 日本 😀\n', ['Größe 日本 😀']],
  ])('keeps of %s what can be shown', (_, text, lines) => {
    expect(tail(text)).toEqual(lines)
  })

  it('keeps ten lines of 200 characters, and cuts none of them in two', () => {
    expect(tail(Array.from({ length: 30 }, (_, n) => `${n}`).join('\n'))).toHaveLength(10)
    expect(tail('x'.repeat(200))).toEqual(['x'.repeat(200)])
    expect(tail('x'.repeat(201))).toEqual([`${'x'.repeat(199)}…`])
    expect(tail('😀'.repeat(300))).toEqual([`${'😀'.repeat(199)}…`])
  })

  it('marks a first line whose beginning is not there', () => {
    const bytes = new TextEncoder().encode('日本\nnext\n').subarray(1)
    expect(tail(bytes, true)).toEqual(['…本', 'next'])
  })
})
