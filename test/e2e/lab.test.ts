import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { makeImage } from './lab/disk-image.ts'
import { expectNothingTwice, type Guest } from './lab/expect-whole.ts'
import { detachLoops, Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
/** What goes by itself is gone by then, such as a process of the setup. */
const LOOK_MS = 1_000
const masters = { g1: 'h1' }

describe.skipIf(missing !== undefined)(`the lab that the end-to-end tests look through${why}`, () => {
  let lab: Lab
  let guest: Guest
  let h1: LabHost
  let h2: LabHost

  beforeAll(async () => {
    const workshop = inject('workshop')
    lab = await Lab.start({ workshop, installation: join(workshop, 'haven'), name: 'lab' })
    guest = { name: 'g1', address: '10.77.0.101', image: join(lab.shared, 'g1.img') }
    ;[h1, h2] = [await lab.addHost('h1'), await lab.addHost('h2')]
  })
  beforeEach(async () => {
    await Promise.all([h1.powerOff(), h2.powerOff()])
    await makeImage(guest.image, 'ext4', ':')
    await Promise.all([h1.boot(), h2.boot()])
    await serve(h1)
  })
  afterAll(() => lab?.stop())

  it('finds nothing wrong with one master', async () => {
    await look()
  })

  it.each([
    ['a second address', (host: LabHost) => host.exec('ip', 'address', 'add', '10.77.0.101/24', 'dev', 'pub')],
    ['any other address', (host: LabHost) => host.exec('ip', 'address', 'add', '10.77.0.199/24', 'dev', 'pub')],
    ['a process', async (host: LabHost) => host.spawn('sleep', '1000')],
    [
      'a mount',
      (host: LabHost) => host.exec('sh', '-c', `mkdir -p ${host.root}/g1; mount -t tmpfs g1 ${host.root}/g1`),
    ],
    ['a second loop device', (host: LabHost) => host.exec('losetup', '-f', guest.image)],
  ])('finds %s elsewhere', async (_, leave) => {
    await leave(h2)
    await expect(look()).rejects.toThrow()
    await detachLoops(lab.shared)
  })

  it('finds nothing at all after a loss of power, and no trace of what was not on the disk yet', async () => {
    await h1.exec('sh', '-c', `echo safe >${h1.root}/g1/safe; sync; echo unsafe >${h1.root}/g1/unsafe`)
    await h1.powerOff()
    await expect(look()).rejects.toThrow()
    await serve(h2)
    expect(await h2.exec('ls', `${h2.root}/g1`)).toBe('lost+found\nsafe\n')
  })

  /** What Haven would do. */
  async function serve(host: LabHost): Promise<void> {
    const place = join(host.root, 'g1')
    await host.exec('sh', '-c', `mkdir -p ${place}; mountpoint -q ${place} || mount -o loop ${guest.image} ${place}`)
    await host.exec('sh', '-c', 'ip address replace 10.77.0.101/24 dev pub')
    host.spawn('sh', '-c', `cd ${place} && exec sleep 1000`)
  }

  function look(): Promise<void> {
    return expectNothingTwice(lab, { guests: [guest], masters }, LOOK_MS)
  }
})
