import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { PROFILES } from '../../src/framework/membership/check-timings.ts'
import { missingForReservations } from '../contract/disk-group-driver-reservation.ts'
import { buildIscsiPrograms, type IscsiDisk, IscsiTarget } from '../contract/driver-rig/iscsi-target.ts'
import { Workshop } from '../contract/driver-rig/namespace-host.ts'
import { eventually } from '../eventually.ts'
import { bringAllBack, settled, startCluster } from './lab/cluster.ts'
import { lookAtHost } from './lab/host-view.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { runProgram } from './lab/run-program.ts'
import { storyOf } from './lab/story.ts'

const skip = missing ?? (await missingForReservations())

/** Linux cannot be stopped as a whole in namespaces: everything that runs, the cable, and what goes to the disk are. */
describe.skipIf(skip !== undefined)(`a reserved disk${skip === undefined ? '' : ` (skipped: ${skip})`}`, () => {
  const workshop = new Workshop()
  let lab: Lab
  let target: IscsiTarget
  const disks = new Map<string, IscsiDisk>()
  let h1: LabHost
  let h2: LabHost

  beforeAll(async () => {
    const directory = inject('workshop')
    lab = await Lab.start({ workshop: directory, installation: join(directory, 'haven'), name: 'reserved' })
    await buildIscsiPrograms(workshop.directory)
    target = await IscsiTarget.start(workshop, {
      directory: join(workshop.directory, 'target'),
      programs: workshop.directory,
      size: '32M',
    })
    await runProgram(['mkfs.ext4', '-q', '-F', target.image])
    mkdirSync(placeOf(lab))
    for (const name of ['h1', 'h2']) {
      disks.set(name, await target.attach(name))
      await plugIn(await lab.addHost(name))
    }
    h1 = lab.host('h1')
    h2 = lab.host('h2')
    await startCluster(lab, clusterOf(lab))
    await settled(lab, { shop: 'h1' })
  })
  afterAll(async () => {
    target?.thaw()
    await lab?.stop()
    await target?.close()
    workshop.close()
  })

  it('is not written by a host that stood still and goes on after it was taken over', async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    const said = join(h1.root, 'writer.log')
    writeFileSync(join(h1.root, 'writer.pl'), WRITER)
    h1.spawn('perl', join(h1.root, 'writer.pl'), join(h1.root, 'shop/lines'), said)
    await eventually('some lines of h1', 20_000, () => (acknowledgedIn(said) > 20 ? true : undefined))

    await h1.cut()
    await h1.try('sh', '-c', 'kill -STOP -1')
    disks.get('h1')?.freeze()
    await settled(lab, { shop: 'h2' })
    const before = acknowledgedIn(said)
    await h2.exec('sh', '-c', `echo 'written by h2' >${h2.root}/shop/second && sync ${h2.root}/shop/second`)

    disks.get('h1')?.thaw()
    await h1.try('sh', '-c', 'kill -CONT -1')
    await h1.heal()
    await eventually('h1 to have let go', 30_000, async (saw) => {
      const { mounts, processes } = await lookAtHost(h1)
      saw({ mounts, processes })
      return mounts.length === 0 && processes.length === 0 ? true : undefined
    })
    // What was on the disk when h1 stood still, it may say afterwards; nothing more.
    const after = acknowledgedIn(said)
    expect(after - before).toBeLessThanOrEqual(1)
    const kept = (await h2.exec('cat', `${h2.root}/shop/lines`)).trimEnd().split('\n')
    expect(kept.slice(0, after)).toEqual(Array.from({ length: after }, (_, index) => `line ${index + 1} of h1`))
    expect(await h2.exec('cat', `${h2.root}/shop/second`)).toBe('written by h2\n')
    // One line more may have been under way to the disk when h1 stood still.
    expect(await readFile(target.image, 'latin1')).not.toContain(`line ${before + 2} of h1`)

    await bringAllBack(lab)
    await h2.haven('haswitch', 'h1', 'shop')
    await settled(lab, { shop: 'h1' })
    expect(await h1.exec('cat', `${h1.root}/shop/second`)).toBe('written by h2\n')
    expect(await disks.get('h1')?.persist('--in', '--read-keys')).toContain(' 1 registered reservation key follows')
  })

  it('is taken over from a host that has lost its power, and comes back to it', async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    await h1.exec('sh', '-c', `echo 'written by h1' >${h1.root}/shop/third && sync ${h1.root}/shop/third`)
    await h1.powerOff()
    await settled(lab, { shop: 'h2' })
    expect(await h2.exec('cat', `${h2.root}/shop/third`)).toBe('written by h1\n')
    await h1.boot()
    await plugIn(h1)
    await bringAllBack(lab)
    await h2.haven('haswitch', 'h1', 'shop')
    await settled(lab, { shop: 'h1' })
  })

  it('is reserved again when it has forgotten who may write', async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    await target.restart()
    await eventually('a reservation by h1', 60_000, async (saw) => {
      const reservation = await disks.get('h1')?.persist('--in', '--read-reservation')
      saw(reservation)
      return reservation?.includes('Reservation follows') ? true : undefined
    })
    await h1.exec('sh', '-c', `echo again >${h1.root}/shop/fourth && sync ${h1.root}/shop/fourth`)
  })

  it('is whole at the end, and says so in the configuration', async () => {
    expect(await h1.haven('scconf', 'e2e', '-p')).toContain(
      `SCSI-3 persistent reservations by ${placeOf(lab)}/sg_persist`,
    )
    await h1.haven('haswitch', '-m', 'shop')
    await runProgram(['e2fsck', '-f', '-n', target.image])
  })

  /** Makes the disk of a host appear where it is configured for all of them. */
  async function plugIn(host: LabHost): Promise<void> {
    await host.exec('mount', '--bind', disks.get(host.name)?.directory ?? '', placeOf(lab))
  }
})

function placeOf(lab: Lab): string {
  return join(lab.shared, 'scsi')
}

function clusterOf(lab: Lab): object {
  const filesystems = [{ device: join(placeOf(lab), 'disk'), type: 'ext4' }]
  return {
    // How fast it is others measure; here no host is to be given up because the machine is busy.
    cluster: { name: 'e2e', timings: PROFILES.relaxed, budgets: { takeoversMax: 1_000, evictionsMax: 1_000 } },
    diskGroups: { 'shop-disks': { filesystems, reservation: { program: join(placeOf(lab), 'sg_persist') } } },
    logicalHosts: {
      shop: {
        physicalHosts: ['h1', 'h2'],
        diskGroups: ['shop-disks'],
        addresses: [{ address: '10.77.0.101/24', adapters: 'pub' }],
        switchback: 'manual',
      },
    },
  }
}

/** Writes lines, each made durable, and says elsewhere which; goes on when it fails. */
const WRITER = `
use IO::Handle;
open(my $file, ">>", shift) or die;
open(my $said, ">", shift) or die;
$said->autoflush(1);
for (my ($n, $errors) = (1, 0); $errors < 1000; $n++) {
  if ((print $file "line $n of h1\\n") && $file->flush && $file->sync) { print $said "$n\\n" } else { print $said "error $!\\n"; $errors++ }
}
`

function acknowledgedIn(path: string): number {
  if (!existsSync(path)) return 0
  const numbers = [...readFileSync(path, 'latin1').matchAll(/^(\d+)$/gm)].map(([, digits]) => Number(digits))
  return numbers.at(-1) ?? 0
}
