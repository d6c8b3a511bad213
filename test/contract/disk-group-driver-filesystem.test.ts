import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DiskGroup } from '../../src/framework/model/cluster-config.ts'
import { eventually } from '../eventually.ts'
import { isWhole } from '../whole.ts'
import { type DiskGroupHost, exportGroup, importGroup, leftovers, status } from './disk-group-driver.contract.ts'
import { type FileSystemRig, FileSystemRigs, fileSystemPrograms } from './disk-group-driver-filesystem.ts'
import { codeOf } from './driver-rig/expected-failure.ts'
import { holderProgram } from './driver-rig/holder-programs.ts'
import { command, missingFor } from './driver-rig/namespace-host.ts'

const skip = await missingFor(fileSystemPrograms)
const all = (['ext4', 'xfs'] as const).flatMap((type) => (['image', 'block'] as const).map((on) => ({ type, on })))
const variants = all.filter(({ type, on }) => isWhole || (type === 'ext4' && on === 'image'))

describe.skipIf(skip !== undefined).each(variants)(`file systems, $type on $on${skip ?? ''}`, (variant) => {
  const rigs = new FileSystemRigs(variant)
  let rig: FileSystemRig
  beforeAll(() => rigs.start())
  afterAll(() => rigs.stop())
  beforeEach(async () => {
    rig = await rigs.make()
  })
  afterEach(() => rig.close())

  it('takes a crashed host over by force only, and keeps what was written', async () => {
    await importGroup(rig, rig.h1)
    await rig.h1.shell(`echo safe > ${rig.h1.path}/data; sync ${rig.h1.path}/data`)
    await crash(rig)
    expect(await status(rig, rig.h2)).toEqual({ kind: 'absent', owner: 'h1' })
    expect(await codeOf(importGroup(rig, rig.h2))).toBe('DISK_GROUP_HELD')
    await importGroup(rig, rig.h2, true)
    expect(await rig.h2.shell(`cat ${rig.h2.path}/data`)).toBe('safe\n')
    await exportGroup(rig, rig.h2)
    expect(await leftovers(rig, rig.h2)).toEqual([])
  })

  it('comes back to the host that crashed', async () => {
    await importGroup(rig, rig.h1)
    await crash(rig)
    const again = await rigs.startAgain('h1')
    expect((await status(rig, again)).kind).toBe('partly')
    await exportGroup(rig, again)
    expect(await status(rig, again)).toEqual({ kind: 'absent', owner: undefined })
    await importGroup(rig, again)
    expect(await status(rig, again)).toEqual({ kind: 'imported' })
  })

  it('does not import by force what is still mounted on this machine', async () => {
    await importGroup(rig, rig.h1)
    expect(await codeOf(importGroup(rig, rig.h2, true))).toBe('DISK_GROUP_HELD')
    await rig.h1.shell(`touch ${rig.h1.path}/still-works`)
  })

  it('lets nothing come to the disk any more once it was cut off, and is exported all the same', async () => {
    const cutOff = (host: DiskGroupHost) =>
      host.driver.cutOff?.(rig.group, { mountPoint: rig.mountPoint, signal: AbortSignal.timeout(20_000) })
    await cutOff(rig.h1)
    await importGroup(rig, rig.h1)
    await rig.h1.shell(`echo safe > ${rig.h1.path}/data; sync ${rig.h1.path}/data; echo lost > ${rig.h1.path}/memory`)
    await cutOff(rig.h1)
    await cutOff(rig.h1)
    expect(await rig.h1.shell(`touch ${rig.h1.path}/more 2>&1 || true`)).toMatch(/Input\/output error/)
    await exportGroup(rig, rig.h1)
    expect((await leftovers(rig, rig.h1)).filter(({ kind }) => kind === 'mount')).toEqual([])
    await importGroup(rig, rig.h2, true)
    expect(await rig.h2.shell(`cat ${rig.h2.path}/data ${rig.h2.path}/memory 2>/dev/null || true`)).toBe('safe\n')
  })

  it('survives the death of the process that drives it', async () => {
    for (let calls = 0; calls < 4; calls += 1) {
      const running = importGroup(rig, rig.h1).catch(() => undefined)
      await eventually('the import to have begun', 5_000, async () =>
        (await rig.h1.shell('ls -d /proc/self')) ? true : undefined,
      )
      await rig.namespaces.h1.killDrivers()
      await running
      await importGroup(rig, rig.h1)
      expect(await status(rig, rig.h1)).toEqual({ kind: 'imported' })
      await exportGroup(rig, rig.h1)
      expect(await leftovers(rig, rig.h1)).toEqual([])
    }
  })

  it('says when it is damaged beyond automatic repair', async () => {
    await command('sh', '-c', DAMAGE[variant.type], 'sh', rig.device)
    expect(await codeOf(importGroup(rig, rig.h1))).toBe('DISK_GROUP_UNUSABLE')
    expect(await codeOf(importGroup(rig, rig.h1, true))).toBe('DISK_GROUP_UNUSABLE')
    await exportGroup(rig, rig.h1)
    expect((await leftovers(rig, rig.h1)).filter(({ kind }) => kind === 'mount')).toEqual([])
  })

  // Of a block device the mark is read first, by a program that finds the damage.
  if (variant.type === 'ext4' && variant.on === 'image') {
    it('says what a check says when only the kernel finds that it is damaged', async () => {
      await command('sh', '-c', DAMAGE_BEHIND_SUPERBLOCK, 'sh', rig.device)
      await expect(importGroup(rig, rig.h1)).rejects.toThrow('cannot be repaired automatically')
      await exportGroup(rig, rig.h1)
      expect((await leftovers(rig, rig.h1)).filter(({ kind }) => kind === 'mount')).toEqual([])
    })
  }

  it('says when it is of another type', async () => {
    const type = variant.type === 'ext4' ? 'xfs' : 'ext4'
    const group = {
      ...rig.group,
      fileSystems: [{ device: rig.device, type, mountPoint: '', options: [] }],
    } as DiskGroup
    expect(await codeOf(importGroup({ ...rig, group }, rig.h1))).toBe('DISK_GROUP_UNUSABLE')
  })

  it('refuses a mount point where something else is mounted, and a device that is mounted elsewhere', async () => {
    await rig.h1.shell(`mkdir -p ${rig.h1.path} && mount -t tmpfs tmpfs ${rig.h1.path}`)
    expect(await codeOf(importGroup(rig, rig.h1))).toBe('DISK_GROUP_UNUSABLE')
    await exportGroup(rig, rig.h1)
    expect(await rig.h1.shell(`grep -c ${rig.h1.path} /proc/self/mounts`)).toBe('1\n')
    await rig.h1.shell(`umount ${rig.h1.path}`)
    await rig.h1.shell(`mkdir ${rig.h1.path}-wrong && mount ${rig.device} ${rig.h1.path}-wrong`)
    expect(await codeOf(importGroup(rig, rig.h1))).toBe('DISK_GROUP_UNUSABLE')
    await exportGroup(rig, rig.h1)
    await importGroup(rig, rig.h1)
  })

  it('unmounts what is mounted below, and ends who works there', async () => {
    await importGroup(rig, rig.h1)
    await rig.h1.shell(
      `cd ${rig.h1.path} && mkdir -p deep/a usr && mount -t tmpfs tmpfs deep && mkdir deep/a && mount -t tmpfs tmpfs deep/a && mount --bind /usr usr`,
    )
    const holder = await rig.h1.launch(holderProgram('its working directory', `${rig.h1.path}/deep/a`))
    const bystander = await rig.h1.launch(holderProgram('its working directory', '/usr/bin'))
    await exportGroup(rig, rig.h1)
    expect(await leftovers(rig, rig.h1)).toEqual([])
    await eventually('the holder to be ended', 5_000, () => holder.signalCode ?? undefined)
    expect(bystander.signalCode).toBeNull()
  })

  it('also clears a mount namespace that was made meanwhile', async () => {
    await importGroup(rig, rig.h1)
    const container = await rig.h1.launch([
      'unshare',
      '--mount',
      '--propagation',
      'private',
      ...holderProgram('its working directory', '/'),
    ])
    const inside = await rig.h1.launch([
      'unshare',
      '--mount',
      '--propagation',
      'private',
      ...holderProgram('an open file', rig.h1.path),
    ])
    await rig.h1.shell(`umount ${rig.h1.path} 2>/dev/null || true`)
    expect(await leftovers(rig, rig.h1)).not.toEqual([])
    await exportGroup(rig, rig.h1)
    expect(await leftovers(rig, rig.h1)).toEqual([])
    expect(container.signalCode).toBeNull()
    await eventually('the holder to be ended', 5_000, () => inside.signalCode ?? undefined)
    await importGroup(rig, rig.h2)
  })

  it('names who holds it when it cannot be unmounted', async () => {
    await importGroup(rig, rig.h1)
    const file = `${rig.h1.path}/swap`
    await rig.h1.shell(`truncate -s 1M ${file} && losetup --find ${file}`)
    const refused = exportGroup(rig, rig.h1)
    expect(await codeOf(refused)).toBe('DISK_GROUP_BUSY')
    await expect(refused).rejects.toMatchObject({ details: expect.arrayContaining([expect.stringContaining(file)]) })
    expect(await codeOf(importGroup(rig, rig.h2))).toBe('DISK_GROUP_HELD')
    await rig.h1.shell(`losetup --detach $(losetup --noheadings --output NAME -j ${file})`)
    await exportGroup(rig, rig.h1)
    expect(await leftovers(rig, rig.h1)).toEqual([])
  })

  it('clears a host that has lost its mark to another one, and leaves that one alone', async () => {
    await importGroup(rig, rig.h1)
    await crash(rig)
    await importGroup(rig, rig.h2, true)
    const again = await rigs.startAgain('h1')
    await exportGroup(rig, again)
    expect(await leftovers(rig, again)).toEqual([])
    expect(await status(rig, rig.h2)).toEqual({ kind: 'imported' })
  })

  it('mounts several file systems in order', async () => {
    const second = await rigs.anotherDevice(rig)
    const fileSystems = [
      { device: rig.device, type: variant.type, mountPoint: '', options: [] },
      { device: second, type: variant.type, mountPoint: '/ha1/data', options: ['noatime'] },
    ]
    const both = { ...rig, group: { ...rig.group, fileSystems } as DiskGroup }
    await importGroup(both, rig.h1)
    expect(await status(both, rig.h1)).toEqual({ kind: 'imported' })
    await rig.h1.shell(`echo deep > ${rig.h1.path}/data/file`)
    expect((await leftovers(both, rig.h1)).filter(({ kind }) => kind === 'mount').length).toBe(2)
    await rig.h1.shell(`umount ${rig.h1.path}/data`)
    expect((await status(both, rig.h1)).kind).toBe('partly')
    await importGroup(both, rig.h1)
    await exportGroup(both, rig.h1)
    expect(await leftovers(both, rig.h1)).toEqual([])
    await importGroup(both, rig.h2)
    expect(await rig.h2.shell(`cat ${rig.h2.path}/data/file`)).toBe('deep\n')
  })
})

/** Loses the power of h1: the file system is cut off from its device first, for the kernel would unmount it cleanly with the namespace. */
async function crash(rig: FileSystemRig): Promise<void> {
  await rig.h1.shell(`xfs_io -x -c shutdown ${rig.h1.path}`)
  await rig.namespaces.h1.powerOff()
}

const DAMAGE = {
  ext4: 'debugfs -w -R "clri <2>" "$1" 2>/dev/null; debugfs -w -R "ssv state 2" "$1" 2>/dev/null',
  xfs: 'dd if=/dev/zero of="$1" bs=512 count=1 conv=notrunc 2>/dev/null',
}
/** The descriptors of an ext4 file system with blocks of 1 KiB; its superblock, right before them, says that all is well. */
const DAMAGE_BEHIND_SUPERBLOCK =
  'tr "\\0" x </dev/zero | dd of="$1" bs=1024 seek=2 count=1 iflag=fullblock conv=notrunc 2>/dev/null'
