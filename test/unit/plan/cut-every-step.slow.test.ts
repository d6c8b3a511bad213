import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PhysicalHostName } from '../../../src/framework/model/names.ts'
import { causeOf } from '../../scenarios/runner/causes.ts'
import { askFor } from '../../scenarios/runner/commands/cause.ts'
import { run } from '../../scenarios/runner/commands/run.ts'
import { replay } from '../../scenarios/runner/replay.ts'
import { copyScene, type Scene } from '../../scenarios/runner/scene.ts'
import { dueOn, forgetCursors } from '../../scenarios/runner/walk.ts'

const folder = join(import.meta.dirname, '../../scenarios')
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))

/** What may happen to a cluster at any moment; the scene has to come to a legal rest after each. */
const interruptions: readonly { readonly name: string; readonly of: (scene: Scene, host: PhysicalHostName) => void }[] =
  [
    { name: 'begins again', of: (scene, host) => forgetCursors(scene, host) },
    { name: 'is lost', of: (scene, host) => lose(scene, host) },
    {
      name: 'is lost and comes back',
      of: (scene, host) => {
        lose(scene, host)
        run(scene, [])
        ask(scene, scene.state.members.size === 0 ? 'start' : 'join', host)
      },
    },
    {
      name: 'is restarted and joins at once',
      of: (scene, host) => {
        ask(scene, 'lose', host, 'restarted')
        ask(scene, scene.state.members.size === 0 ? 'start' : 'join', host)
      },
    },
  ]

function ask(scene: Scene, ...words: readonly string[]): void {
  const cause = causeOf(words)
  if (cause !== undefined) askFor(scene, cause)
}

function lose(scene: Scene, host: PhysicalHostName): void {
  ask(scene, 'lose', host)
}

/** Interrupts a scene before each of its steps, in every way and on every host, and lists what then went wrong. */
function cutEverywhere(start: Scene): readonly string[] {
  const wrong: string[] = []
  const scene = copyScene(start)
  for (let steps = 0; ; steps += 1) {
    wrong.push(...interruptEach(scene, `after ${steps} steps`))
    if (!canGoOn(scene)) return wrong
    run(scene, ['1'])
  }
}

function canGoOn(scene: Scene): boolean {
  return [...scene.state.members.keys()].some((host) => dueOn(scene, host).length > 0)
}

function interruptEach(scene: Scene, when: string): readonly string[] {
  return [...scene.state.members.keys()].flatMap((host) =>
    interruptions.flatMap(({ name, of }) => {
      const cut = copyScene(scene)
      const known = cut.faults.length
      of(cut, host)
      run(cut, [])
      return [...cut.faults.slice(known), ...cut.world.violations].map((fault) => `${when}, ${host} ${name}: ${fault}`)
    }),
  )
}

/** Commands after which something may be under way. The runs between them are what is cut. */
const quiet = new Set(['cluster', 'run', 'show', 'plan', 'wait'])

describe('a plan that is cut after any step ends well', () => {
  it.each(files)('%s', (name) => {
    const wrong: string[] = []
    replay(readFileSync(join(folder, name), 'utf8'), (scene, command) => {
      if (quiet.has(command.split(' ')[0] ?? '') || !canGoOn(scene)) return
      wrong.push(...cutEverywhere(scene).map((text) => `${command}, ${text}`))
    })
    expect(wrong).toEqual([])
  })
})
