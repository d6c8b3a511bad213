import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { type ClusterRig, type ClusterRigPlan, startClusterRig } from './cluster-rig.ts'
import { type Expected, expectWhole, lastReconfiguration, type Whole } from './expect-whole.ts'
import { lookAtHost } from './host-view.ts'
import type { LabHost } from './lab-host.ts'
import { missing } from './missing.ts'
import { storyOf } from './story.ts'

/** What a test of a story works with. The rig is there while tests run, with all hosts up and every guest at home at the beginning of each. */
export interface Story {
  rig(): ClusterRig
  host(name: 'h1' | 'h2' | 'h3'): LabHost
  /**
   * Expects that all is well in the end: each guest where it is said, nothing twice by what was answered and by what was written, no row lost, and
   * reconfigurations with these causes, in order, since the test began (or since it last asked).
   */
  whole(
    masters: Readonly<Record<string, string>>,
    causes: readonly string[],
    failed?: readonly string[],
  ): Promise<Whole>
  /**
   * Expects the same after what nobody can tell beforehand in detail: each guest is where it is said at last, and every reconfiguration has one of these causes,
   * says so in these words, and has ended well or was taken over from by a later one.
   */
  wholeAfter(masters: Readonly<Record<string, string>>, causes: Readonly<Record<string, RegExp>>): Promise<Whole>
  /** Does something, and expects that nothing was moved, started, stopped or called for it; `causes`: of reconfigurations that touch nobody. */
  nothingMoves(deed: () => Promise<void>, causes?: readonly string[]): Promise<void>
  /** Says something to people at the end, among the outages. */
  tell(line: string): void
}

/** Tells a story of three hosts on an etcd: `tests` declares its tests. */
export function describeCluster(title: string, plan: ClusterRigPlan, tests: (story: Story) => void): void {
  const why = missing === undefined ? '' : ` (skipped: ${missing})`
  describe.skipIf(missing !== undefined)(`${title}${why}`, () => {
    const told = new StoryTeller()
    beforeAll(async () => {
      told.rigOrNone = await startClusterRig(plan)
    })
    beforeEach(async ({ onTestFailed }) => {
      onTestFailed(() => console.log(storyOf(told.rig().lab)))
      await told.begin()
    })
    afterAll(async () => {
      await told.rigOrNone?.stop()
      console.log(`outages that the client saw, ${title}:\n${told.outages.join('\n')}`)
    })
    tests(told)
  })
}

class StoryTeller implements Story {
  rigOrNone: ClusterRig | undefined
  readonly outages: string[] = []
  #after = 0

  rig(): ClusterRig {
    if (this.rigOrNone === undefined) throw new Error('the rig is there when tests run')
    return this.rigOrNone
  }

  host(name: 'h1' | 'h2' | 'h3'): LabHost {
    return this.rig().lab.host(name)
  }

  tell(line: string): void {
    this.outages.push(`  ${line}: ${expect.getState().currentTestName}`)
  }

  async begin(): Promise<void> {
    this.#after = await this.rig().begin()
  }

  async whole(
    masters: Readonly<Record<string, string>>,
    causes: readonly string[],
    failed: readonly string[] = [],
  ): Promise<Whole> {
    const seen = await this.#whole(masters, { failed })
    expect(seen.timelines.map(({ cause }) => cause.kind)).toEqual(causes)
    return seen
  }

  async wholeAfter(
    masters: Readonly<Record<string, string>>,
    causes: Readonly<Record<string, RegExp>>,
  ): Promise<Whole> {
    const seen = await this.#whole(masters, { mayBeSuperseded: true })
    const strange = seen.timelines
      .map(({ cause }) => cause)
      .filter(({ kind, sentence }) => causes[kind]?.test(sentence) !== true)
    expect(strange, 'causes that the deed does not explain').toEqual([])
    return seen
  }

  async #whole(
    masters: Readonly<Record<string, string>>,
    halves: Pick<Expected, 'failed' | 'mayBeSuperseded'>,
  ): Promise<Whole> {
    const { lab, guests, writer, violations } = this.rig()
    const seen = await expectWhole(lab, { guests, writer, masters, after: this.#after, ...halves })
    expect(violations()).toEqual([])
    this.tell(`${seen.client?.outageMs} ms`)
    this.#after = await lastReconfiguration(lab)
    writer.begin()
    return seen
  }

  async nothingMoves(deed: () => Promise<void>, causes: readonly string[] = []): Promise<void> {
    const before = await this.#deeds()
    await deed()
    await this.whole(this.rig().atHome, causes)
    expect(await this.#deeds()).toEqual(before)
  }

  /** What would be different had anything been moved, started, stopped or called. */
  async #deeds(): Promise<unknown> {
    const { lab, guests } = this.rig()
    return Promise.all(
      [...lab.hosts.values()].map(async (host) => {
        const { processes } = await lookAtHost(host)
        const isService = (words: string): boolean => /^postgres|marker|http-server/.test(words)
        return {
          host: host.name,
          // The processes of PostgreSQL for its clients come and go.
          services: processes
            .filter(({ words }) => isService(words) && !/^postgres: /.test(words))
            .map(({ pid }) => pid),
          calls: await host.exec('find', `${host.root}/var/log`, '-path', '*/methods/*', '-type', 'f'),
          guests: guests.length,
        }
      }),
    )
  }
}
