import type { ClusterState } from '../model/cluster-state.ts'
import type { DataServiceName, PhysicalHostName } from '../model/names.ts'
import type { Plan } from '../model/reconfiguration.ts'
import type { Step } from '../model/step.ts'
import { type NeededPrograms, neededPrograms } from '../plan/needed-programs.ts'
import { groupBy } from './expected-durations.ts'
import type { RouteContext } from './route-context.ts'

/** Tells, in a sentence each, which programs the plan calls for on hosts that cannot execute them. */
export async function warnOfPlan(context: RouteContext, plan: Plan): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const [host, halves] of groupBy(plan.halves, (half) => half.host)) {
    const called = new Set(halves.flatMap(({ steps }) => steps.flatMap(programsOf)))
    const needed = needs(context, host).flatMap(({ programs }) => programs.filter((program) => called.has(program)))
    warnings.push(...(await sentences(context, host, needed)))
  }
  return warnings
}

/** Tells, in a sentence each, which programs of the services a possible master cannot execute: a takeover to it would fail. */
export async function warnOfServices(
  context: RouteContext,
  services: readonly DataServiceName[],
): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const host of [...context.services.state().physicalHosts.keys()].toSorted()) {
    const needed = needs(context, host).filter(({ service }) => services.includes(service.name))
    const programs = needed.flatMap((one) => one.programs)
    warnings.push(...(await sentences(context, host, programs)))
  }
  return warnings
}

/** Lists what hosts cannot execute of services that are on, by what each host published last. */
export function missingOfServicesOn(
  state: ClusterState,
  missing: ReadonlyMap<PhysicalHostName, readonly string[]>,
  root: string,
): readonly (NeededPrograms & { readonly host: PhysicalHostName })[] {
  return [...missing.keys()].toSorted().flatMap((host) => {
    const gone = new Set(missing.get(host))
    const needed = neededPrograms(state, host, root).filter(({ service }) => service.state === 'on')
    const found = needed.map((one) => ({ ...one, host, programs: one.programs.filter((path) => gone.has(path)) }))
    return found.filter(({ programs }) => programs.length > 0)
  })
}

function needs({ services }: RouteContext, host: PhysicalHostName): readonly NeededPrograms[] {
  return neededPrograms(services.state(), host, services.identity().root)
}

async function sentences(
  { services, facts }: RouteContext,
  host: PhysicalHostName,
  programs: readonly string[],
): Promise<readonly string[]> {
  const once = [...new Set(programs)]
  if (once.length === 0) return []
  const isHere = host === services.identity().physicalHost
  const published = new Set(services.missingPrograms().get(host))
  const missing = isHere ? await facts.missingPrograms(once) : once.filter((program) => published.has(program))
  return missing.map((program) => `${program} is missing, not a file, or not executable on ${host}.`)
}

function programsOf(step: Step): readonly string[] {
  const ladder = step.ifItFails.kind === 'ladder' ? step.ifItFails.steps.flatMap(programsOf) : []
  return step.action.kind === 'method' ? [step.action.program, ...ladder] : ladder
}
