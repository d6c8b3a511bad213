import type { ChildProcess } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../../eventually.ts'
import { command, kill, NamespaceHost, type Workshop } from './namespace-host.ts'

/** Programs that these tests need; with gcc the headers of libc, libiscsi and libfuse3. */
export const iscsiPrograms = ['tgtd', 'tgtadm', 'sg_persist', 'gcc', 'losetup']

const TARGET = 'iqn.2020-01.test:disk'
const PORTAL = '127.0.0.1:3260'
const START_MS = 10_000

/** Builds the programs of this rig in a directory: once for all targets below it. */
export async function buildIscsiPrograms(directory: string): Promise<void> {
  const at = (name: string): string => join(import.meta.dirname, 'iscsi', name)
  // Whoever looks for what holds a file system must not find the compiler.
  for (const name of ['iscsi-disk.c', 'sg-io-shim.c']) copyFileSync(at(name), join(directory, name))
  const flags = ['-O1', '-D_FILE_OFFSET_BITS=64', '-I/usr/include/fuse3']
  const libraries = ['-lfuse3', '-liscsi', '-lpthread']
  await command('gcc', ...flags, '-o', join(directory, 'iscsi-disk'), join(directory, 'iscsi-disk.c'), ...libraries)
  await command('gcc', '-O1', '-shared', '-fPIC', '-o', join(directory, 'shim.so'), join(directory, 'sg-io-shim.c'))
}

/** A disk of an iSCSI target, as one host sees it. Each host has a session of its own, and so its own registration and reservation. */
export interface IscsiDisk {
  /** The loop device that leads to it. */
  readonly device: string
  /** A directory with `disk`, a link to the device, and `sg_persist`, the real program about this session; to be mounted where a host looks for them. */
  readonly directory: string
  /** Stops what goes between the host and the disk, as if the host stood still; what it writes waits. */
  freeze(): void
  thaw(): void
  /** Runs sg_persist with these words. Rejects when it fails. */
  persist(...words: readonly string[]): Promise<string>
}

/** An iSCSI target with one disk, in a network and mount namespace of its own. */
export class IscsiTarget {
  /** What lies on the disk. */
  readonly image: string
  readonly #directory: string
  readonly #programs: string
  readonly #space: NamespaceHost
  readonly #disks: { readonly process: ChildProcess; readonly device: string }[] = []
  #daemon: ChildProcess | undefined

  private constructor(directory: string, programs: string, space: NamespaceHost) {
    this.#directory = directory
    this.#programs = programs
    this.#space = space
    this.image = join(directory, 'lun')
  }

  /** Starts one with a disk of this size. `programs`: where `buildIscsiPrograms` has been. */
  static async start(
    workshop: Workshop,
    made: { readonly directory: string; readonly programs: string; readonly size: string },
  ): Promise<IscsiTarget> {
    await mkdir(made.directory, { recursive: true })
    const settings = { cluster: 'none', physicalHost: 'target', root: '/', scope: 'none' }
    const space = await NamespaceHost.start(workshop, { ...settings, termGraceMs: 0, announceAgainAfterMs: [] })
    const target = new IscsiTarget(made.directory, made.programs, space)
    await command('truncate', '-s', made.size, target.image)
    await target.#startDaemon()
    return target
  }

  /** Ends the target and starts it again: all registrations and reservations are forgotten, as by a disk that loses its power. */
  async restart(): Promise<void> {
    await kill(this.#daemon)
    await this.#startDaemon()
  }

  /** Ends every session; hosts open new ones by themselves. The target keeps what the old ones had registered. */
  async dropSessions(): Promise<void> {
    const shown = await this.#tell('conn', 'show')
    for (const [, session, connection] of shown.matchAll(/Session: (\d+)\s+Connection: (\d+)/g)) {
      await this.#tell('conn', 'delete', '--sid', session ?? '', '--cid', connection ?? '')
    }
  }

  /** Opens a session of a host. */
  async attach(host: string): Promise<IscsiDisk> {
    const directory = join(this.#directory, host)
    const [fuse, socket] = [join(directory, 'fuse'), join(directory, 'socket')]
    await mkdir(fuse, { recursive: true })
    const url = `iscsi://${PORTAL}/${TARGET}/1`
    const words = [join(this.#programs, 'iscsi-disk'), url, `iqn.2020-01.test:${host}`, fuse, socket]
    const server = await this.#space.launch(words, {})
    const device = (await this.#space.run('losetup', '--find', '--show', join(fuse, 'disk'))).trim()
    this.#disks.push({ process: server, device })
    await symlink(device, join(directory, 'disk'))
    const program = join(directory, 'sg_persist')
    const shim = join(this.#programs, 'shim.so')
    await writeFile(program, `#!/bin/sh\nLD_PRELOAD=${shim} SG_IO_SOCKET=${socket} exec sg_persist "$@"\n`)
    await chmod(program, 0o755)
    return {
      device,
      directory,
      freeze: () => void server.kill('SIGSTOP'),
      thaw: () => void server.kill('SIGCONT'),
      persist: (...given) => command(program, ...given, device),
    }
  }

  /** Lets every disk answer again. */
  thaw(): void {
    for (const disk of this.#disks) disk.process.kill('SIGCONT')
  }

  /** Nothing may be mounted from it any more. */
  async close(): Promise<void> {
    for (const disk of this.#disks) {
      await command('losetup', '--detach', disk.device)
      await kill(disk.process)
    }
    await kill(this.#daemon)
    await this.#space.powerOff()
  }

  async #startDaemon(): Promise<void> {
    const start = `echo ready; exec tgtd -f -C 0 --iscsi portal=${PORTAL} >${this.#directory}/log 2>&1`
    this.#daemon = await this.#space.launch(['sh', '-c', start], { TGT_IPC_SOCKET: this.#control })
    await eventually('the target to listen', START_MS, () => this.#tell('target', 'new', '-T', TARGET).then(() => true))
    await this.#tell('logicalunit', 'new', '--lun', '1', '-b', this.image)
    await this.#tell('target', 'bind', '-I', 'ALL')
  }

  get #control(): string {
    return join(this.#directory, 'control')
  }

  #tell(mode: string, op: string, ...rest: readonly string[]): Promise<string> {
    const words = ['-C', '0', '--lld', 'iscsi', '--mode', mode, '--op', op, '--tid', '1', ...rest]
    return this.#space.run('env', `TGT_IPC_SOCKET=${this.#control}`, 'tgtadm', ...words)
  }
}
