import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { CliWorld, keepText } from './cli-world.ts'

let world: CliWorld
beforeEach(async () => {
  world = await CliWorld.make()
})
afterEach(() => world.close())

/** Plays what was written on a terminal; returns every screen that was there after a redraw, and the last one. */
function play(text: string): { readonly screens: readonly string[]; readonly last: string } {
  let lines: string[] = []
  const screens: string[] = []
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what moves the cursor.
  for (const [piece] of text.matchAll(/\u001b\[(\d+)A\u001b\[0J|[^\n\u001b]*\n/g)) {
    const up = /\[(\d+)A/.exec(piece)?.[1]
    if (up === undefined) lines.push(piece.slice(0, -1))
    else {
      screens.push(lines.join('\n'))
      lines = lines.slice(0, lines.length - Number(up))
    }
  }
  return { screens, last: lines.join('\n') }
}

describe('on a terminal', () => {
  const terminal = () => ({ stdout: keepText(true), environment: { TERM: 'xterm' } })

  it('what runs is redrawn with its time and limit, and only what happened stays', async () => {
    await world.run('hareg -r web -m STOP=/opt/stop -h ha1')
    await world.run('hareg -y web')
    const effects = world.api.clock.effects()
    world.api.answer = (_, action) =>
      action.kind === 'method' && action.method === 'STOP'
        ? effects.sleep(2_000).then(() => ({ kind: 'done', output: [] }))
        : undefined
    const { exitCode, out } = await world.run('haswitch beta ha1', terminal())
    expect(exitCode).toBe(0)
    const { screens, last } = play(out)
    expect(screens.some((screen) => /^. ha1: alpha: STOP web \(step \d of \d\) {2}.* of 60 s$/m.test(screen))).toBe(
      true,
    )
    expect(last.split('\n').map((line) => line.replace(/[\d.]+ m?s/g, 'T').replace(/\d+/g, 'N'))).toEqual([
      'Reconfiguration N: switchover of haN to beta, asked by anna',
      '  haN: moves from alpha to beta, as asked',
      '  haN: alpha gave it up in T',
      '  haN: beta took it on in T',
      'haN is mastered by beta (reconfiguration N, T).',
    ])
  })

  it('hastat -i draws over the last page', async () => {
    const shown = terminal()
    const pages = (): readonly string[] => shown.stdout.text().split('\u001b[H\u001b[2J').slice(1)
    const ran = world.run('hastat -i 1', shown)
    await eventually('three pages', 20_000, () => (pages().length >= 3 ? true : undefined))
    expect(world.interrupt()).toBe(true)
    expect((await ran).exitCode).toBe(0)
    for (const page of pages()) expect(page.split('\n')[1]).toBe('All well.')
  })
})
