import { expect, it } from 'vitest'
import { SilenceWatches } from '../../../src/framework/drivers/network/heartbeat-watches.ts'

interface Line {
  heardMs: number
}

it('tells once of a silence and once of its end, for each length of it', () => {
  const watches = new SilenceWatches<Line>()
  const line: Line = { heardMs: 1_000 }
  watches.add(0, 100)
  watches.add(1, 300)
  expect(watches.heard(line)).toEqual([0, 1])
  expect(watches.heard(line)).toEqual([])
  expect(watches.nextMs(0)).toBe(1_100)
  expect(watches.judge(1_099, 0)).toEqual([])
  expect(watches.judge(1_100, 0)).toEqual([0])
  expect(watches.judge(1_200, 0)).toEqual([])
  expect(watches.nextMs(0)).toBe(1_300)
  line.heardMs = 1_250
  expect(watches.heard(line)).toEqual([0])
  expect(watches.judge(1_400, 0)).toEqual([0])
  expect(watches.judge(1_550, 0)).toEqual([1])
  expect(watches.nextMs(0)).toBe(Number.POSITIVE_INFINITY)
})

it('does not take its own absence for silence', () => {
  const watches = new SilenceWatches<Line>()
  watches.add(0, 100)
  const line: Line = { heardMs: 1_000 }
  watches.heard(line)
  expect(watches.judge(3_000, 2_950)).toEqual([])
  expect(watches.nextMs(2_950)).toBe(3_050)
  expect(watches.judge(3_050, 2_950)).toEqual([0])
})

it('tells that a line is gone only to who heard it, and nothing of a watch that ended', () => {
  const watches = new SilenceWatches<Line>()
  const [one, other]: [Line, Line] = [{ heardMs: 1 }, { heardMs: 1 }]
  watches.add(0, 100)
  watches.add(1, 100)
  watches.heard(one)
  watches.remove(1)
  expect(watches.keep(new Set([one, other]))).toEqual([])
  expect(watches.keep(new Set([other]))).toEqual([0])
  expect(watches.keep(new Set())).toEqual([])
})
