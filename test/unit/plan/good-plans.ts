import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import type { Cause, Plan } from '../../../src/framework/model/reconfiguration.ts'
import { causeOf } from '../../scenarios/runner/causes.ts'
import { execute, newScene } from '../../scenarios/runner/replay.ts'
import { decide, type Scene } from '../../scenarios/runner/scene.ts'

/** A plan with nothing wrong, beside the state that it was made from. */
export interface GoodPlan {
  readonly before: ClusterState
  readonly made: Plan
}

const cluster = `cluster
hosts h1 h2 h3
logical ha1: h1 h2 h3, dg1 dg2, 10.0.0.11 10.0.0.12
logical ha2: h3 h2, dg3, 10.0.0.13
service web: ha1, basic net abort monitor, after pg
service pg: ha1, basic net abort
service nfs: ha1 ha2, basic
service job: ha1, basic net monitor, off
up h1 h2 h3`.split('\n')

function sceneOf(...commands: readonly string[]): Scene {
  const scene = newScene()
  execute(scene, cluster)
  for (const command of commands) {
    const [, line] = command.split('configure ')
    execute(scene, line === undefined ? [command] : ['configure', line])
  }
  return scene
}

function planFor(scene: Scene, cause: Cause | undefined): GoodPlan {
  const before = scene.state
  const decision = cause === undefined ? undefined : decide(scene, cause)
  if (decision?.kind !== 'planned') throw new Error('no plan was made')
  return { before, made: decision.plan }
}

/** Plans `ask` after the commands. */
function planAfter(commands: readonly string[], ask: string): GoodPlan {
  return planFor(sceneOf(...commands), causeOf(ask.split(' ')))
}

/** The list of ha1 has just grown by h3, at revision 4. */
function grown(): Scene {
  const scene = newScene()
  execute(
    scene,
    cluster.map((line) => line.replace('ha1: h1 h2 h3', 'ha1: h1 h2')),
  )
  execute(scene, ['configure', cluster[2] ?? ''])
  return scene
}

/** The addresses of ha1 are on backup groups. */
const grouped: readonly string[] = [
  'configure group nafo0: h1 h2 h3, eth1 eth2',
  'configure logical ha1: h1 h2 h3, dg1 dg2, 10.0.0.11%nafo0 10.0.0.12%nafo0',
]

/** One good plan of each sort, to be spoiled in one place. */
export const goodPlans = {
  switchover: () => planAfter([], 'switchover h2 ha1'),
  takeover: () => planAfter([], 'lose h1'),
  unawareLoss: () => planFor(grown(), causeOf('lose h1 seen 2'.split(' '))),
  settled: () => planAfter(['lose h1 h2 h3', 'join h2'], 'lose h2'),
  maintenance: () => planAfter([], 'maintenance ha1'),
  outOfMaintenance: () => planAfter(['maintenance ha1', 'run'], 'switchover h2 ha1'),
  lossInMaintenance: () => planAfter(['leave-remains h1 ha1', 'maintenance ha1', 'run'], 'lose h1'),
  on: () => planAfter([], 'on job'),
  off: () => planAfter([], 'off web'),
  leave: () => planAfter([], 'stopnode h1'),
  left: () => planAfter(['maintenance ha1', 'run', 'stopnode h1'], 'left h1'),
  join: () => planAfter(['lose h1', 'run'], 'join h1'),
  secondLoss: () => planAfter(['lose h1', 'run 1'], 'lose h2'),
  interfaceFailed: () =>
    planAfter(
      [...grouped, 'see h1 nafo0 failed', 'see h2 nafo0 ok', 'see h3 nafo0 failed'],
      'interface-failed h1 nafo0',
    ),
  clear: () => planAfter(['leave-remains h1 ha1', 'switchover h2 ha1', 'run'], 'clear ha1'),
} as const satisfies Readonly<Record<string, () => GoodPlan>>
