import { setMaxListeners } from 'node:events'
import { realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeError, HaError } from '../errors/ha-error.ts'
import { hideServerNameWarning } from '../errors/hide-warning.ts'
import { createRealEffects } from '../ports/real-effects.ts'
import { composeDaemon, type Daemon } from './compose.ts'
import { startDetached, tellParent } from './detach.ts'
import { readHostFile } from './host-file.ts'
import type { StartWish } from './join.ts'
import { createDaemonLog, type DaemonLog } from './log.ts'
import { becomeTheOnlyOne } from './only-one.ts'

const USAGE = `usage: clustd [--mode auto|found|join] [--detach]

Runs the cluster daemon of this physical host in the foreground; with --detach it returns once the host is a member.
  --mode auto    joins the cluster if a member gives a sign of life, else starts it; for the start of the machine
  --mode found   starts a cluster that has no living member
  --mode join    joins a cluster that has (the default)
HAVEN_ROOT (default /) is the directory below which all files of this host are.`

interface Wish {
  readonly root: string
  readonly installation: string
  readonly mode: StartWish
  readonly detach: boolean
}

/** Runs clustd with the arguments after its name. Resolves with its exit code: 0 when the host has left in an orderly way; never rejects. */
export async function main(argv: readonly string[]): Promise<number> {
  hideServerNameWarning()
  try {
    const wish = parseWish(argv)
    if (wish === 'help') {
      process.stdout.write(`${USAGE}\n`)
      return 0
    }
    if (wish.detach) {
      await startDetached(wish)
      return 0
    }
    return await runDaemon(wish)
  } catch (error) {
    tellParent({ kind: 'failed', error })
    process.stderr.write(`clustd: ${explain(error)}\n`)
    return error instanceof HaError ? error.exitCode : 1
  }
}

async function runDaemon({ root, installation, mode }: Wish): Promise<number> {
  // Everything that is under way listens to the end of the life: dozens are the rule, and no leak.
  setMaxListeners(0)
  const hostFile = readHostFile(root)
  const unlock = becomeTheOnlyOne(root)
  const effects = createRealEffects()
  const toTerminal = process.send === undefined
  const log = createDaemonLog({ effects, root, physicalHost: hostFile.physicalHost, toTerminal })
  try {
    const daemon = await composeDaemon({ root, installation, hostFile, mode, effects, log })
    const stopListening = listenToSignals(daemon, log)
    try {
      await daemon.loop.start(mode)
      await daemon.listen()
      tellParent({ kind: 'ready' })
      const ending = await daemon.loop.ended
      return ending.kind === 'left' ? 0 : 1
    } finally {
      stopListening()
      await daemon.close()
    }
  } finally {
    await log.close()
    unlock()
  }
}

/** SIGTERM and SIGINT are the orderly leave; a second one, or a bug, ends the host the hard way. Returns what stops listening. */
function listenToSignals({ loop }: Daemon, log: DaemonLog): () => void {
  let isLeaving = false
  const onSignal = (signal: NodeJS.Signals): void => {
    log.write({ level: 'info', message: `told to end by ${signal}` })
    if (isLeaving) return loop.fail(`told to end twice, by ${signal}`)
    isLeaving = true
    if (loop.services.identity().role === 'joining') return void loop.stop()
    loop.leave('').catch((error: unknown) => loop.fail(`it could not leave: ${describeError(error)}`))
  }
  const onBug = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : undefined
    log.write({ level: 'error', message: `a bug: ${describeError(error)}`, facts: { stack } })
    loop.fail(describeError(error))
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', onBug)
  process.on('unhandledRejection', onBug)
  return () => {
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
    process.off('uncaughtException', onBug)
    process.off('unhandledRejection', onBug)
  }
}

function parseWish(argv: readonly string[]): Wish | 'help' {
  const { values } = parseOrRefuse(argv)
  if (values.help === true) return 'help'
  const { mode = 'join' } = values
  if (mode !== 'found' && mode !== 'join' && mode !== 'auto')
    throw new HaError('USAGE', `there is no mode ${mode}`, { hint: USAGE })
  return {
    root: resolve(process.env['HAVEN_ROOT'] || '/'),
    installation: dirname(dirname(realpathSync(process.argv[1] ?? '.'))),
    mode,
    detach: values.detach === true,
  }
}

function parseOrRefuse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: { mode: { type: 'string' }, detach: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (cause) {
    throw new HaError('USAGE', describeError(cause), { hint: USAGE, cause })
  }
}

function explain(error: unknown): string {
  if (!(error instanceof HaError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [
    error.message,
    ...error.details.map((line) => `  ${line}`),
    ...(error.hint === undefined ? [] : [error.hint]),
  ].join('\n')
}
