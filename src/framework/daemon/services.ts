import type { ApiServices, Identity } from '../api/services.ts'
import { HaError, isHaError } from '../errors/ha-error.ts'
import type { Cause } from '../model/reconfiguration.ts'
import { checkPlan } from '../plan/check-plan.ts'
import { needsSettling, plan } from '../plan/planner.ts'
import type { BackupGroups } from './backup-groups.ts'
import { configureCluster, restoreConfiguration } from './configure-cluster.ts'
import type { Fencing } from './fencing.ts'
import type { Host } from './host.ts'
import { Previews } from './previews.ts'

/** What the services need of the parts of the loop. */
export interface ServicesParts {
  readonly host: Host
  stampAges: ApiServices['stampAges']
  databaseAway: ApiServices['databaseAway']
  leave: ApiServices['leave']
  networks: ApiServices['networks']
  readonly groups: Pick<BackupGroups, 'seen' | 'switchTo'>
  readonly fencing: Pick<Fencing, 'fence' | 'confirmDown'>
}

/** Makes what the API asks: questions are answered from what this host knows, requests are planned and committed here. */
export function createServices(given: ServicesParts): ApiServices {
  const { host, stampAges, databaseAway, leave, networks, groups, fencing } = given
  const { parts, view, knowledge } = host
  const { effects } = parts
  const previews = new Previews()
  return {
    publicGroups: () => groups.seen(),
    switchAdapter: (group, adapter) => groups.switchTo(group, adapter),
    identity: () => identityOf(host),
    state: () => host.state(),
    stampAges,
    databaseAway,
    networks,
    heartbeatTroubles: () => parts.peers.troubles(),
    reconfigurations: () => [...view.reconfigurations().values()].toSorted((a, b) => a.number - b.number),
    halfRuns: (number) => view.halfRuns().of(number),
    progress: () => [...view.progress().values()],
    missingPrograms: () => missingOnMembers(host),
    preview: (cause) => previewOf(host, previews, cause),
    submit: (cause, { busyWaitMs }) => submitWhenFree(host, cause, busyWaitMs),
    apply: async (id) => {
      const cause = previews.causeOf(id, effects.nowMonotonicMs())
      const made = await host.submit({
        cause,
        accept: (now) => previews.refuseStale(id, view, now, effects.nowMonotonicMs()),
      })
      return made?.plan.number ?? null
    },
    configure: async (decide) => {
      const revision = await configureCluster(host, decide)
      await settle(host)
      return revision
    },
    changed: (revision, withinMs, signal) => knowledge.changed(revision, withinMs, signal),
    leave,
    snapshot: () => parts.database.read(),
    restore: async (records) => {
      await restoreConfiguration(host, records)
      await settle(host)
    },
    guardReports: () => parts.guardReports(),
    ...fencingServices(host, fencing),
  }
}

function identityOf(host: Host): Identity {
  const { parts, incarnation } = host
  const member = host.ownMember()
  const role = member === undefined ? 'joining' : member.state === 'leaving' ? 'leaving' : 'member'
  return { ...parts.identity, cluster: parts.cluster, physicalHost: parts.host, role, incarnation }
}

/** Who changed the configuration should see what follows from it; that it cannot be planned now is no failure of the change. */
async function settle(host: Host): Promise<void> {
  const now = { nowWallMs: host.parts.effects.nowWallMs() }
  if (host.life.signal.aborted || host.ownMember() === undefined || !needsSettling(host.state(), now)) return
  try {
    await host.submit({ cause: { kind: 'settle', why: 'the configuration changed' } })
  } catch (error) {
    if (!(error instanceof HaError)) throw error
  }
}

function previewOf(host: Host, previews: Previews, cause: Cause): ReturnType<ApiServices['preview']> {
  const { effects } = host.parts
  const state = host.state()
  const made = plan(state, cause, { nowWallMs: effects.nowWallMs() })
  const fatal = checkPlan(state, made).filter(({ severity }) => severity === 'fatal')
  if (fatal.length > 0) {
    const details = fatal.map(({ subject, text }) => `${subject}: ${text}`)
    throw new HaError('PLAN_UNSAFE', 'the plan breaks a rule of safety and would not be committed', { details })
  }
  return { id: previews.remember(host.view, made, effects.nowMonotonicMs()), plan: made }
}

function fencingServices(
  { view }: Host,
  fencing: ServicesParts['fencing'],
): Pick<ApiServices, 'fences' | 'fenceStatus' | 'fence' | 'confirmDown'> {
  return {
    fences: () => [...view.fencing.fences().values()],
    fenceStatus: () => [...view.fencing.status().values()],
    fence: (order) => fencing.fence(order),
    confirmDown: (order) => fencing.confirmDown(order),
  }
}

/** A host that has gone may have been mended since. */
function missingOnMembers({ view }: Host): ReturnType<ApiServices['missingPrograms']> {
  const { members } = view.state()
  const published = [...view.missingPrograms()].filter(([name]) => members.has(name))
  return new Map(published.map(([name, { programs }]) => [name, programs]))
}

/** Plans as soon as what the request needs has come to rest. */
async function submitWhenFree(host: Host, cause: Cause, busyWaitMs: number): Promise<number | null> {
  const { parts, knowledge, life } = host
  const untilMs = parts.effects.nowMonotonicMs() + busyWaitMs
  for (;;) {
    refuseStranger(host)
    const { news } = knowledge
    try {
      const made = await host.submit({ cause })
      return made?.plan.number ?? null
    } catch (error) {
      const leftMs = untilMs - parts.effects.nowMonotonicMs()
      if (!isHaError(error, 'LOGICAL_HOST_BUSY') || leftMs <= 0 || life.signal.aborted) throw error
      await knowledge.newsAfter(news, leftMs, life.signal)
    }
  }
}

function refuseStranger(host: Host): void {
  if (host.ownMember() !== undefined) return
  throw new HaError('NOT_A_MEMBER', `${host.parts.host} is not a member of the cluster (yet)`, {
    hint: 'Wait until it has joined, or ask another member.',
  })
}
