/**
 * Puts the endpoints of several voters, a list for each, into the order in which a client tries them: neighbours differ in the voter and, where each voter
 * names its networks in the same order, in the network as well. So neither a machine nor a network that is lost makes a client wait twice.
 */
export function orderEndpoints(voters: readonly (readonly string[])[]): readonly string[] {
  const longest = Math.max(0, ...voters.map((endpoints) => endpoints.length))
  const rounds = Array.from({ length: longest }, (_none, round) =>
    voters.flatMap((endpoints, at) =>
      round < endpoints.length ? (endpoints[(round + at) % endpoints.length] ?? []) : [],
    ),
  )
  return [...new Set(rounds.flat())]
}
