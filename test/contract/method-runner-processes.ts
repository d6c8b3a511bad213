import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseName } from '../../src/framework/model/names.ts'
import type { MethodRunner } from '../../src/framework/ports/method-runner.ts'
import { createRealEffects } from '../../src/framework/ports/real-effects.ts'
import { createMethodRunner, type MethodRunnerOptions } from '../../src/methods/run-method.ts'
import { eventually } from '../eventually.ts'
import { type Behaviour, briefly, ha1, ha11, type MethodRunnerHarness, scopeOf } from './method-runner.contract.ts'

/** The real runner on this machine, and what tests that look at real processes need beside it. */
export interface RealHarness extends MethodRunnerHarness {
  /** `HAVEN_ROOT` of the host. */
  readonly root: string
  /** Writes a script under a name and returns its path. `$D` in it is a directory of its own for marks. */
  makeScript(text: string, mode?: number): string
  /** Path of a mark: a file that scripts write. */
  mark(name: string): string
  /** Waits for a mark and returns what is in it. */
  readMark(name: string): Promise<string>
  /** Makes an instance with other options. */
  make(rest: Partial<MethodRunnerOptions>): MethodRunner
}

/** Makes the real runner in an empty root; `close` ends what its methods left. */
export async function makeRealHarness(findBy: 'cgroups-and-tags' | 'tags'): Promise<RealHarness> {
  const top = mkdtempSync(join(tmpdir(), 'haven-methods-'))
  const marks = join(top, 'marks')
  mkdirSync(marks)
  const made: MethodRunner[] = []
  const make = (rest: Partial<MethodRunnerOptions> = {}): MethodRunner => {
    const runner = createMethodRunner({
      root: join(top, 'alpha'),
      cluster: parseName('cluster', 'test'),
      physicalHost: parseName('physicalHost', 'alpha'),
      pathDirectories: ['/opt/haven/bin'],
      effects: createRealEffects(),
      findBy,
      termGraceMs: 60_000,
      ...rest,
    })
    made.push(runner)
    return runner
  }
  let scripts = 0
  const makeScript = (text: string, mode = 0o755): string => {
    scripts += 1
    const path = join(top, `script-${scripts}`)
    writeFileSync(path, text.replaceAll('$D', marks), { mode })
    return path
  }
  const mark = (name: string): string => join(marks, name)
  const readMark = (name: string): Promise<string> =>
    eventually(`mark ${name}`, 10_000, () => readFileSync(mark(name), 'utf8').trim() || undefined)
  return {
    root: join(top, 'alpha'),
    runner: make(),
    makeAnother: () => make(),
    makeImpatient: () => make({ termGraceMs: 50 }),
    makeOtherHost: () => make({ root: join(top, 'beta'), physicalHost: parseName('physicalHost', 'beta') }),
    make,
    makeScript,
    makeProgram: async (behaviour) => makeScript(scriptOf(behaviour)),
    mark,
    readMark,
    awaitHanging: async () => {
      await readMark('hanging')
    },
    close: async () => {
      for (const runner of made) {
        for (const logicalHost of [ha1, ha11]) await runner.endProcesses(scopeOf('all', logicalHost), briefly)
      }
      rmSync(top, { recursive: true, force: true })
    },
  }
}

function scriptOf(behaviour: Behaviour): string {
  switch (behaviour.kind) {
    case 'exits':
      return [
        '#!/bin/sh',
        ...(behaviour.prints ?? []).map((line) => `echo '${line}'`),
        `exit ${behaviour.exitCode}`,
        '',
      ].join('\n')
    case 'kills-itself':
      return `#!/bin/sh\nkill -${behaviour.signal.slice(3)} $$\nsleep 1000\n`
    case 'hangs':
      return `#!/bin/sh\n${behaviour.ignoresTerm ? "trap '' TERM\n" : ''}echo $$ >$D/hanging\nexec sleep 1000\n`
    case 'leaves-daemon':
      return `#!/bin/sh\n${behaviour.ignoresTerm ? "trap '' TERM\n" : ''}setsid sleep 1000 &
until read -r name </proc/$!/comm && [ "$name" = sleep ]; do :; done
exit 0
`
  }
}
