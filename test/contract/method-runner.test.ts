import { describe } from 'vitest'
import { findCgroupHome } from '../../src/methods/cgroup.ts'
import { describeMethodRunner } from './method-runner.contract.ts'
import { makeRealHarness } from './method-runner-processes.ts'
import { describeRealMethodRunner } from './method-runner-real.ts'

const hasCgroups = findCgroupHome('test:none') !== undefined

for (const findBy of ['cgroups-and-tags', 'tags'] as const) {
  describe.skipIf(findBy === 'cgroups-and-tags' && !hasCgroups)(findBy, () => {
    describeMethodRunner(`real, ${findBy}`, () => makeRealHarness(findBy))
    describeRealMethodRunner(`real, ${findBy}`, () => makeRealHarness(findBy))
  })
}
