import { describe, expect, it } from 'vitest'
import type { ClusterState } from '../../../src/framework/model/cluster-state.ts'
import { explain } from '../../../src/framework/plan/explain.ts'
import { execute, newScene } from '../../scenarios/runner/replay.ts'
import { alpha, beta, demo, ha1, withMastery } from '../configure/fixture.ts'

/** Two hosts with a backup group each, and ha1 on it. */
const grouped = `cluster
hosts h1 h2
group nafo0: h1 h2, eth1 eth2
logical ha1: h1 h2, dg1, 10.0.0.11%nafo0
up h1 h2`.split('\n')

function sceneAfter(...commands: readonly string[]): ClusterState {
  const scene = newScene()
  execute(scene, grouped)
  for (const command of commands) execute(scene, [command])
  return scene.state
}

describe('explain', () => {
  it('says that a host whose group has failed cannot take it on, and what an operator may do', () => {
    const well = explain(sceneAfter(), ha1)
    expect(well.notThere).toMatchObject([{ host: 'h2', isAble: true }])
    expect(well.wouldMove).toContain('An operator: haswitch HOST ha1.')

    const failed = explain(sceneAfter('see h2 nafo0 failed'), ha1)
    expect(failed.notThere).toMatchObject([
      { host: 'h2', isAble: false, why: 'nafo0 has failed on h2, so its addresses would not work there.' },
    ])
    expect(failed.wouldMove).toEqual([expect.stringContaining('no other possible master could take it on')])
  })

  it('does not promise what waits for an operator', () => {
    const whyOf = (why: 'new' | 'maintenance' | 'too-many-takeovers' | 'cannot-be-taken-on'): readonly string[] =>
      explain(withMastery({ kind: 'unmastered', why, uncleanOn: [] }), ha1).notThere.map(({ why: said }) => said)
    expect(whyOf('new')).toContain('it will be taken on in a moment.')
    expect(whyOf('maintenance')).toContain('it is in maintenance.')
    for (const why of ['too-many-takeovers', 'cannot-be-taken-on'] as const)
      expect(whyOf(why)).toContain('it waits for an operator: haswitch, or scadmin clear ha1.')
  })

  it('says of a preferred host that is there that only joining again brings it back', () => {
    const { wouldMove } = explain(withMastery({ kind: 'mastered', by: beta }), ha1)
    expect(wouldMove).toContain('alpha leaves and joins again: it switches back there.')
    const members = new Map([...demo.members].filter(([name]) => name !== alpha))
    const away = explain({ ...withMastery({ kind: 'mastered', by: beta }), members }, ha1)
    expect(away.wouldMove).toContain('alpha joins: it switches back there.')
  })
})
