import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { StatusJson, VotersJson } from '../../src/framework/api/wire.ts'
import { readCertificate } from '../../src/framework/security/certificate.ts'
import { eventually } from '../eventually.ts'
import { Lab } from './lab/lab.ts'
import type { LabHost } from './lab/lab-host.ts'
import { missing } from './lab/missing.ts'
import { storyOf } from './lab/story.ts'

const why = missing === undefined ? '' : ` (skipped: ${missing})`
/** etcd gives a connection up after five seconds of silence; then an election, an expiry, and a busy machine. */
const WITHIN_MS = 60_000
const SERVICE = '10.77.0.101'

describe.skipIf(missing !== undefined)(`voters on two private networks${why}`, () => {
  let lab: Lab
  let alpha: LabHost
  let beta: LabHost
  let watcher: LabHost
  const told: string[] = []

  beforeAll(async () => {
    const workshop = inject('workshop')
    const networks = ['pub', 'priv1', 'priv2'] as const
    lab = await Lab.start({ workshop, installation: join(workshop, 'haven'), name: 'ways', networks })
    alpha = await lab.addHost('alpha')
    beta = await lab.addHost('beta')
    watcher = await lab.addHost('watcher', { isWitness: true })
    mkdirSync(join(lab.shared, 'data'))
  })
  afterAll(async () => {
    await lab?.stop()
    console.log(`voters on two private networks:\n${told.join('\n')}`)
  })

  const privateOnes = (host: LabHost): string => `${host.addressOn('priv1')},${host.addressOn('priv2')}`
  const tokenFor = async (role: string): Promise<string> =>
    (await alpha.haven('scadmin', 'token', '--for', role)).trim()
  const statusAt = async (host: LabHost): Promise<StatusJson> =>
    JSON.parse(await host.haven('hastat', '--json')) as StatusJson
  const votersAt = async (host: LabHost): Promise<VotersJson> =>
    JSON.parse(await host.haven('scadmin', 'voters', '--json')) as VotersJson
  const interfacesOf = (host: LabHost): readonly string[] =>
    (['pub', 'priv1', 'priv2'] as const).flatMap((at) => ['--interface', `${at}=${at}=${host.addressOn(at)}`])

  /** Waits until a change is committed; says how long that took. */
  async function committed(at: LabHost, what: string, value: number): Promise<void> {
    const sinceMs = performance.now()
    await eventually(`a commit ${what}`, WITHIN_MS, async (saw) => {
      const ended = await at.tryHaven('scconf', 'shop', '-l', String(value))
      saw(ended.stderr)
      return ended.exitCode === 0 || undefined
    })
    told.push(`  ${Math.round(performance.now() - sinceMs)} ms: until a commit ${what}`)
  }

  async function masteredBy(host: LabHost, at: LabHost): Promise<void> {
    await eventually(`web to be mastered by ${host.name}`, WITHIN_MS, async (saw) => {
      const [web] = (await statusAt(at)).logicalHosts
      saw(web?.sentence)
      return web?.master === host.name || undefined
    })
  }

  async function takenOver(when: string): Promise<void> {
    const sinceMs = performance.now()
    await alpha.powerOff()
    await masteredBy(beta, beta)
    told.push(`  ${Math.round(performance.now() - sinceMs)} ms: until a host is taken over, ${when}`)
  }

  /** First the host, while the network is still gone. */
  async function allBack(): Promise<void> {
    await alpha.boot()
    await alpha.haven('scadmin', 'startnode')
    await lab.switch.ip(['link set priv1 up', 'link set priv2 up'])
    await eventually('all voters to be well', WITHIN_MS, async (saw) => {
      const found = await votersAt(watcher)
      saw(found.warnings)
      return found.warnings.length === 0 || undefined
    })
  }

  it('are set up with the commands of everybody, each reached at both, and count once', async () => {
    await alpha.haven(
      'scadmin',
      'setup',
      '--cluster',
      'shop',
      '--host',
      'alpha',
      '--database',
      'etcd',
      '--address',
      privateOnes(alpha),
    )
    await alpha.haven('scadmin', 'startcluster', 'alpha', 'shop')
    for (const network of ['priv1', 'priv2', 'pub'] as const) {
      await alpha.haven('scconf', 'shop', '--network', network, '--role', network === 'pub' ? 'client' : 'internal')
      const at = `${network}:${network}:${alpha.addressOn(network)}`
      await alpha.haven('scconf', 'shop', '--physical-host', 'alpha', '--interface', at)
    }
    // Its voter is reached wherever it has an interface on a private network: that is not said twice.
    const by = alpha.addressOn('priv1')
    await beta.haven('scadmin', 'join', by, '--token', await tokenFor('host'), '--host', 'beta', ...interfacesOf(beta))
    await beta.haven('scadmin', 'startnode')
    const witness = ['--token', await tokenFor('witness'), '--host', 'watcher', '--address', watcher.addressOn('priv1')]
    await watcher.haven('scadmin', 'witness', '--join', by, ...witness)
    // A further address, which the certificate of the witness is not for yet.
    await watcher.haven('scadmin', 'voters', 'address', watcher.addressOn('priv1'), watcher.addressOn('priv2'))
    const { voters, warnings } = await votersAt(alpha)
    expect(warnings).toEqual([])
    const expected = [alpha, beta, watcher].map((host) => ({
      name: host.name,
      endpoints: (['priv1', 'priv2'] as const).map((at) => `https://${host.addressOn(at)}:7412`),
      silent: [],
    }))
    expect(voters.map(({ name, endpoints, silent }) => ({ name, endpoints, silent }))).toEqual(expected)
    for (const host of [alpha, beta, watcher]) {
      const certificate = await host.exec('cat', join(host.root, 'etc/haven/security/host.crt'))
      const wanted = [host.addressOn('priv1'), host.addressOn('priv2')]
      expect(readCertificate(certificate).addresses).toEqual(expect.arrayContaining(wanted))
    }
  })

  it('one that loses one of its addresses starts all the same', async () => {
    await beta.exec('ip', 'address', 'flush', 'dev', 'priv2')
    await beta.haven('scadmin', 'voters', 'stop')
    await beta.haven('scadmin', 'voters', 'start')
    await eventually('what of beta is silent to be said', WITHIN_MS, async (saw) => {
      const { voters, warnings } = await votersAt(alpha)
      saw({ voters, warnings })
      const [sentence = '', ...more] = warnings
      const isSaid = sentence.startsWith(`The voter beta does not answer at https://${beta.addressOn('priv2')}:7412;`)
      return (isSaid && more.length === 0 && voters.every(({ isHealthy }) => isHealthy)) || undefined
    })
    await beta.exec('ip', 'address', 'add', `${beta.addressOn('priv2')}/24`, 'dev', 'priv2')
    await eventually(
      'beta to be well',
      WITHIN_MS,
      async () => (await votersAt(alpha)).warnings.length === 0 || undefined,
    )
  })

  it('decide while one network is lost for everybody, also that a host is lost then', async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    const data = `directory:${join(lab.shared, 'data')}`
    await alpha.haven('scconf', 'shop', '--disk-group', 'data', '--define', data)
    await alpha.haven('scconf', 'shop', '-L', 'web', '-n', 'alpha,beta', '-g', 'data', '-i', `pub,pub,${SERVICE}`)
    await masteredBy(alpha, beta)
    // The switch is dead, and every link is up: nobody is told.
    await lab.switch.ip(['link set priv1 down'])
    await committed(beta, 'after priv1 was lost', 151)
    await masteredBy(alpha, alpha)
    // Its own addresses beta reaches without any network.
    const silent = [alpha, watcher].map(
      (host) => `The voter ${host.name} does not answer at https://${host.addressOn('priv1')}:7412`,
    )
    await eventually('all voters to have found each other again', WITHIN_MS, async (saw) => {
      const { warnings } = await votersAt(beta)
      saw(warnings)
      return warnings.map((sentence) => sentence.split(';')[0]).join() === silent.join() || undefined
    })
    await takenOver('while priv1 is gone')
    await committed(beta, 'after the loss of a voter in addition', 152)
    await allBack()
  })

  it('decide when a network and a host are lost in the same moment', async ({ onTestFailed }) => {
    onTestFailed(() => console.log(storyOf(lab)))
    await masteredBy(alpha, beta)
    // Since the loss of priv1 the others speak over this one.
    await lab.switch.ip(['link set priv2 down'])
    await takenOver('lost together with priv2')
    await allBack()
  })
})
