import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../eventually.ts'
import type { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'

/** Starting two Node.js programs, on a busy machine. */
const START_MS = 30_000

/** Sets the hosts of a lab up with the real commands: the first founds the cluster, the others join. `place`: of the database, default a directory of the lab. */
export async function startCluster(
  lab: Lab,
  cluster: object,
  place = `file:${join(lab.shared, 'database')}`,
): Promise<void> {
  const [first, ...others] = [...lab.hosts.values()]
  if (first === undefined) throw new Error('a cluster needs a host')
  await first.haven('scadmin', 'setup', '--cluster', 'e2e', '--host', first.name, '--database', place)
  await first.haven('scadmin', 'startcluster', first.name, 'e2e')
  for (const host of others) {
    await host.haven('scadmin', 'setup', '--cluster', 'e2e', '--host', host.name, '--database', place)
    await host.haven('scadmin', 'startnode', 'e2e')
  }
  // YAML is a superset of JSON.
  const file = join(lab.shared, 'cluster.yaml')
  writeFileSync(file, JSON.stringify(cluster, null, 2))
  await first.haven('scconf', 'apply', '-f', file)
}

/** Some host whose clustd answers. */
export async function anyMember(lab: Lab): Promise<LabHost> {
  for (const host of lab.hosts.values()) if (await isMember(host)) return host
  throw new Error('no host of the lab is a member')
}

export async function isMember(host: LabHost): Promise<boolean> {
  if (!host.isOn) return false
  const identity = await host
    .api()
    .identity()
    .catch(() => undefined)
  return identity?.role === 'member'
}

/** Brings every host back: switched on, a member. What was left undone by a test before is none of the next one's business. */
export async function bringAllBack(lab: Lab): Promise<void> {
  for (const host of lab.hosts.values()) {
    await host.boot()
    if (await isMember(host)) continue
    const founds = await anyMember(lab).then(
      () => false,
      () => true,
    )
    const words = founds ? ['startcluster', host.name, 'e2e'] : ['startnode', 'e2e']
    await host.haven('scadmin', ...words)
  }
}

/** Waits until nothing is under way, and these logical hosts are mastered by these hosts. */
export async function settled(lab: Lab, masters: Readonly<Record<string, string>>, withinMs = START_MS): Promise<void> {
  const what = Object.entries(masters).map(([logicalHost, host]) => `${logicalHost} to be mastered by ${host}`)
  await eventually(what.join(' and '), withinMs, async (saw) => {
    const status = await (await anyMember(lab)).api().status()
    const now = status.logicalHosts.map(({ name, sentence, services }) => ({ name, sentence, services }))
    saw({ isStable: status.isStable, now })
    const isRight = Object.entries(masters).every(([logicalHost, host]) =>
      status.logicalHosts.some(({ name, master }) => name === logicalHost && master === host),
    )
    return status.isStable && isRight ? true : undefined
  })
}
