import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { VotersJson } from '../../../src/framework/api/wire.ts'
import { eventually } from '../../eventually.ts'
import { settled } from './cluster.ts'
import { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { networksAre } from './passing.ts'

/** An election, a start of etcd after a pause, a look at all voters, and a busy machine. */
const WELL_MS = 60_000

/** A lab with two hosts and a witness, on the networks `pub` and `priv1`; nothing is set up yet. */
export interface ManagedLab {
  readonly lab: Lab
  readonly alpha: LabHost
  readonly beta: LabHost
  readonly watcher: LabHost
}

/** Starts such a lab. */
export async function startManagedLab(name: string): Promise<ManagedLab> {
  const workshop = inject('workshop')
  const networks = ['pub', 'priv1'] as const
  const lab = await Lab.start({ workshop, installation: join(workshop, 'haven'), name, networks })
  const [alpha, beta] = [await lab.addHost('alpha'), await lab.addHost('beta')]
  return { lab, alpha, beta, watcher: await lab.addHost('watcher', { isWitness: true }) }
}

/** Has `alpha` master a logical host `web` that has a directory and an address. */
export async function addWeb({ lab, alpha }: ManagedLab, cluster: string): Promise<void> {
  const data = join(lab.shared, 'data')
  mkdirSync(data)
  await alpha.haven('scconf', cluster, '--disk-group', 'data', '--define', `directory:${data}`)
  await alpha.haven('scconf', cluster, '-L', 'web', '-n', 'alpha,beta', '-g', 'data', '-i', 'pub,pub,10.77.0.101')
  await settled(lab, { web: 'alpha' })
}

/** Sets the hosts and the witness of a lab up on an etcd that Haven runs, over the private network `priv1`, as `docs/several-machines.md` says. */
export async function startManagedCluster({ lab, watcher: witness }: ManagedLab, cluster: string): Promise<void> {
  const [first, ...others] = [...lab.hosts.values()]
  if (first === undefined) throw new Error('a cluster needs a host')
  const by = first.addressOn('priv1')
  const words = ['--cluster', cluster, '--host', first.name, '--database', 'etcd', '--address', by]
  await first.haven('scadmin', 'setup', ...words)
  await first.haven('scadmin', 'startcluster', first.name, cluster)
  const token = async (role: string): Promise<string> => (await first.haven('scadmin', 'token', '--for', role)).trim()
  for (const host of others) {
    await host.haven('scadmin', 'join', by, '--token', await token('host'), '--host', host.name)
    await host.haven('scadmin', 'startnode')
  }
  const place = ['--host', witness.name, '--address', witness.addressOn('priv1')]
  await witness.haven('scadmin', 'witness', '--join', by, '--token', await token('witness'), ...place)
  await first.haven('scconf', cluster, '--network', 'priv1', '--role', 'internal')
  for (const host of [first, ...others]) {
    const at = `priv1:priv1:${host.addressOn('priv1')}`
    await first.haven('scconf', cluster, '--physical-host', host.name, '--interface', at)
  }
  await networksAre([first, ...others], { priv1: 'up' })
  await votersAreWell(witness)
}

/** Returns what `scadmin voters` says on a machine. */
export async function votersAt(machine: LabHost): Promise<VotersJson> {
  return JSON.parse(await machine.haven('scadmin', 'voters', '--json')) as VotersJson
}

/** Waits until a machine sees three voters, and nothing is wrong with any of them. */
export async function votersAreWell(machine: LabHost): Promise<void> {
  await eventually('all voters to be well', WELL_MS, async (saw) => {
    const { voters, warnings } = await votersAt(machine)
    saw({ voters, warnings })
    return (voters.length === 3 && warnings.length === 0) || undefined
  })
}
