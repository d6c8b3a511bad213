import { mkdir, mkdtemp, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskGroup } from '../../src/framework/model/cluster-config.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { DiskGroupHost, DiskGroupRig } from './disk-group-driver.contract.ts'
import { fileSystemPrograms, hostOf } from './disk-group-driver-filesystem.ts'
import { buildIscsiPrograms, type IscsiDisk, IscsiTarget, iscsiPrograms } from './driver-rig/iscsi-target.ts'
import { command, missingFor, NamespaceHost, Workshop } from './driver-rig/namespace-host.ts'

/** A host, its session with the disk, and what it is made of. */
export interface ReservingHost extends DiskGroupHost {
  readonly namespaces: NamespaceHost
  readonly disk: IscsiDisk
}

export interface ReservationRig extends DiskGroupRig {
  readonly h1: ReservingHost
  readonly h2: ReservingHost
  readonly h3: ReservingHost
  readonly target: IscsiTarget
}

/** Why this machine cannot run these tests; undefined = it can. */
export async function missingForReservations(): Promise<string | undefined> {
  const missing = await missingFor([...fileSystemPrograms, ...iscsiPrograms])
  if (missing !== undefined) return missing
  for (const header of ['fuse3/fuse.h', 'iscsi/iscsi.h']) {
    const isThere = await command('test', '-e', `/usr/include/${header}`).then(
      () => true,
      () => false,
    )
    if (!isThere) return `no ${header}`
  }
  return undefined
}

const mountPoint = '/ha1'
/** The least that mkfs.ext4 gives a journal. */
const SIZE = '16M'

/** Makes hosts with sessions of their own at one iSCSI target, and a fresh ext4 file system on its disk for every test. */
export class ReservationRigs {
  readonly #workshop = new Workshop()
  #hosts: NamespaceHost[] = []
  #target: IscsiTarget | undefined
  #directory = ''
  #count = 0

  async start(): Promise<void> {
    await this.#workshop.bundle()
    await buildIscsiPrograms(this.#workshop.directory)
  }

  async stop(): Promise<void> {
    await this.#close()
    this.#workshop.close()
  }

  async make(): Promise<ReservationRig> {
    this.#count += 1
    this.#directory = await mkdtemp(join(this.#workshop.directory, `${this.#count}-`))
    const programs = this.#workshop.directory
    const target = await IscsiTarget.start(this.#workshop, {
      directory: join(this.#directory, 'target'),
      programs,
      size: SIZE,
    })
    this.#target = target
    await command('mkfs.ext4', '-q', '-F', target.image)
    const place = join(this.#directory, 'scsi')
    await mkdir(place)
    const hosts = {
      h1: await this.#startHost('h1', target, place),
      h2: await this.#startHost('h2', target, place),
      h3: await this.#startHost('h3', target, place),
    }
    const group: DiskGroup = {
      kind: 'filesystem',
      name: parseName('diskGroup', 'dg1'),
      fileSystems: [{ device: join(place, 'disk'), type: 'ext4', mountPoint: '', options: ['noatime'] }],
      reservation: { program: join(place, 'sg_persist') },
    }
    return {
      group,
      mountPoint,
      target,
      ...hosts,
      remove: async () => {
        for (const { disk } of Object.values(hosts))
          await rename(join(disk.directory, 'disk'), join(disk.directory, 'gone'))
      },
      close: () => this.#close(),
    }
  }

  async #startHost(name: 'h1' | 'h2' | 'h3', target: IscsiTarget, place: string): Promise<ReservingHost> {
    const disk = await target.attach(name)
    const root = join(this.#directory, name)
    await mkdir(root, { recursive: true })
    const scope = `test-${process.pid}:${name}`
    const settings = { cluster: 'test', physicalHost: name, root, scope, termGraceMs: 100, announceAgainAfterMs: [] }
    const namespaces = await NamespaceHost.start(this.#workshop, settings)
    this.#hosts.push(namespaces)
    // What is configured has one name on all hosts, and leads to another session on each.
    await namespaces.run('mount', '--bind', disk.directory, place)
    return { ...hostOf(namespaces), namespaces, disk }
  }

  async #close(): Promise<void> {
    // A host cannot end before the kernel has unmounted what it had.
    this.#target?.thaw()
    await Promise.all(this.#hosts.map((host) => host.powerOff()))
    await this.#target?.close()
    this.#hosts = []
    this.#target = undefined
  }
}

/** Puts something in the way of the program of a host: `script` is a shell script that gets its words and may run `$REAL` with them. */
export async function wrapProgram({ disk }: ReservingHost, script: string): Promise<() => Promise<void>> {
  const [program, real] = [join(disk.directory, 'sg_persist'), join(disk.directory, 'sg_persist.real')]
  await rename(program, real)
  const wrapper = join(disk.directory, 'sg_persist.wrapped')
  await command(
    'sh',
    '-c',
    'printf "%s" "$1" >"$2"; chmod +x "$2"',
    'sh',
    `#!/bin/sh\nREAL=${real}\n${script}\n`,
    wrapper,
  )
  await symlink(wrapper, program)
  return () => rename(real, program)
}
