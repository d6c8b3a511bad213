import { isAlive, signalProcess } from '../../methods/proc.ts'
import { HaError } from '../errors/ha-error.ts'
import type { Effects } from '../ports/effects.ts'
import { adoptEtcd } from './etcd-process.ts'
import { readVoterState } from './state-file.ts'

/** Longer than etcd itself is given to end. */
const STOP_WITHIN_MS = 15_000
const LOOK_EVERY_MS = 20

/** Ends the supervisor below `root` and its etcd, in order. False when neither ran. Throws `WAIT_TIMED_OUT`. */
export async function stopSupervisor(root: string, effects: Effects): Promise<boolean> {
  const state = readVoterState(root)
  if (state?.isSupervised === true) {
    signalProcess(state.supervisor, 'SIGTERM')
    const untilMs = effects.nowMonotonicMs() + STOP_WITHIN_MS
    while (isAlive(state.supervisor)) {
      if (effects.nowMonotonicMs() > untilMs) {
        throw new HaError('WAIT_TIMED_OUT', `voterd (process ${state.supervisor.pid}) does not end`, {
          hint: 'See var/log/haven/voterd.log.',
        })
      }
      await effects.sleep(LOOK_EVERY_MS)
    }
  }
  // One whose supervisor was killed.
  const left = adoptEtcd(root, effects)
  await left?.stop()
  return state?.isSupervised === true || left !== undefined
}
