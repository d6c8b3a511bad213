import type { Member } from '../../../src/framework/model/cluster-state.ts'
import { type PhysicalHostName, parseName } from '../../../src/framework/model/names.ts'

/** Makes names of physical hosts. */
export const host = (name: string): PhysicalHostName => parseName('physicalHost', name)

/** Makes a membership: `members({ alpha: 1, beta: 3 })` gives two members and their incarnations. */
export function members(incarnations: Readonly<Record<string, number>>): ReadonlyMap<PhysicalHostName, Member> {
  return new Map(
    Object.entries(incarnations).map(([name, incarnation]) => [
      host(name),
      { host: host(name), incarnation, state: 'joined', joinedWallMs: 0 },
    ]),
  )
}
