import { parseName } from '../../../../src/framework/model/names.ts'
import type { GroupSight } from '../../../../src/framework/model/network.ts'
import { describeCutOff, nextInterfaceFailure } from '../../../../src/framework/plan/planner.ts'
import { wrap } from '../print.ts'
import type { Scene } from '../scene.ts'
import { askFor } from './cause.ts'

const states: readonly GroupSight['state'][] = ['ok', 'doubtful', 'failed', 'network-down']

/** `see h1 nafo0 failed`: what a host says of its group from now on. */
export function see(scene: Scene, [hostText = '', group = '', text]: readonly string[]): void {
  const host = parseName('physicalHost', hostText)
  const state = states.find((known) => known === text)
  const configured = scene.state.physicalHosts.get(host)?.backupGroups.find(({ name }) => name === group)
  if (state === undefined || configured === undefined) throw new Error(`what is '${hostText} ${group} ${text}'?`)
  const [active = ''] = configured.adapters
  const sight: GroupSight = { name: group, active, state, faulty: state === 'failed' ? configured.adapters : [] }
  const known = scene.state.sights.get(host)
  const groups = [...(known?.groups ?? []).filter(({ name }) => name !== group), sight]
  const incarnation = scene.state.members.get(host)?.incarnation ?? 0
  const sights = new Map([...scene.state.sights, [host, { host, incarnation, interfaces: [], groups }] as const])
  scene.state = { ...scene.state, sights }
}

/** `networks`: what follows by itself from what the hosts see. */
export function networks(scene: Scene): readonly string[] {
  const facts = { nowWallMs: scene.nowWallMs }
  const cause = nextInterfaceFailure(scene.state, facts)
  const staying = describeCutOff(scene.state, facts).flatMap((line) => wrap(line))
  return cause === undefined ? ['nothing to do', ...staying] : [...askFor(scene, cause), ...staying]
}
