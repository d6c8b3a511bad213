import { mkdir, mkdtemp, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskGroup } from '../../src/framework/model/cluster-config.ts'
import { parseName } from '../../src/framework/model/names.ts'
import type { DiskGroupDriver } from '../../src/framework/ports/disk-group-driver.ts'
import { type DiskGroupHost, type DiskGroupRig, describeDiskGroupDriver } from './disk-group-driver.contract.ts'
import { command, missingFor, NamespaceHost, Workshop } from './driver-rig/namespace-host.ts'

/** What file systems are tested on: `image` files, or `block` devices (loop devices that the test attached). */
export interface FileSystemVariant {
  readonly type: 'ext4' | 'xfs'
  readonly on: 'image' | 'block'
}

export interface FileSystemRig extends DiskGroupRig {
  readonly namespaces: { readonly h1: NamespaceHost; readonly h2: NamespaceHost }
  readonly image: string
  /** What is configured: the image, or the block device. */
  readonly device: string
}

/** Programs that these tests need, beside those of every Debian. */
export const fileSystemPrograms = [
  'losetup',
  'mkfs.ext4',
  'e2fsck',
  'debugfs',
  'mkfs.xfs',
  'xfs_repair',
  'xfs_db',
  'xfs_io',
  'perl',
  'nsenter',
  'unshare',
]

const mountPoint = '/ha1'
const name = parseName('diskGroup', 'dg1')

/** Sizes are the least that mkfs accepts; the images are sparse. */
const SIZE = { ext4: '16M', xfs: '300M' }

/** Makes hosts once, and a fresh file system on them for every test. */
export class FileSystemRigs {
  readonly #workshop = new Workshop()
  readonly #variant: FileSystemVariant
  #hosts: NamespaceHost[] = []
  #attached: string[] = []
  #directory = ''
  #count = 0

  constructor(variant: FileSystemVariant) {
    this.#variant = variant
  }

  async start(): Promise<void> {
    await this.#workshop.bundle()
  }

  async stop(): Promise<void> {
    await this.#close()
    this.#workshop.close()
  }

  async make(): Promise<FileSystemRig> {
    this.#count += 1
    this.#directory = await mkdtemp(join(this.#workshop.directory, `${this.#count}-`))
    const { type } = this.#variant
    const image = join(this.#directory, 'image')
    const device = await this.#makeDevice(image)
    const hosts = { h1: await this.#startHost('h1'), h2: await this.#startHost('h2') }
    const group: DiskGroup = {
      kind: 'filesystem',
      name,
      fileSystems: [{ device, type, mountPoint: '', options: ['noatime'] }],
    }
    return {
      group,
      mountPoint,
      namespaces: hosts,
      image,
      device,
      h1: hostOf(hosts.h1),
      h2: hostOf(hosts.h2),
      remove: async () => {
        await rename(device, `${device}.gone`)
      },
      close: () => this.#close(),
    }
  }

  /** Makes a second device with a file system, on the same storage. */
  anotherDevice({ image }: FileSystemRig): Promise<string> {
    return this.#makeDevice(`${image}-2`)
  }

  /** Powers a host on again, which has lost all but its files. */
  async startAgain(physicalHost: 'h1' | 'h2'): Promise<DiskGroupHost> {
    return hostOf(await this.#startHost(physicalHost))
  }

  async #makeDevice(image: string): Promise<string> {
    const { type, on } = this.#variant
    await command('truncate', '-s', SIZE[type], image)
    await command(`mkfs.${type}`, '-q', image)
    if (on === 'image') return image
    const device = (await command('losetup', '--find', '--show', image)).trim()
    this.#attached.push(device)
    // A link like those in /dev/disk: it can go away without giving the loop device to whoever else on this machine wants one.
    await symlink(device, `${image}-link`)
    return `${image}-link`
  }

  async #startHost(physicalHost: 'h1' | 'h2'): Promise<NamespaceHost> {
    const root = join(this.#directory, physicalHost)
    await mkdir(root, { recursive: true })
    const scope = `test-${process.pid}:${physicalHost}`
    const settings = { cluster: 'test', physicalHost, root, scope, termGraceMs: 100, announceAgainAfterMs: [] }
    const host = await NamespaceHost.start(this.#workshop, settings)
    this.#hosts.push(host)
    return host
  }

  async #close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.powerOff()))
    // Detached already by the test that takes it away.
    await Promise.all(this.#attached.map((device) => command('losetup', '--detach', device).catch(() => undefined)))
    this.#hosts = []
    this.#attached = []
  }
}

/** Makes what the contract calls a host of one made of namespaces. */
export function hostOf(host: NamespaceHost): DiskGroupHost {
  return {
    name: host.settings.physicalHost === 'h1' ? 'h1' : 'h2',
    driver: remoteDriver(host),
    path: join(host.settings.root, mountPoint),
    shell: (text) => host.run('sh', '-c', text),
    launch: (words, options) =>
      host.launch(words, options?.untagged ? {} : { HAVEN_SCOPE: `${host.settings.scope}/lh1/web` }),
  }
}

function remoteDriver(host: NamespaceHost): DiskGroupDriver {
  const call = (
    method: string,
    group: DiskGroup,
    { signal, ...rest }: { readonly signal: AbortSignal },
  ): Promise<never> =>
    host.call('filesystem', method, [group, { ...rest, needsSignal: true }], signal) as Promise<never>
  return {
    kind: 'filesystem',
    status: (group, options) => call('status', group, options),
    import: (group, options) => call('import', group, options),
    export: (group, options) => call('export', group, options),
    cutOff: (group, options) => call('cutOff', group, options),
    leftovers: (group, options) => call('leftovers', group, options),
  }
}

/** Runs the contract on one type of file system, on image files and on block devices; skipped, visibly, where this machine lacks what it needs. */
export async function describeFileSystemDriver(type: 'ext4' | 'xfs'): Promise<void> {
  const skip = await missingFor(fileSystemPrograms)
  for (const on of ['image', 'block'] as const) {
    const rigs = new FileSystemRigs({ type, on })
    const made = { skip, start: () => rigs.start(), rig: () => rigs.make(), stop: () => rigs.stop() }
    describeDiskGroupDriver(`filesystem, ${type} on ${on}`, made)
  }
}
