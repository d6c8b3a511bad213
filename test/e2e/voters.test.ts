import { spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { cutPower } from '../../scripts/demo/clear-stage.mjs'
import type { StatusJson, VotersJson } from '../../src/framework/api/wire.ts'
import { eventually } from '../eventually.ts'

const workshop = inject('workshop')
const WITHIN_MS = 30_000
const CLUSTER = 'lab'

/** Physical hosts of one machine: directories, real daemons, addresses of the loopback. */
class Hosts {
  readonly directory = mkdtempSync(join(tmpdir(), 'haven-e2e-voters-'))
  readonly network = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
  /** Of the API: a clustd of somebody else may listen on all addresses. */
  readonly port = randomInt(20_000, 30_000)
  readonly #names = new Set<string>()

  root(name: string): string {
    this.#names.add(name)
    return join(this.directory, name)
  }

  environment(name: string): NodeJS.ProcessEnv {
    return { PATH: `${workshop}/haven/bin:${process.env['PATH']}`, HAVEN_ROOT: this.root(name), TMPDIR: this.directory }
  }

  /** Runs a command on a host; fails with all that it said when it fails. */
  run(name: string, line: string): string {
    const { status, stdout, stderr } = this.try(name, line)
    expect(status, `${name}: ${line}\n${stdout}${stderr}`).toBe(0)
    return stdout
  }

  try(
    name: string,
    line: string,
  ): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    const [program = '', ...words] = line.split(' ')
    return spawnSync(program, words, { env: this.environment(name), encoding: 'utf8', timeout: WITHIN_MS * 2 })
  }

  status(name: string): StatusJson {
    return JSON.parse(this.run(name, 'hastat --json')) as StatusJson
  }

  /** Two hosts, and a service on the first one whose methods write down that they were called. */
  twoWithService(): void {
    const { directory } = this
    const methods = join(directory, 'methods')
    mkdirSync(methods)
    mkdirSync(join(directory, 'data'))
    for (const method of ['start', 'stop', 'abort']) {
      const script = `#!/bin/sh\necho "${method} $HA_PHYSICAL_HOST [$1] [$2]" >>${directory}/calls\n`
      writeFileSync(join(methods, method), script, { mode: 0o755 })
    }
    const setUp = `--cluster ${CLUSTER} --database file:${directory}/database`
    // Without an address, as on one machine: it gets one when the database moves.
    this.run('alpha', `scadmin setup --host alpha ${setUp}`)
    this.run('alpha', `scadmin startcluster alpha ${CLUSTER}`)
    this.run('beta', `scadmin setup --host beta ${setUp} --address ${this.network}.2`)
    this.run('beta', 'scadmin startnode')
    this.run('gamma', `scadmin setup --host gamma ${setUp} --address ${this.network}.3`)
    this.run('alpha', `scconf ${CLUSTER} --disk-group data --define directory:${directory}/data`)
    this.run('alpha', `scconf ${CLUSTER} -L shop -n alpha,beta -g data -i lo,lo,${this.network}.77`)
    this.run('alpha', `hareg -r calls -b ${methods} -m START=start,STOP=stop,ABORT=abort -h shop`)
    this.run('alpha', 'hareg -y calls')
  }

  calls(): string {
    return readFileSync(join(this.directory, 'calls'), 'utf8')
  }

  placeOf(name: string): string {
    const file = JSON.parse(readFileSync(join(this.root(name), 'etc/haven/host.json'), 'utf8')) as {
      readonly database: { readonly kind: string }
    }
    return file.database.kind
  }

  async end(): Promise<void> {
    for (const name of this.#names) {
      const root = join(this.directory, name)
      if (!existsSync(root)) continue
      await cutPower({ cgroups: [] }, { name, root, key: `${CLUSTER}:${name}` })
      this.try(name, 'scadmin voters stop')
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}

describe.skipIf(workshop === '')('a cluster on one machine that moves from files to etcd', () => {
  let hosts: Hosts
  beforeEach(() => {
    hosts = new Hosts()
    hosts.twoWithService()
  })
  afterEach(() => hosts.end())

  it('moves while it runs: no method is called, nobody loses its membership, and all goes on there', async () => {
    const before = hosts.status('alpha')
    const calls = hosts.calls()
    const addresses = [`${hosts.network}.1`, `${hosts.network}.101`]
    const said = hosts.run('alpha', `scadmin database migrate --database etcd --address ${addresses.join(',')}`)
    expect(said).toMatch(/^The cluster database has moved from file:.* to etcd:.*: \d+ records\./)
    for (const name of ['alpha', 'beta']) {
      await eventually(`${name} to have gone along`, WITHIN_MS, () => hosts.placeOf(name) === 'etcd' || undefined)
    }
    const after = hosts.status('alpha')
    expect(membersOf(after)).toEqual(membersOf(before))
    expect(hosts.calls()).toBe(calls)
    expect(reportsOf(hosts)).toEqual([])
    hosts.run('beta', 'haswitch beta shop')
    expect(hosts.calls().slice(calls.length)).toBe('stop alpha [] [shop]\nstart beta [shop] []\n')
    // One that was down meanwhile finds the files as they were left, and goes where they say.
    hosts.run('gamma', 'scadmin startnode')
    expect(hosts.placeOf('gamma')).toBe('etcd')
    expect(hosts.try('alpha', 'scadmin database migrate --database etcd').stderr).toContain('in etcd already')
    const { voters, warnings } = JSON.parse(hosts.run('alpha', 'scadmin voters --json')) as VotersJson
    expect(voters).toMatchObject([{ name: 'alpha', role: 'leader', isHealthy: true, silent: [] }])
    expect(voters[0]?.endpoints).toEqual(addresses.map((address) => `https://${address}:7412`).toSorted())
    expect(warnings).toEqual([expect.stringContaining('One voter tolerates no loss')])
  })

  it('is in files or in etcd, wherever the command is killed, and goes on', async () => {
    const calls = hosts.calls()
    const before = membersOf(hosts.status('alpha'))
    const voterFile = join(hosts.root('alpha'), 'etc/haven/voter.json')
    const moments: readonly (readonly [string, () => boolean])[] = [
      ['before etcd serves', () => existsSync(voterFile)],
      [
        'when etcd serves',
        () => existsSync(voterFile) && readFileSync(voterFile, 'utf8').includes('"hasStarted": true'),
      ],
      ['at the point of no return', () => logOf(hosts).includes('"moved"')],
    ]
    for (const [moment, isReached] of moments) {
      const line = ['database', 'migrate', '--database', 'etcd', '--address', `${hosts.network}.1`]
      const child = spawn('scadmin', line, { env: hosts.environment('alpha'), stdio: 'ignore' })
      const exited = new Promise((resolve) => child.once('exit', resolve))
      await eventually(moment, WITHIN_MS, () => isReached() || undefined)
      child.kill('SIGKILL')
      await exited
      expect(membersOf(hosts.status('beta')), moment).toEqual(before)
      expect(hosts.calls(), moment).toBe(calls)
    }
    hosts.try('alpha', `scadmin database migrate --database etcd --address ${hosts.network}.1`)
    for (const name of ['alpha', 'beta']) {
      await eventually(`${name} to have gone along`, WITHIN_MS, () => hosts.placeOf(name) === 'etcd' || undefined)
    }
    expect(membersOf(hosts.status('beta'))).toEqual(before)
    expect(hosts.calls()).toBe(calls)
    expect(reportsOf(hosts)).toEqual([])
    hosts.run('alpha', 'haswitch beta shop')
  })
})

describe.skipIf(workshop === '')('a cluster on an etcd that Haven runs', () => {
  let hosts: Hosts
  beforeEach(() => {
    hosts = new Hosts()
  })
  afterEach(() => hosts.end())

  it('two hosts and a witness: three voters, of which any may be lost', async () => {
    const place = (last: number): string => `--address ${hosts.network}.${last} --port ${hosts.port}`
    hosts.run('alpha', `scadmin setup --cluster ${CLUSTER} --host alpha --database etcd ${place(1)}`)
    hosts.run('alpha', `scadmin startcluster alpha ${CLUSTER}`)
    const token = (role: string): string =>
      (JSON.parse(hosts.run('alpha', `scadmin token --for ${role} --json`)) as { readonly token: string }).token
    hosts.run('beta', `scadmin join ${hosts.network}.1:${hosts.port} --token ${token('host')} --host beta ${place(2)}`)
    hosts.run('beta', 'scadmin startnode')
    const words = `--token ${token('witness')} --host watcher --address ${hosts.network}.3`
    hosts.run('watcher', `scadmin witness --join ${hosts.network}.1:${hosts.port} ${words}`)
    const { voters, warnings } = JSON.parse(hosts.run('watcher', 'scadmin voters --json')) as VotersJson
    expect(voters.map(({ name, isHealthy }) => [name, isHealthy])).toEqual([
      ['alpha', true],
      ['beta', true],
      ['watcher', true],
    ])
    expect(warnings).toEqual([])
    await eventually('alpha to know all voters', WITHIN_MS, () => {
      return readFileSync(join(hosts.root('alpha'), 'etc/haven/host.json'), 'utf8').includes('.3:7412') || undefined
    })
    hosts.run('alpha', 'scadmin voters stop')
    hosts.run('beta', `scconf ${CLUSTER} -l 60`)
    expect(hosts.status('alpha').cluster).toBe(CLUSTER)
    hosts.run('alpha', 'scadmin voters start')
    await eventually('alpha to vote again', WITHIN_MS, () => {
      const listed = JSON.parse(hosts.run('beta', 'scadmin voters --json')) as VotersJson
      return listed.voters.every(({ isHealthy }) => isHealthy) || undefined
    })
    // One that was taken out votes again by joining again: it belongs to the cluster still, with the key that it has.
    hosts.run('alpha', 'scadmin voters remove watcher')
    const again = `--token ${token('witness')} --host watcher --address ${hosts.network}.3`
    hosts.run('watcher', `scadmin witness --join ${hosts.network}.1:${hosts.port} ${again}`)
    const { voters: three } = JSON.parse(hosts.run('alpha', 'scadmin voters --json')) as VotersJson
    expect(three.map(({ name, isHealthy }) => [name, isHealthy])).toContainEqual(['watcher', true])
    const alive = `--token ${token('witness')} --host watcher --address ${hosts.network}.3`
    expect(hosts.try('watcher', `scadmin witness --join ${hosts.network}.1:${hosts.port} ${alive}`).stderr).toContain(
      'the voter watcher at',
    )
  })
})

function membersOf(status: StatusJson): unknown {
  return status.physicalHosts
    .filter(({ membership }) => membership === 'member')
    .map(({ name, incarnation }) => [name, incarnation])
}

/** What the guards had to do: nothing. */
function reportsOf(hosts: Hosts): readonly string[] {
  return ['alpha', 'beta'].flatMap((name) => {
    const reports = join(hosts.root(name), 'var/lib/haven/guard-reports')
    return existsSync(reports) ? readdirSync(reports) : []
  })
}

function logOf({ directory }: Hosts): string {
  const database = join(directory, 'database')
  return readdirSync(database)
    .filter((name) => name.startsWith('log'))
    .map((name) => readFileSync(join(database, name), 'latin1'))
    .join('')
}
