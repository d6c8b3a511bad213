import type { Cause } from '../../../../src/framework/model/reconfiguration.ts'
import { printDecision, printHalves } from '../print.ts'
import { decide, type Scene, submit } from '../scene.ts'
import { forgetCursors } from '../walk.ts'
import { bootHost, killHost } from '../world.ts'

/** Everything that a cluster is asked or told: plans, has the plan checked, commits, prints number, cause and sentences. */
export function askFor(scene: Scene, cause: Cause): readonly string[] {
  changeWorld(scene, cause)
  return printDecision(submit(scene, cause))
}

/** `plan ...`: prints the whole plan of another command without doing it. */
export function preview(scene: Scene, cause: Cause): readonly string[] {
  const decision = decide(scene, cause)
  return [...printDecision(decision), ...(decision.kind === 'planned' ? printHalves(decision.plan) : [])]
}

/** A host that joins was booted; one that is lost is dead. */
function changeWorld({ world, state, ...scene }: Scene, cause: Cause): void {
  if ((cause.kind === 'host-joined' || cause.kind === 'cluster-started') && !state.members.has(cause.host)) {
    if (!world.hosts.has(cause.host)) bootHost(world, cause.host)
    forgetCursors({ ...scene, world, state }, cause.host)
  }
  if (cause.kind === 'hosts-lost')
    for (const { host } of cause.hosts) {
      killHost(world, host)
      forgetCursors({ ...scene, world, state }, host)
    }
}
