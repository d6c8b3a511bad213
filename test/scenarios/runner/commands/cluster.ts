import { causeOf } from '../causes.ts'
import { configureLine, emptyState, words } from '../cluster-lines.ts'
import { printState } from '../print.ts'
import type { Scene } from '../scene.ts'
import { askFor } from './cause.ts'
import { run } from './run.ts'

/**
 * `cluster` with its lines begins a scenario; `configure` with lines changes the configuration of the running cluster.
 * The line `up h1 h2` starts these hosts, one after the other, and runs all that follows without printing it; then the state is printed.
 */
export function configure(scene: Scene, command: readonly string[]): readonly string[] {
  const [head, ...lines] = command
  if (head === 'cluster') scene.state = emptyState()
  let isUp = false
  for (const line of lines.map((text) => text.trim())) {
    if (line.startsWith('up ')) {
      bringUp(scene, words(line).slice(1))
      isUp = true
    } else {
      scene.state = configureLine(scene.state, line)
    }
  }
  return isUp ? printState(scene.state) : []
}

function bringUp(scene: Scene, hosts: readonly string[]): void {
  for (const host of hosts) {
    const cause = causeOf([scene.state.members.size === 0 ? 'start' : 'join', host])
    if (cause !== undefined) askFor(scene, cause)
    run(scene, [])
  }
}
