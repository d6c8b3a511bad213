/** One option of a fence agent. */
export interface AgentParameter {
  readonly name: string
  readonly isRequired: boolean
  /** An older name of another parameter. */
  readonly isDeprecated: boolean
  /** Its own older name; undefined = it has none. */
  readonly obsoletes: string | undefined
}

/** What a fence agent says of itself. */
export interface AgentMetadata {
  readonly parameters: readonly AgentParameter[]
  /** Names of the actions, such as `off` and `status`. */
  readonly actions: readonly string[]
}

/** The longest metadata of Debian's agents has 30 kilobytes. */
const METADATA_LENGTH_MAX = 1_000_000

/**
 * Reads the metadata of a fence agent. Undefined when the text holds none. Only tags and their attributes are looked at, which is all that the
 * FenceAgentAPI defines: https://github.com/ClusterLabs/fence-agents/blob/main/doc/FenceAgentAPI.md
 */
export function readMetadata(text: string): AgentMetadata | undefined {
  if (text.length > METADATA_LENGTH_MAX || !/<resource-agent[\s>]/.test(text)) return undefined
  const parameters = tagsOf(text, 'parameter').flatMap((attributes): readonly AgentParameter[] => {
    const name = attributes.get('name')
    if (name === undefined) return []
    const isRequired = attributes.get('required') === '1'
    const isDeprecated = attributes.get('deprecated') === '1'
    return [{ name, isRequired, isDeprecated, obsoletes: attributes.get('obsoletes') }]
  })
  const actions = tagsOf(text, 'action').flatMap((attributes) => attributes.get('name') ?? [])
  return { parameters, actions }
}

/** Options that Haven gives by itself. */
const GIVEN_BY_HAVEN: ReadonlySet<string> = new Set(['action', 'plug', 'port', 'nodename'])

/**
 * Finds what is wrong with the options of a device, one sentence each; empty = nothing. Agents themselves only warn of an option that they do not
 * know, and go on without it.
 */
export function optionProblems(metadata: AgentMetadata, options: readonly string[]): readonly string[] {
  const given = new Set(options)
  const { parameters } = metadata
  const known = new Set(parameters.map(({ name }) => name))
  const unknown = options.filter((name) => !known.has(name) && !GIVEN_BY_HAVEN.has(name))
  const missing = parameters.filter(
    ({ name, isRequired, isDeprecated, obsoletes }) =>
      isRequired &&
      !isDeprecated &&
      !GIVEN_BY_HAVEN.has(name) &&
      !given.has(name) &&
      (obsoletes === undefined || !given.has(obsoletes)),
  )
  const ours = options.filter((name) => GIVEN_BY_HAVEN.has(name))
  return [
    ...unknown.map((name) => `it has no option '${name}'${didYouMean(name, [...known])}`),
    ...missing.map(({ name }) => `its option '${name}' is required and not given`),
    ...ours.map((name) => `its option '${name}' is given by Haven itself (a plug is configured by host)`),
  ]
}

/** Names the way in which the agent wants to be told which outlet or machine is meant; empty when it has none. */
export function plugNamesOf(metadata: AgentMetadata | undefined): readonly string[] {
  if (metadata === undefined) return ['plug', 'port']
  const names = metadata.parameters.map(({ name }) => name)
  // `port` is the older name, and agents that know both mean the same by them.
  return names.includes('plug') ? ['plug'] : names.includes('port') ? ['port'] : []
}

/** An option and its older name differ in one letter or two, or one begins like the other. */
function didYouMean(name: string, known: readonly string[]): string {
  const near = known.find((other) => other.startsWith(name) || name.startsWith(other))
  return near === undefined ? '' : ` (but '${near}')`
}

function tagsOf(text: string, tag: string): readonly ReadonlyMap<string, string>[] {
  return [...text.matchAll(new RegExp(`<${tag}\\s([^>]*)>`, 'g'))].map(([, attributes = '']) => {
    const pairs = [...attributes.matchAll(/([\w-]+)\s*=\s*"([^"]*)"/g)]
    return new Map(pairs.map(([, name = '', value = '']) => [name, value]))
  })
}
