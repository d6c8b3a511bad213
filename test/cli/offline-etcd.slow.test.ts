import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EtcdCluster, missingEtcd, startEtcd } from '../etcd-process.ts'
import { type Ran, run as runAnywhere } from './cli-world.ts'

let directory: string
let etcd: EtcdCluster
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'haven-offline-etcd-'))
  etcd = await startEtcd({ members: 2 })
})
afterAll(async () => {
  await etcd.end()
  rmSync(directory, { recursive: true })
})

const on = (host: string, line: string): Promise<Ran> => runAnywhere(line, { root: join(directory, host) })
const place = (): string => `etcd://${etcd.endpoints.map((endpoint) => endpoint.replace('http://', '')).join(',')}`
const setUp = (host: string, cluster: string, more = ''): Promise<Ran> =>
  on(host, `scadmin setup --cluster ${cluster} --host ${host} --database ${place()}${more}`)

describe.skipIf(missingEtcd !== undefined)('a cluster database in an etcd of yours', () => {
  it('is set up, with what is to be known of it, and a second time nothing is left to do', async () => {
    const first = await setUp('alpha', 'demo')
    expect(first).toMatchObject({ exitCode: 0, err: '' })
    expect(first.out).toContain(`Made the cluster database of demo at ${place()}.`)
    expect(first.out).toContain('Its timings are those of the profile relaxed')
    expect(first.out).toContain('Note: etcd has 2 voters')
    expect(first.out).toContain('--max-txn-ops 4096')
    const second = await on('alpha', 'scadmin setup --cluster demo --host alpha')
    expect(second.out).not.toContain('Made')
    expect((await setUp('beta', 'demo')).out).toContain('Added the physical host beta to the cluster demo.')
    const hostFile = JSON.parse(readFileSync(join(directory, 'beta/etc/haven/host.json'), 'utf8'))
    expect(hostFile.database).toEqual({ kind: 'etcd', endpoints: etcd.endpoints, isManaged: false })
  })

  it('is checked, backed up and restored without clustd, also when one commit cannot hold it', async () => {
    await setUp('alpha', 'demo')
    const file = join(directory, 'backup')
    expect((await on('alpha', `scadmin database backup ${file}`)).exitCode).toBe(0)
    const [head = '', ...lines] = readFileSync(file, 'utf8').split('\n')
    const template = lines.find((line) => line.includes('"physicalHosts/alpha"')) ?? ''
    const many = Array.from({ length: 300 }, (_, index) =>
      template.replaceAll('alpha', `h${index}`).replace(/,?$/, ','),
    )
    writeFileSync(file, [head, ...many, ...lines].join('\n'))
    const restored = await on('alpha', `scadmin database restore ${file}`)
    expect(restored).toMatchObject({ exitCode: 0, err: '' })
    const checked = await on('alpha', 'scadmin database check')
    expect(checked.out).toContain('The cluster database is sound')
    expect((await on('alpha', 'scadmin database backup -')).out).toContain('physicalHosts/h299')
  })

  it('is refused in words: places that are none, files that are not there, an etcd that does not answer', async () => {
    for (const bad of ['etcd://', 'etcd://a b:1', 'etcd://http://a:1', 'etcd://a:1:2'])
      expect((await on('gamma', `scadmin setup --cluster demo --host gamma --database '${bad}'`)).exitCode).toBe(2)
    expect((await setUp('gamma', 'demo', ' --database-ca /none')).err).toContain('/none cannot be read')
    expect((await setUp('gamma', 'demo', ' --database-cert /none')).err).toContain('goes with its key')
    expect((await on('gamma', 'scadmin database check')).exitCode).toBe(3)
    expect((await setUp('gamma', 'demo')).exitCode).toBe(0)
    for (const member of etcd.members) await member.kill()
    const { exitCode, err } = await on('gamma', 'scadmin database check')
    expect({ exitCode, err }).toEqual({ exitCode: 8, err: expect.stringContaining('ECONNREFUSED') })
  })
})
