import { expect, it } from 'vitest'
import type { PublicGroupJson, PublicNetworksJson } from '../../../src/framework/api/wire.ts'
import { eventually } from '../../eventually.ts'
import { describeCluster, type Story } from '../lab/cluster-story.ts'
import { lookAtHost } from '../lab/host-view.ts'
import { stampsGoOn } from '../lab/passing.ts'

/** Silence is found within some seconds; the rest is for a busy machine. */
const FOUND_MS = 45_000

describeCluster('three hosts on etcd whose public adapters fail', { name: 'public', spare: true }, (story) => {
  oneAdapterFails(story)
  allAdaptersOfAHostFail(story)

  it('moves nothing when the public network is lost for everybody', async () => {
    await active(story)
    await story.nothingMoves(async () => {
      const { lab } = story.rig()
      await lab.breakNetwork('pub')
      await groupIs(story, { state: 'network-down' })
      await stampsGoOn(lab)
      await lab.healAll()
      await groupIs(story, { state: 'ok' })
    })
  })
})

function oneAdapterFails(story: Story): void {
  /** Does something to the adapter of h1 that is used, and expects that the other one goes on: on h1, with the services that run there. */
  async function fails(deed: (adapter: string) => Promise<void>): Promise<void> {
    const before = await active(story)
    await story.nothingMoves(async () => {
      await deed(before)
      await groupIs(story, { active: before === 'pub' ? 'pub2' : 'pub', state: 'ok' })
      await stampsGoOn(story.rig().lab)
    })
  }

  it('moves nothing but the addresses when the cable of the adapter that is used is pulled', () =>
    fails((adapter) => story.host('h1').cutAdapter(adapter)))

  it.each(['deaf', 'mute'] as const)(
    'moves nothing but the addresses when the adapter that is used becomes %s',
    (kind) => fails((adapter) => story.rig().lab.switch.add({ kind, port: `h1-${adapter}` })),
  )
}

function allAdaptersOfAHostFail(story: Story): void {
  it.each([
    ['have lost their link', 'cut'],
    ['hear nothing', 'deafen'],
    ['are heard by nobody, although they hear everybody', 'mute'],
  ] as const)(
    'moves the logical host when all adapters of its host %s, and back when they work again',
    async (_, deed) => {
      await active(story)
      const h1 = story.host('h1')
      await h1[deed]('pub')
      const { timelines } = await story.whole({ pg1: 'h2', web: 'h2' }, ['interface-failed'])
      expect(timelines[0]?.cause.sentence).toBe('nafo0 failed on h1, while pub works for others')
      expect(timelines[0]?.logicalHosts).toEqual(['pg1'])
      expect((await lookAtHost(h1)).addresses).toEqual([])
      await h1.heal()
      await story.whole(story.rig().atHome, ['settle'])
    },
  )
}

/** What h1 says of its backup group. */
async function group(story: Story): Promise<PublicGroupJson> {
  const { stdout } = await story.host('h1').tryHaven('pnmstat', '--json')
  const [seen] = (JSON.parse(stdout) as PublicNetworksJson).groups
  if (seen === undefined) throw new Error('h1 has no backup group')
  return seen
}

async function groupIs(story: Story, wanted: Readonly<Partial<PublicGroupJson>>): Promise<void> {
  await eventually(`h1 to say ${JSON.stringify(wanted)} of its group`, FOUND_MS, async (saw) => {
    const seen = await group(story)
    saw(seen)
    return Object.entries(wanted).every(([field, value]) => seen[field as keyof PublicGroupJson] === value)
      ? true
      : undefined
  })
}

/** The adapter of the group that is used. Both work, and are trusted: nothing goes on to one that has just come back, unless there is no link any more. */
async function active(story: Story): Promise<string> {
  return eventually('both adapters of h1 to be trusted', FOUND_MS, async (saw) => {
    const seen = await group(story)
    saw(seen)
    return seen.adapters.every(({ test }) => test === 'ok') && seen.state === 'ok' ? seen.active : undefined
  })
}
