import { describeError, HaError } from '../errors/ha-error.ts'
import type { DataService } from '../model/cluster-config.ts'
import type { PhysicalHostName } from '../model/names.ts'
import { neededPrograms } from '../plan/needed-programs.ts'
import type { RouteContext } from './route-context.ts'
import type { CheckedProgramJson, CheckedProgramsJson } from './wire.ts'

/** A host reads some scripts from its own disk; one that takes longer is told as one that could not be asked. */
const ASK_MS = 10_000

/** What one host said of the programs, or why it said nothing. */
type Said =
  | { readonly kind: 'programs'; readonly host: PhysicalHostName; readonly programs: readonly CheckedProgramJson[] }
  | { readonly kind: 'silent'; readonly host: PhysicalHostName; readonly why: string }

/**
 * Makes sure that every physical host that may run a service has the same programs for it as this one, so that a takeover calls what was tried. Returns a
 * warning, a sentence, for each host that could not be asked. Hosts without certificates are on this machine, and are not asked. Throws `CONFIG_INVALID`
 * naming each host and file that is missing, not executable or another one.
 */
export async function checkOnHosts(context: RouteContext, service: DataService): Promise<readonly string[]> {
  const { services, facts, calls } = context
  const me = services.identity().physicalHost
  const asked = [...services.state().physicalHosts.keys()].toSorted().flatMap((host) => {
    const programs = programsOf(context, service, host)
    return host === me || programs.length === 0 || calls?.canAsk(host) !== true ? [] : [{ host, programs }]
  })
  if (asked.length === 0) return []
  const said = await Promise.all(asked.map(({ host, programs }) => ask(context, host, programs)))
  const own = await facts.checkPrograms([...new Set(asked.flatMap(({ programs }) => programs))])
  const hashes = new Map(own.map(({ path, sha256 }) => [path, sha256]))
  const problems = said.flatMap((one) => (one.kind === 'silent' ? [] : differences(one, hashes, me)))
  if (problems.length > 0) throw differsError(service, problems)
  return said.flatMap((one) => (one.kind === 'silent' ? [silentWarning(one, service)] : []))
}

/** What the host must be able to execute for the service alone; nothing when it is no possible master. */
function programsOf({ services }: RouteContext, service: DataService, host: PhysicalHostName): readonly string[] {
  const dataServices = new Map([[service.name, service]])
  const needed = neededPrograms({ ...services.state(), dataServices }, host, services.identity().root)
  return needed.flatMap(({ programs }) => programs)
}

async function ask({ calls }: RouteContext, host: PhysicalHostName, programs: readonly string[]): Promise<Said> {
  try {
    const question = { method: 'POST', path: '/v1/host/programs', body: { programs }, withinMs: ASK_MS } as const
    const answer = (await calls?.call(host, question)) as CheckedProgramsJson
    return { kind: 'programs', host, programs: answer.programs }
  } catch (error) {
    if (!(error instanceof HaError)) throw error
    return { kind: 'silent', host, why: describeError(error) }
  }
}

interface Problem {
  readonly host: PhysicalHostName
  readonly path: string
  readonly text: string
}

function differences(
  { host, programs }: Extract<Said, { kind: 'programs' }>,
  hashes: ReadonlyMap<string, string | null>,
  me: PhysicalHostName,
): readonly Problem[] {
  return programs.flatMap(({ path, isExecutable, sha256 }): readonly Problem[] => {
    if (!isExecutable) return [{ host, path, text: `${host}: ${path} is missing, not a file, or not executable` }]
    // What is too large to be compared, or may not be read, is taken as it is.
    const own = hashes.get(path) ?? null
    if (own === null || sha256 === null || own === sha256) return []
    return [{ host, path, text: `${host}: ${path} is not the same as on ${me}` }]
  })
}

function differsError({ name }: DataService, problems: readonly Problem[]): HaError {
  const [first] = problems
  const example = first === undefined ? '' : ` For example: scp -p ${first.path} ${first.host}:${first.path}`
  return new HaError('CONFIG_INVALID', `the programs of ${name} are not the same on all of its possible masters`, {
    details: problems.map(({ text }) => text),
    hint: `Install the same files on every possible master, then register.${example}`,
  })
}

function silentWarning({ host, why }: Extract<Said, { kind: 'silent' }>, { name }: DataService): string {
  return `${host} could not be asked whether it has the same programs of ${name}: ${why}.`
}
