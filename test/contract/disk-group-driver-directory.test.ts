import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directoryDriver } from '../../src/framework/drivers/disk-group/directory.ts'
import { parseName } from '../../src/framework/model/names.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { type DiskGroupHost, type DiskGroupRig, describeDiskGroupDriver } from './disk-group-driver.contract.ts'
import { command, kill } from './driver-rig/namespace-host.ts'

const name = parseName('diskGroup', 'dg1')
const mountPoint = '/ha1'

async function directoryRig(): Promise<DiskGroupRig> {
  const directory = await mkdtemp(join(tmpdir(), 'haven-directory-'))
  const path = join(directory, 'shared')
  await mkdir(path)
  const launched: ChildProcess[] = []
  const host = (physicalHost: 'h1' | 'h2'): DiskGroupHost => {
    const root = join(directory, physicalHost)
    const scope = `test-${process.pid}:${physicalHost}`
    const driver = directoryDriver({
      cluster: 'test',
      physicalHost,
      root,
      scope,
      effects: createRealEffects(),
      termGraceMs: 100,
    })
    return {
      name: physicalHost,
      driver,
      path: join(root, mountPoint),
      shell: (text) => command('sh', '-c', text),
      launch: async (words, options) => {
        const env = { PATH: process.env['PATH'], ...(options?.untagged ? {} : { HAVEN_SCOPE: `${scope}/lh1/web` }) }
        const child = spawn(words[0] ?? '', words.slice(1), { env, stdio: ['ignore', 'pipe', 'inherit'] })
        launched.push(child)
        await new Promise((resolve) => child.stdout.once('data', resolve))
        return child
      },
    }
  }
  return {
    group: { kind: 'directory', name, path },
    mountPoint,
    h1: host('h1'),
    h2: host('h2'),
    remove: () => rename(path, `${path}.gone`),
    close: async () => {
      await Promise.all(launched.map(kill))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const nothing = async (): Promise<void> => undefined
describeDiskGroupDriver('directory', { start: nothing, rig: directoryRig, stop: nothing })
