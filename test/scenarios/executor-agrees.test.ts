import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { executeHalf, type HalfContext } from '../../src/framework/execute/execute-half.ts'
import type { Hands, HandsOutcome } from '../../src/framework/execute/hands.ts'
import type { PhysicalHostName } from '../../src/framework/model/names.ts'
import type { Action } from '../../src/framework/model/step.ts'
import type { HalfOutcome } from '../../src/framework/model/timeline.ts'
import type { Due } from '../../src/framework/plan/due-halves.ts'
import type { Effects } from '../../src/framework/ports/effects.ts'
import { handsBy } from '../unit/execute/hands-by.ts'
import { replay } from './runner/replay.ts'
import { copyScene, type Scene, servedOn } from './runner/scene.ts'
import { dueOn, walk } from './runner/walk.ts'
import { perform } from './runner/world.ts'

const folder = import.meta.dirname
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))

/** How a half went, whoever walked it. */
interface Went {
  readonly steps: readonly { readonly action: Action; readonly lists: unknown; readonly outcome: string }[]
  readonly outcome: HalfOutcome['kind']
}

/** Time stands still: no step of an imaginary world takes any. */
const effects: Effects = {
  nowMonotonicMs: () => 0,
  nowBootMs: () => 0,
  nowWallMs: () => 0,
  random: () => 0,
  sleep: (_ms, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
    }),
}

function handsOf(scene: Scene, host: PhysicalHostName): Hands {
  const act = async (
    action: Action,
    call: { readonly logicalHost: Due['half']['logicalHost'] },
  ): Promise<HandsOutcome> => {
    const { state, world } = scene
    const { outcome, message, leftovers } = perform(world, { state, host, logicalHost: call.logicalHost }, action)
    if (outcome === 'failed') return { kind: 'failed', message, leftovers, output: [] }
    return outcome === 'done' ? { kind: 'done', output: [] } : { kind: 'timed-out', message, output: [] }
  }
  return handsBy(act)
}

async function byExecutor(scene: Scene, host: PhysicalHostName, due: Due): Promise<Went> {
  const context: HalfContext = {
    effects,
    incarnation: 1,
    served: servedOn(scene, host),
    permit: async () => ({ kind: 'allowed' }),
    state: () => scene.state,
    diskGroup: () => undefined,
    lock: async () => () => undefined,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  }
  const { steps, outcome } = await executeHalf(due, handsOf(scene, host), context)
  const ran = steps.filter((step) => step.outcome !== 'skipped')
  return {
    steps: ran.map(({ action, lists, outcome: how }) => ({ action, lists, outcome: how })),
    outcome: outcome.kind,
  }
}

function byScenario(scene: Scene, host: PhysicalHostName, due: Due): Went {
  const steps: Went['steps'][number][] = []
  for (;;) {
    const { report, ended } = walk(scene, host, due)
    const runs = report === undefined ? [] : [report, ...report.ladder]
    steps.push(...runs.map(({ step, lists, result }) => ({ action: step.action, lists, outcome: result.outcome })))
    if (ended !== undefined) return { steps, outcome: ended.outcome.kind }
  }
}

/** Both walk every half that is due, each in its own copy of the scene from the first step. */
async function compare(scene: Scene): Promise<readonly (readonly [Went, Went])[]> {
  const start = copyScene(scene)
  start.cursors.clear()
  const works = [...start.state.members.keys()].flatMap((host) => dueOn(start, host).map((due) => ({ host, due })))
  return Promise.all(
    works.map(async ({ host, due }) => {
      const ours = byScenario(copyScene(start), host, due)
      return [await byExecutor(copyScene(start), host, due), ours] as const
    }),
  )
}

// The scenarios walk halves with a loop of their own, because a scene in the middle of a half is copied and cut. This is the proof that it walks as
// the executor does.
describe('the executor goes the way of the scenarios', () => {
  it.each(files)('%s', async (name) => {
    const scenes: Scene[] = []
    replay(readFileSync(join(folder, name), 'utf8'), (scene) => scenes.push(copyScene(scene)))
    for (const scene of scenes) {
      for (const [executor, ours] of await compare(scene)) expect(executor).toEqual(ours)
    }
  })
})
