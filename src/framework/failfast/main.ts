import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { readProcess } from '../../methods/proc.ts'
import { hostKey } from '../../methods/scope-names.ts'
import { describeError } from '../errors/ha-error.ts'
import { createRealEffects } from '../ports/real-effects.ts'
import { composeHands } from './compose-hands.ts'
import { guardPlaces, makeGuardPlaces, readBootId } from './guard-files.ts'
import { GuardWatch } from './guard-watch.ts'

/**
 * failfastd: the guard of one physical host. Started by clustd (guard-client.ts), survives it, and stops the host's logical hosts when the deadline
 * that clustd extends has passed. All of it is one bundle that is in memory from the start: when it fires, the disk may be gone. (Node.js cannot
 * lock its pages; the programs it runs then - methods, ip, umount, grep - come from the page cache or from the disk.)
 */
async function main(): Promise<void> {
  const options = readOptions()
  const effects = createRealEffects()
  const me = readProcess(process.pid)
  if (me === undefined) throw new Error('there is no /proc')
  const places = guardPlaces(options.root)
  await makeGuardPlaces(places)
  preferThisProcess()
  const watch = new GuardWatch({
    root: options.root,
    places,
    hostKey: hostKey(options),
    me: { pid: me.pid, startTicks: me.startTicks },
    bootId: readBootId(),
    hands: composeHands(options, effects),
    reboot: rebootBy(options.rebootCommand),
    log,
  })
  process.on('SIGUSR2', () => watch.poke())
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => watch.tellToEnd())
  // Whatever goes wrong in one part must not keep the others from being stopped: there is nobody behind the guard.
  process.on('uncaughtException', (error) => log(`went on after an error: ${error.stack ?? error.message}`))
  log(`guards ${options.physicalHost} of ${options.cluster}`)
  await watch.run()
  process.removeAllListeners('SIGUSR2')
}

interface Options {
  readonly root: string
  readonly cluster: string
  readonly physicalHost: string
  readonly pathDirectories: readonly string[]
  readonly rebootCommand: readonly string[]
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      root: { type: 'string', default: '/' },
      cluster: { type: 'string', default: '' },
      host: { type: 'string', default: '' },
      path: { type: 'string', default: '' },
      'reboot-command': { type: 'string', default: '[]' },
    },
  })
  return {
    root: values.root,
    cluster: values.cluster,
    physicalHost: values.host,
    pathDirectories: values.path === '' ? [] : values.path.split(':'),
    rebootCommand: JSON.parse(values['reboot-command']) as string[],
  }
}

/** The guard runs when everything else is stuck. What may not be done without rights is done without. */
function preferThisProcess(): void {
  const preferences = [() => setPriority(-20), () => writeFileSync('/proc/self/oom_score_adj', '-1000')]
  for (const prefer of preferences) {
    try {
      prefer()
    } catch {
      // Not root: it runs like any other process.
    }
  }
}

function rebootBy([program, ...words]: readonly string[]): (() => void) | undefined {
  if (program === undefined) return undefined
  return () => {
    const child = spawn(program, words, { detached: true, stdio: 'inherit', cwd: '/' })
    child.on('error', (error) => log(`cannot reboot: ${error.message}`))
    child.unref()
  }
}

/** Its output is the log file; the time is for people. */
function log(sentence: string): void {
  const at = new Date(createRealEffects().nowWallMs()).toISOString()
  process.stdout.write(`${at} failfastd ${process.pid} ${sentence}\n`)
}

main().catch((error: unknown) => {
  log(`ended by an error: ${describeError(error)}`)
  process.exitCode = 1
})
