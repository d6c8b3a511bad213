import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseName } from '../../../src/framework/model/names.ts'
import { createRealEffects } from '../../../src/framework/ports/real-effects.ts'
import { createMethodRunner } from '../../../src/methods/run-method.ts'
import { hostKey } from '../../../src/methods/scope-names.ts'
import { endStrays } from '../../../src/methods/stray-runs.ts'
import { createTagLook } from '../../../src/methods/tagged-processes.ts'
import { eventually } from '../../eventually.ts'

const cluster = parseName('cluster', 'strays')
const physicalHost = parseName('physicalHost', 'alpha')
const logicalHost = parseName('logicalHost', 'ha1')
const effects = createRealEffects()

describe('what a clustd that was killed had under way', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'haven-strays-'))
  })
  afterEach(async () => {
    const signal = new AbortController().signal
    await runnerOf(root).endProcesses({ logicalHost, service: 'all' }, { graceMs: 0, signal })
    rmSync(root, { recursive: true, force: true })
  })

  it('is ended: a method at work with its children, but not a daemon that one left behind', async () => {
    const service = parseName('dataService', 'web')
    // A daemon has a session of its own, as every daemon does.
    expect(await run('start', 'setsid sleep 300 >/dev/null 2>&1 & echo started')).toMatchObject({ kind: 'succeeded' })
    const underWay = run('slow', 'sleep 301; sleep 302')
    const runner = runnerOf(root)
    const scope = { logicalHost, service }
    await eventually('the slow method', 5_000, async () =>
      (await runner.processes(scope)).length >= 3 ? true : undefined,
    )
    await endStrays(placeOf(root))
    expect(await underWay).toMatchObject({ kind: 'killed' })
    const left = await runner.processes(scope)
    expect(left.map(({ what }) => what.replace(/\d+/, 'N'))).toEqual(['process N sleep (service web)'])
  })

  it('leaves no file once a method has ended', async () => {
    await run('quick', 'exit 3')
    expect(readdirSync(join(root, 'run/haven/method-runs'))).toEqual([])
  })

  it('may be nothing', async () => {
    await expect(endStrays(placeOf(root))).resolves.toBeUndefined()
  })

  it('is nobody else: a file with the pid of a stranger only goes', async () => {
    await run('quick', 'exit 0')
    writeFileSync(join(root, 'run/haven/method-runs/old'), `${process.pid}\n`)
    await endStrays(placeOf(root))
    expect(readdirSync(join(root, 'run/haven/method-runs'))).toEqual([])
  })

  function run(name: string, text: string): ReturnType<ReturnType<typeof runnerOf>['run']> {
    const program = join(root, name)
    writeFileSync(program, `#!/bin/sh\n${text}\n`)
    chmodSync(program, 0o755)
    return runnerOf(root).run({
      service: parseName('dataService', 'web'),
      method: 'START',
      program,
      logicalHost,
      lists: ['ha1', ''],
      timeoutMs: 60_000,
      reconfiguration: 1,
      generation: 1,
      pathPrefix: join(root, 'ha1'),
      signal: new AbortController().signal,
    })
  }
})

function runnerOf(root: string): ReturnType<typeof createMethodRunner> {
  return createMethodRunner({ root, cluster, physicalHost, pathDirectories: [], effects })
}

function placeOf(root: string): Parameters<typeof endStrays>[0] {
  const key = hostKey({ root, cluster, physicalHost })
  return { root, hostKey: key, lookForTags: createTagLook(key), effects }
}
