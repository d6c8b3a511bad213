import { causeOf } from './causes.ts'
import { emptyState, words } from './cluster-lines.ts'
import { askFor, preview } from './commands/cause.ts'
import { configure } from './commands/cluster.ts'
import { armFault, crash, heal, restartClustd, setRemains } from './commands/faults.ts'
import { networks, see } from './commands/networks.ts'
import { run } from './commands/run.ts'
import { printState, wrap } from './print.ts'
import type { Scene } from './scene.ts'
import { parseScript, renderScript } from './script.ts'
import { emptyWorld } from './world.ts'

/** What a scenario did. */
export interface Replayed {
  /** The scenario with its outcomes made anew. */
  readonly text: string
  /** Fatal notes about plans, and laws that the imaginary world saw broken. */
  readonly faults: readonly string[]
}

/** Begins a scene: no configuration, no hosts. */
export function newScene(): Scene {
  return {
    state: emptyState(),
    world: emptyWorld(),
    reconfigurations: new Map(),
    done: new Set(),
    cursors: new Map(),
    served: new Map(),
    nowWallMs: 1_000_000,
    faults: [],
  }
}

/** Runs a scenario from its beginning. `observe` is told the scene after each command. */
export function replay(script: string, observe: (scene: Scene, command: string) => void = () => undefined): Replayed {
  const { blocks, tail } = parseScript(script)
  const scene = newScene()
  const done = blocks.map((block) => {
    const known = scene.faults.length
    const outcome = execute(scene, block.command)
    scene.faults.push(...scene.world.violations.splice(0))
    observe(scene, block.command[0] ?? '')
    const fresh = scene.faults.slice(known).flatMap((fault) => wrap(`FATAL ${fault}`))
    return { block, outcome: [...outcome, ...fresh] }
  })
  return { text: renderScript(done, tail), faults: scene.faults }
}

/** Does one command. Every one lets a second pass. */
export function execute(scene: Scene, command: readonly string[]): readonly string[] {
  scene.nowWallMs += 1000
  const [name = '', ...rest] = words(command[0] ?? '')
  switch (name) {
    case 'cluster':
    case 'configure':
      return configure(scene, command)
    case 'run':
      return run(scene, rest)
    case 'networks':
      return networks(scene)
    case 'show':
      return printState(scene.state)
    case 'wait':
      scene.nowWallMs += Number(rest[0]) * 1000
      return []
    case 'plan': {
      const cause = causeOf(rest)
      if (cause === undefined) throw new Error(`nothing to plan for: ${command[0]}`)
      return preview(scene, cause)
    }
    default:
      return executeOther(scene, name, rest)
  }
}

function executeOther(scene: Scene, name: string, rest: readonly string[]): readonly string[] {
  const fault = faults[name]
  if (fault !== undefined) {
    fault(scene, rest)
    return []
  }
  const cause = causeOf([name, ...rest])
  if (cause === undefined) throw new Error(`no such command: ${name}`)
  return askFor(scene, cause)
}

/** Commands that break or mend the world; they print nothing. */
const faults: Readonly<Record<string, (scene: Scene, words: readonly string[]) => void>> = {
  fail: (scene, rest) => armFault(scene, 'failed', rest),
  hang: (scene, rest) => armFault(scene, 'timed-out', rest),
  heal,
  see,
  'leave-remains': (scene, rest) => setRemains(scene, true, rest),
  'remove-remains': (scene, rest) => setRemains(scene, false, rest),
  crash,
  'restart-clustd': restartClustd,
}
