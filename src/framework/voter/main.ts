import { resolve } from 'node:path'
import { describeError } from '../errors/ha-error.ts'
import { hideServerNameWarning } from '../errors/hide-warning.ts'
import { createRealEffects } from '../ports/real-effects.ts'
import { keepRenewed } from '../security/renew.ts'
import { EtcdCalls } from './etcd-calls.ts'
import { createGateway } from './gateway.ts'
import { becomeOnlySupervisorSoon } from './only-supervisor.ts'
import { Supervisor } from './supervisor.ts'
import { readVoterFile } from './voter-file.ts'
import { voterPaths } from './voter-paths.ts'

const USAGE = `usage: voterd

Runs the etcd of this machine, a voter of the cluster database, and keeps it running. Told to end by SIGTERM it ends etcd in order. When it is killed, etcd
runs on, and the next voterd takes it over. 'scadmin setup --database etcd', 'scadmin join' and 'scadmin witness' make a machine a voter and start this.
HAVEN_ROOT (default /) is the directory below which all files of this host are.`

/** Runs the supervisor of this machine's voter with the arguments after its name. Resolves with its exit code; never rejects. */
export async function main(argv: readonly string[]): Promise<number> {
  hideServerNameWarning()
  if (argv.length > 0) {
    const isHelp = argv[0] === '--help' || argv[0] === '-h'
    process[isHelp ? 'stdout' : 'stderr'].write(`${USAGE}\n`)
    return isHelp ? 0 : 2
  }
  const root = resolve(process.env['HAVEN_ROOT'] || '/')
  try {
    return await supervise(root)
  } catch (error) {
    process.stderr.write(`voterd: ${describeError(error)}\n`)
    return 1
  }
}

async function supervise(root: string): Promise<number> {
  if (readVoterFile(root) === undefined) {
    process.stderr.write(`voterd: this machine has no voter: there is no ${voterPaths(root).file}\n`)
    return 3
  }
  const effects = createRealEffects()
  const giveBack = await becomeOnlySupervisorSoon(root, effects)
  if (giveBack === undefined) {
    process.stderr.write(`voterd: another voterd runs below ${root} already\n`)
    return 6
  }
  const gateway = createGateway({ effects, tls: voterPaths(root).tls })
  const log = (sentence: string): void => {
    process.stdout.write(`${new Date(effects.nowWallMs()).toISOString()} voterd ${process.pid} ${sentence}\n`)
  }
  const ender = new AbortController()
  // A witness has no clustd that would do it.
  const renewing = keepRenewed({ root, effects, tell: log }, () => readVoterFile(root)?.addresses ?? [], ender.signal)
  const supervisor = new Supervisor({ root, effects, calls: new EtcdCalls(gateway), log })
  const end = (): void => supervisor.tellToEnd()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end)
  try {
    await supervisor.run()
    log('ended')
    return 0
  } finally {
    ender.abort('voterd ends')
    await renewing
    gateway.close()
    giveBack()
  }
}
