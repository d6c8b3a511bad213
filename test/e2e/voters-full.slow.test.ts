import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { voterPaths } from '../../src/framework/voter/voter-paths.ts'
import { eventually } from '../eventually.ts'
import type { LabHost } from './lab/lab-host.ts'
import { addWeb, type ManagedLab, startManagedCluster, startManagedLab, votersAreWell } from './lab/managed-cluster.ts'
import { missing } from './lab/missing.ts'
import { databaseStaysAway } from './lab/passing.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
/** An election, a start of etcd after a pause, a look at all voters, and a busy machine. */
const WITHIN_MS = 60_000
/** The write-ahead log of etcd alone is 64 MB, made in advance, twice. */
const DISK_MB = 160

describe.skipIf(missing !== undefined)(`voters whose disks are full${why}`, () => {
  let made: ManagedLab
  let alpha: LabHost
  let beta: LabHost
  let watcher: LabHost

  beforeAll(async () => {
    made = await startManagedLab('full')
    ;({ alpha, beta, watcher } = made)
    const { lab } = made
    for (const machine of lab.machines) await giveSmallDisk(machine)
    await startManagedCluster(made, 'shop').catch((error: unknown) => {
      console.log(storyOf(lab))
      throw error
    })
    await addWeb(made, 'shop')
  })
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(made.lab)))
  })
  afterAll(() => made?.lab.stop())

  /** What nothing of this may change. */
  async function served(): Promise<unknown> {
    const { lastReconfiguration, logicalHosts } = await alpha.api().status()
    return { lastReconfiguration, masters: logicalHosts.map(({ name, master }) => `${name} ${master}`) }
  }

  it('are named with what to do while the others decide, and vote again by themselves when there is room', async () => {
    const before = await served()
    await fillDisk(alpha)
    await eventually('it to be said what is wrong', WITHIN_MS, async (saw) => {
      const { stdout } = await alpha.tryHaven('scadmin', 'voters')
      saw(stdout)
      const isSaid =
        /the disk with its data is full/.test(stdout) && stdout.includes('Make space; it starts again by itself.')
      return isSaid || undefined
    })
    await eventually('the other host to name it', WITHIN_MS, async (saw) => {
      const status = await beta.haven('hastat')
      saw(status)
      return status.includes('The voter alpha is not well') || undefined
    })
    await beta.haven('scconf', 'shop', '-l', '151')
    await freeDisk(alpha)
    await votersAreWell(watcher)
    expect(await served()).toEqual(before)
  })

  it('stop no service when all of them are full, and decide again when there is room', async () => {
    const before = await served()
    await Promise.all([alpha, beta, watcher].map(fillDisk))
    await databaseStaysAway([alpha, beta])
    expect(await beta.haven('hastat')).toContain('the cluster database does not answer beta, since')
    await Promise.all([alpha, beta, watcher].map(freeDisk))
    await votersAreWell(watcher)
    await beta.haven('scconf', 'shop', '-l', '152')
    expect(await served()).toEqual(before)
  })
})

async function giveSmallDisk(machine: LabHost): Promise<void> {
  const { data } = voterPaths(machine.root)
  await machine.exec('mkdir', '-p', data)
  await machine.exec('mount', '-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=700`, 'tmpfs', data)
}

/** Fills the disk up, and writes until etcd has no room left in the files that it made in advance. */
async function fillDisk(machine: LabHost): Promise<void> {
  const { data, tls } = voterPaths(machine.root)
  await machine.try('dd', 'if=/dev/zero', `of=${data}/full`, 'bs=4096')
  await machine.exec(
    'sh',
    '-c',
    FILL,
    'fill',
    `https://${machine.addressOn('priv1')}:7412`,
    tls.ca,
    tls.certificate,
    tls.key,
  )
}

async function freeDisk(machine: LabHost): Promise<void> {
  await machine.exec('rm', '-f', `${voterPaths(machine.root).data}/full`)
}

// At most what the disk has, in pieces that etcd accepts, until one is refused.
const FILL = `
piece=$(head -c 1000000 /dev/zero | tr '\\0' x)
for try in $(seq ${DISK_MB}); do
  echo "$piece" | timeout 2 etcdctl --endpoints="$1" --cacert="$2" --cert="$3" --key="$4" put filler >/dev/null 2>&1 || exit 0
done
exit 1`
