import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MethodCall, MethodOutcome } from '../../src/framework/ports/method-runner.ts'
import { findCgroupHome } from '../../src/methods/cgroup.ts'
import { LOG_BYTES_KEPT_MAX, LOGS_KEPT_MAX } from '../../src/methods/method-log.ts'
import { hostKey } from '../../src/methods/scope-names.ts'
import { eventually } from '../eventually.ts'
import { briefly, makeCall, patiently, pgdata, scopeOf } from './method-runner.contract.ts'
import type { RealHarness } from './method-runner-processes.ts'

/** Node.js adds nothing to its environment, as shells do. */
const tellsItsWorld = `#!${process.execPath}
const fs = require('node:fs')
const links = ['0', '1', '2'].map((fd) => fs.readlinkSync('/proc/self/fd/' + fd))
const stat = fs.readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ')
const world = { argv: process.argv.slice(2), env: process.env, cwd: process.cwd(), umask: process.umask(), stdin: links[0], stdout: links[1], stderr: links[2],
  group: Number(stat[2]), session: Number(stat[3]), pid: process.pid }
fs.writeFileSync('$D/world.tmp', JSON.stringify(world))
fs.renameSync('$D/world.tmp', '$D/world')
`

/** Hands out the harness of the running test. */
type At = () => RealHarness

/** Tests what the real runner does with real processes: what a method gets to see, and what it cannot escape. */
export function describeRealMethodRunner(name: string, makeHarness: () => Promise<RealHarness>): void {
  describe(`processes of methods (${name})`, () => {
    let harness: RealHarness
    beforeEach(async () => {
      harness = await makeHarness()
    })
    afterEach(() => harness.close())
    const at: At = () => harness
    describeSight(at)
    describePrograms(at)
    describeLogs(at)
    describeOutput(at)
    describeTimeUp(at)
    describeDaemons(at)
    describeHidingDaemons(at)
  })
}

function runScript(at: At, text: string, rest: Partial<MethodCall> = {}): Promise<MethodOutcome> {
  return at().runner.run(makeCall(at().makeScript(text), rest))
}

function logDirectory(at: At): string {
  return join(at().root, 'var/log/haven/methods/pgdata')
}

function logs(at: At): readonly string[] {
  return readdirSync(logDirectory(at)).sort()
}

function readLog(at: At): string {
  return readFileSync(join(logDirectory(at), logs(at)[0] ?? ''), 'utf8')
}

function leaves(command: string): string {
  return `#!/bin/sh\n${command} &\necho $! >$D/daemon\nexit 0\n`
}

function describeSight(at: At): void {
  describe('a method sees', () => {
    const tellWorld = async (rest: Partial<MethodCall> = {}) => {
      expect(await runScript(at, tellsItsWorld, rest)).toMatchObject({ kind: 'succeeded', output: [] })
      return JSON.parse(await at().readMark('world'))
    }

    it('a clean environment, complete, and nothing of the daemon', async () => {
      process.env['HAVEN_TEST_SECRET'] = 'leaks'
      const { env } = await tellWorld()
      delete process.env['HAVEN_TEST_SECRET']
      expect(env).toEqual({
        PATH: '/opt/haven/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        LANG: 'C.UTF-8',
        HA_CLUSTER: 'test',
        HA_PHYSICAL_HOST: 'alpha',
        HA_LOGICAL_HOST: 'ha1',
        HA_SERVICE: 'pgdata',
        HA_METHOD: 'START',
        HA_RECONFIGURATION: '12',
        HA_EPOCH: '3',
        HA_PATHPREFIX: '/ha1',
        HAVEN_ROOT: at().root,
        HAVEN_SCOPE: expect.stringMatching(/^test:alpha@[0-9a-f]{8}\/ha1\/pgdata$/),
      })
    })

    it('both lists and its seconds', async () => {
      const { argv } = await tellWorld({ lists: ['ha1,ha2', 'ha3'], timeoutMs: 45_900 })
      expect(argv).toEqual(['ha1,ha2', 'ha3', '45'])
    })

    it('empty lists as empty words, and never less than one second', async () => {
      const echo = '#!/bin/sh\necho "$# <$1> <$2> <$3>"\n'
      expect(await runScript(at, echo, { lists: ['', ''], timeoutMs: 60_000 })).toMatchObject({
        output: ['3 <> <> <60>'],
      })
      expect(
        (await runScript(at, echo, { lists: ['', ''], timeoutMs: 400, signal: AbortSignal.abort() })).output,
      ).toEqual([])
      const { argv } = await tellWorld({ lists: ["it's", '$(date) *'], timeoutMs: 30_000 })
      expect(argv).toEqual(["it's", '$(date) *', '30'])
    })

    it('the usual limit of open files, not all that Node.js could get', async () => {
      expect(await runScript(at, 'ulimit -S -n\n')).toMatchObject({ output: ['1024'] })
    })

    it('the top directory, no input, its log as output, a group of its own', async () => {
      const world = await tellWorld()
      expect(world).toMatchObject({ cwd: '/', stdin: '/dev/null', umask: 0o22 })
      expect(world.stdout).toMatch(
        /\/alpha\/var\/log\/haven\/methods\/pgdata\/START\.00000012\.\d{8}T\d{9}Z\.ha1\.log$/,
      )
      expect(world.stderr).toBe(world.stdout)
      expect([world.group, world.session]).toEqual([world.pid, world.pid])
    })
  })
}

function describePrograms(at: At): void {
  describe('a program', () => {
    it.each([
      ['a directory', (): string => at().root, 'it is not a file'],
      ['not executable', (): string => at().makeScript('#!/bin/sh\n', 0o644), 'it is not executable'],
      ['below a file', (): string => '/etc/passwd/start', 'it does not exist'],
    ])('that is %s is refused before anything happens', async (_, make, why) => {
      mkdirSync(at().root, { recursive: true })
      const program = make()
      await expect(at().runner.run(makeCall(program))).rejects.toMatchObject({
        code: 'METHOD_FAILED',
        message: `START of data service pgdata cannot be started: ${program}: ${why}`,
      })
      expect(existsSync(join(at().root, 'var'))).toBe(false)
    })

    it('without a #! line is a shell script', async () => {
      expect(await runScript(at, 'echo "shell $1"\n')).toMatchObject({ kind: 'succeeded', output: ['shell ha1'] })
    })

    it('whose interpreter is missing fails, and the output says why', async () => {
      const outcome = await runScript(at, '#!/no/such/interpreter\n')
      expect(outcome).toMatchObject({ kind: 'failed', exitCode: 127, output: [expect.stringContaining('script-1')] })
    })
  })
}

function describeLogs(at: At): void {
  describe('the output', () => {
    it('is kept in a log of the run that says what ran, when and how it ended', async () => {
      await runScript(at, '#!/bin/sh\necho out\necho err >&2\nexit 3\n', { lists: ['ha1', ''] })
      expect(logs(at)).toHaveLength(1)
      const [first, second, ...rest] = readLog(at).split('\n')
      expect(first).toMatch(
        /^# \d{4}-.*Z START of data service pgdata on logical host ha1, reconfiguration 12, generation 3$/,
      )
      expect(second).toMatch(/^# \/.*\/script-1 'ha1' '' '30'$/)
      expect(rest).toEqual(['out', 'err', expect.stringMatching(/^# ended: exit code 3 after \d+ ms$/), ''])
    })

    it('is kept of the last runs of a method only', async () => {
      const directory = logDirectory(at)
      mkdirSync(directory, { recursive: true })
      const old = Array.from(
        { length: LOGS_KEPT_MAX },
        (_, n) => `START.${String(n).padStart(8, '0')}.20200101T000000000Z.ha1.log`,
      )
      for (const file of [...old, 'START_NET.00000000.20200101T000000000Z.ha1.log'])
        writeFileSync(join(directory, file), '')
      await runScript(at, 'exit 0\n', { reconfiguration: 1_000_000 })
      expect(logs(at).filter((file) => file.startsWith('START.'))).toHaveLength(LOGS_KEPT_MAX)
      expect(logs(at)).not.toContain(old[0])
      expect(logs(at)).toContain(old[1])
      expect(logs(at)).toContain('START_NET.00000000.20200101T000000000Z.ha1.log')
    })

    it('may get lost, but the method runs all the same', async () => {
      const heard: string[] = []
      writeFileSync(at().root, 'a file where the root should be')
      const runner = at().make({ log: (sentence) => heard.push(sentence) })
      const outcome = await runner.run(makeCall(at().makeScript('echo lost\necho ran >$D/ran\n')))
      expect(outcome).toMatchObject({
        kind: 'succeeded',
        output: [expect.stringContaining('what it printed is lost')],
      })
      expect(await at().readMark('ran')).toBe('ran')
      expect(heard).toEqual([expect.stringContaining('START of data service pgdata runs without a log')])
    })
  })
}

function describeOutput(at: At): void {
  describe('the output', () => {
    it('is told by its last ten lines, cut to 200 characters, as printable text', async () => {
      const outcome = await runScript(
        at,
        `#!/bin/sh
i=1; while [ $i -le 20 ]; do echo "line $i"; i=$((i+1)); done
printf 'bell \\007 colour \\033[31mred\\033[0m bad \\377 nul \\000\\n'
printf '%0500d\\n' 1
printf 'no end of line'
`,
      )
      expect(outcome.output).toEqual([
        'line 14',
        'line 15',
        'line 16',
        'line 17',
        'line 18',
        'line 19',
        'line 20',
        'bell \uFFFD colour red bad \uFFFD nul \uFFFD',
        `${'0'.repeat(199)}…`,
        'no end of line',
      ])
    })

    it('of 100 MB costs neither memory nor disk', async () => {
      const before = process.memoryUsage().rss
      const outcome = await runScript(at, '#!/bin/sh\nhead -c 100000000 /dev/zero\necho; echo the end\n')
      expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000)
      expect(outcome).toMatchObject({ kind: 'succeeded', output: [`…${'\uFFFD'.repeat(198)}…`, 'the end'] })
      const log = readLog(at)
      expect(log.length).toBeLessThan(LOG_BYTES_KEPT_MAX + 1000)
      expect(log).toMatch(
        /^# .*\n# .*\n# \d+ bytes were left out here\n\0+\nthe end\n# ended: exit code 0 after \d+ ms\n$/,
      )
    })
  })
}

function describeTimeUp(at: At): void {
  describe('when its time is up', () => {
    it('the children of the method end with it, also those that ignore TERM and those that are stopped', async () => {
      const given = new AbortController()
      const program = at().makeScript(`#!/bin/sh
sleep 1000 &
(trap '' TERM; sleep 1000; sleep 1000) &
sh -c 'kill -STOP $$; sleep 1000' &
until [ "$(cut -d' ' -f3 /proc/$!/stat)" = T ]; do sleep 0.01; done
echo $$ >$D/ready
wait
`)
      const run = at()
        .makeImpatient()
        .run(makeCall(program, { signal: given.signal }))
      const group = Number(await at().readMark('ready'))
      given.abort()
      expect(await run).toMatchObject({ kind: 'timed-out', forced: true })
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
      expect(membersOf(group)).toEqual([])
    })

    it('what it printed before is there', async () => {
      const given = new AbortController()
      const text = '#!/bin/sh\necho waiting for godot\necho ok >$D/ready\nexec sleep 1000\n'
      const run = runScript(at, text, { signal: given.signal })
      await at().readMark('ready')
      given.abort()
      expect(await run).toMatchObject({ kind: 'timed-out', forced: false, output: ['waiting for godot'] })
    })

    it('a daemon in a session of its own is left to the ladder', async () => {
      const given = new AbortController()
      const run = runScript(
        at,
        `#!/bin/sh\nsetsid sleep 1000 &\nuntil read -r name </proc/$!/comm && [ "$name" = sleep ]; do :; done\necho ok >$D/ready\nsleep 1000\n`,
        { signal: given.signal },
      )
      await at().readMark('ready')
      given.abort()
      expect(await run).toMatchObject({ kind: 'timed-out' })
      expect(await at().runner.processes(scopeOf(pgdata))).toHaveLength(1)
      expect(await at().runner.endProcesses(scopeOf(pgdata), patiently)).toEqual([])
    })
  })
}

function describeDaemons(at: At): void {
  describe('a daemon that a method left', () => {
    it('holds nothing of this process', async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await runScript(at, leaves('exec sleep 1000'))
      const pid = await at().readMark('daemon')
      const mayHold = ['/dev/null', join(logDirectory(at), logs(at)[0] ?? '')]
      // While it starts, it reads its script and its libraries.
      await eventually('the daemon to hold its output only', 5000, (saw) => {
        const held = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
        saw(held)
        return (commandOf(pid) === 'sleep' && held.every((file) => mayHold.includes(file))) || undefined
      })
      server.close()
    })

    it('leaves no cgroup behind when it is gone', async () => {
      await runScript(at, leaves('exec sleep 1000'))
      expect(await at().runner.endProcesses(scopeOf('all'), patiently)).toEqual([])
      const home = findCgroupHome(hostKey({ root: at().root, cluster: 'test', physicalHost: 'alpha' })) ?? ''
      expect(existsSync(home)).toBe(false)
    })

    it('is found and ended when it is stopped', async () => {
      await runScript(at, leaves('setsid sleep 1000'))
      const pid = Number(await at().readMark('daemon'))
      process.kill(pid, 'SIGSTOP')
      await eventually('the daemon to be stopped', 5000, () => stateOf(pid) === 'T' || undefined)
      expect(await at().runner.processes(scopeOf(pgdata))).toHaveLength(1)
      expect(await at().runner.endProcesses(scopeOf(pgdata), patiently)).toEqual([])
    })
  })
}

function describeHidingDaemons(at: At): void {
  describe('a daemon that a method left', () => {
    it('is found by descent when it hides its environment, as servers do that show a title', async () => {
      await runScript(at, leaves(`setsid sh -c 'env -i sleep 1000 & echo $! >$D/child; wait'`))
      const child = await at().readMark('child')
      await eventually('the child to hide', 5000, () => commandOf(child) === 'sleep' || undefined)
      await eventually('both to be seen', 5000, async (saw) => {
        const found = await at().runner.processes(scopeOf(pgdata))
        saw(found)
        return found.length === 2 && found.some(({ what }) => what.startsWith(`process ${child} `)) ? found : undefined
      })
      expect(await at().runner.endProcesses(scopeOf(pgdata), patiently)).toEqual([])
    })

    it('does not survive by starting its children again and again', async () => {
      await runScript(
        at,
        leaves(`setsid sh -c 'trap "" TERM; echo $$ >$D/parent; while :; do sleep 1000 & wait $!; done'`),
      )
      await at().readMark('parent')
      expect(await at().runner.endProcesses(scopeOf(pgdata), briefly)).toEqual([])
      expect(await at().runner.processes(scopeOf('all'))).toEqual([])
    })

    it('does not count once it is a zombie', async () => {
      await runScript(at, leaves(`setsid sh -c 'sleep 0 & echo $! >$D/zombie; exec sleep 1000'`))
      const zombie = Number(await at().readMark('zombie'))
      await eventually('the zombie', 5000, (saw) => {
        saw(stateOf(zombie))
        return stateOf(zombie) === 'Z' || undefined
      })
      const found = await at().runner.processes(scopeOf(pgdata))
      expect(found.map(({ what }) => what)).toEqual([expect.stringContaining(' sleep (service pgdata)')])
    })
  })
}

function commandOf(pid: string): string {
  return readFileSync(`/proc/${pid}/comm`, 'latin1').trim()
}

function stateOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0]
  } catch {
    return undefined
  }
}

function membersOf(group: number): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const [state, , processGroup] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
      return Number(processGroup) === group && state !== 'Z'
    } catch {
      return false
    }
  })
}
