import { parseName } from '../../../../src/framework/model/names.ts'
import type { Scene } from '../scene.ts'
import { forgetCursors } from '../walk.ts'
import { killHost, type World } from '../world.ts'

/** `fail h2 START pg [always]`, `hang h2 STOP pg [always]`: such a step of that host fails, or does not end in time. */
export function armFault(scene: Scene, how: 'failed' | 'timed-out', words: readonly string[]): void {
  const [host = '', ...rest] = words
  const times = rest.at(-1) === 'always' ? 'always' : 'once'
  const what = rest.filter((word) => word !== 'always').join(' ')
  scene.world.faults.push({ host, what, how, times })
}

/** `heal h2`: nothing fails there any more. */
export function heal({ world }: Scene, [host = '']: readonly string[]): void {
  const others = world.faults.filter((fault) => fault.host !== host)
  world.faults.splice(0, world.faults.length, ...others)
}

/** `leave-remains h1 ha1`: something of it will not go, so that its release cannot be proved. `remove-remains h1 ha1`: it goes. */
export function setRemains({ world }: Scene, isThere: boolean, [host = '', logicalHost = '']: readonly string[]): void {
  const remains = hostOf(world, host).remains
  if (isThere) remains.add(logicalHost)
  else remains.delete(logicalHost)
}

/** `crash h1`: it is dead, and nobody has noticed yet. */
export function crash({ world }: Scene, [host = '']: readonly string[]): void {
  killHost(world, host)
}

/** `restart-clustd h1`: killed and started again within the guard time; it begins with what is due. */
export function restartClustd(scene: Scene, [host = '']: readonly string[]): void {
  forgetCursors(scene, parseName('physicalHost', host))
}

function hostOf(world: World, host: string) {
  const there = world.hosts.get(host)
  if (there === undefined) throw new Error(`${host} is not there`)
  return there
}
