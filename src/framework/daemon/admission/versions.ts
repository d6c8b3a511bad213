/**
 * Tells whether hosts of these versions may be in one cluster: the same major version, and minor versions next to each other, so that a cluster can be
 * updated one host after the other. What is no version fits only itself.
 */
export function isVersionNear(one: string, other: string): boolean {
  const [a, b] = [parse(one), parse(other)]
  if (a === undefined || b === undefined) return one === other
  return a.major === b.major && Math.abs(a.minor - b.minor) <= 1
}

/** Says how the versions of two hosts differ. */
export function describeVersions(one: string, version: string, other: string, otherVersion: string): string {
  return `${one} has version ${version} of Haven and ${other} has ${otherVersion}: they are too far apart for one cluster`
}

function parse(text: string): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+/.exec(text) ?? []
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) }
}
