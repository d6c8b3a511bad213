import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HaError } from '../../../src/framework/errors/ha-error.ts'
import type { Effects } from '../../../src/framework/ports/effects.ts'
import { type Daemon, ensureRunning, ensureStopped } from '../../../src/methods/kits/daemon.ts'
import { parseMethodArguments } from '../../../src/methods/kits/method-arguments.ts'
import { readPidFile, removePidFile, writePidFile } from '../../../src/methods/kits/pid-file.ts'
import { runAsMethod } from '../../../src/methods/kits/run-as-method.ts'
import { waitUntil } from '../../../src/methods/kits/wait-until.ts'
import { readProcess } from '../../../src/methods/proc.ts'

const environment = {
  HA_CLUSTER: 'c',
  HA_PHYSICAL_HOST: 'alpha',
  HA_LOGICAL_HOST: 'ha1',
  HA_SERVICE: 'web',
  HA_METHOD: 'START_NET',
  HA_RECONFIGURATION: '12',
  HA_EPOCH: '3',
  HA_PATHPREFIX: '',
  HAVEN_ROOT: '/',
}

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'haven-kits-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('the arguments of a method', () => {
  it('become types', () => {
    expect(parseMethodArguments(['ha1,ha2', '', '60'], environment)).toEqual({
      mastered: ['ha1', 'ha2'],
      notMastered: [],
      timeoutS: 60,
      cluster: 'c',
      physicalHost: 'alpha',
      logicalHost: 'ha1',
      service: 'web',
      method: 'START_NET',
      reconfiguration: 12,
      generation: 3,
      pathPrefix: '',
      root: '/',
    })
  })

  it.each([
    ['one too few', ['ha1', '']],
    ['one too many', ['ha1', '', '60', 'x']],
    ['no seconds', ['ha1', '', '0']],
    ['a name that is none', ['ha1,,ha2', '', '60']],
  ])('are refused with %s', (_, words) => {
    expect(() => parseMethodArguments(words, environment)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  it('are refused with every problem at once', () => {
    const { HA_CLUSTER: _, ...rest } = environment
    try {
      parseMethodArguments(['a b', '', 'soon'], { ...rest, HA_METHOD: 'PAUSE' })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({
        details: [
          expect.stringContaining("'a b'"),
          expect.stringContaining("'soon'"),
          'the environment has no HA_CLUSTER',
          "'PAUSE' is not the name of a method",
        ],
      })
    }
  })
})

describe('a method', () => {
  const call = { words: ['ha1', '', '60'], environment }
  const before = process.exitCode
  afterEach(() => {
    process.exitCode = before
  })

  it.each([
    ['returns', async () => {}, 0],
    ['returns a number', async () => 75, 75],
    ['throws', () => Promise.reject(new HaError('METHOD_FAILED', 'a failure that this test wants')), 1],
  ])('that %s ends with an exit code', async (_, body, exitCode) => {
    await runAsMethod(body as () => Promise<number | undefined>, call)
    expect(process.exitCode).toBe(exitCode)
  })

  it('that was called in the wrong way does not run', async () => {
    let ran = false
    const body = async (): Promise<void> => {
      ran = true
    }
    await runAsMethod(body, { ...call, words: [] })
    expect([ran, process.exitCode]).toEqual([false, 1])
  })
})

describe('a bounded wait', () => {
  it('returns what the probe saw', async () => {
    const time = passingTime()
    expect(await waitUntil('a word', 5, () => time.nowMonotonicMs() >= 3000 && 'word', time)).toBe('word')
  })

  it('ends in time, with the last error as its cause', async () => {
    const time = passingTime()
    const wait = waitUntil('godot', 5, () => Promise.reject(new Error('not yet')), time)
    await expect(wait).rejects.toMatchObject({
      code: 'WAIT_TIMED_OUT',
      message: 'waited 5 s for godot, in vain',
      cause: expect.objectContaining({ message: 'not yet' }),
    })
    expect(time.nowMonotonicMs()).toBe(5000)
  })
})

describe('a pid file', () => {
  const self = process.pid

  it('of a living process is believed, with proof or without', () => {
    const file = join(directory, 'pid')
    writePidFile(file, self)
    expect(readPidFile(file)).toBe(self)
    writeFileSync(file, `${self}\n`)
    expect(readPidFile(file)).toBe(self)
    removePidFile(file)
    removePidFile(file)
    expect(readPidFile(file)).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['no number', 'web\n'],
    ['a pid that nobody has', `${2 ** 22 + 1}\n`],
    ['a process that started at another time', `${self} 1 boot\n`],
    ['another boot, or another host', `${self} ${readProcess(self)?.startTicks} 00000000-0000\n`],
    ['a process group', `-${self}\n`],
  ])('that holds %s stands for nobody', (_, text) => {
    const file = join(directory, 'pid')
    writeFileSync(file, text)
    expect(readPidFile(file)).toBeUndefined()
  })
})

describe('a daemon', () => {
  const sleeper = (rest: Partial<Daemon> = {}): Daemon => ({
    what: 'the sleeper',
    pidFile: join(directory, 'pid'),
    program: '/bin/sh',
    words: ['-c', 'exec sleep 1000'],
    logFile: join(directory, 'log'),
    ...rest,
  })

  it('is started once and stopped once', async () => {
    expect(await ensureRunning(sleeper(), 10)).toBe('started')
    const pid = readPidFile(join(directory, 'pid'))
    expect(await ensureRunning(sleeper(), 10)).toBe('was running')
    expect(readPidFile(join(directory, 'pid'))).toBe(pid)
    expect(await ensureStopped(sleeper(), 10)).toBe('stopped')
    expect(readProcess(pid ?? 0)).toBeUndefined()
    expect(await ensureStopped(sleeper(), 10)).toBe('was stopped')
  })

  it('is killed when it does not listen', async () => {
    const deaf = sleeper({
      words: ['-c', `trap '' TERM; echo deaf; while :; do sleep 1; done`],
      isReady: () => readFileSync(join(directory, 'log'), 'utf8').includes('deaf'),
    })
    await ensureRunning(deaf, 10)
    expect(await ensureStopped(deaf, 0)).toBe('stopped')
  })

  it('that ends before it is ready has failed', async () => {
    const run = ensureRunning(sleeper({ words: ['-c', 'exit 1'], isReady: () => false }), 10)
    await expect(run).rejects.toMatchObject({ code: 'METHOD_FAILED', hint: expect.stringContaining('/log') })
  })

  it('that is not installed has failed', async () => {
    const run = ensureRunning(sleeper({ program: '/no/such/daemon' }), 10)
    await expect(run).rejects.toMatchObject({ code: 'METHOD_FAILED', message: expect.stringContaining('the sleeper') })
  })
})

describe('the functions for shell methods', () => {
  const kit = resolve(import.meta.dirname, '../../../src/methods/kits/haven-method.sh')
  const runShell = (script: string, words: readonly string[] = ['ha1,ha2', 'ha3', '60']) => {
    const { stdout, stderr, status } = spawnSync('/bin/sh', ['-eu', '-c', `. ${kit}\n${script}`, 'method', ...words], {
      encoding: 'utf8',
      cwd: directory,
    })
    return { lines: stdout.split('\n').filter((line) => line !== ''), stderr, status }
  }

  it('know which logical hosts are mastered', () => {
    expect(runShell('haven_masters ha1; haven_masters ha2').status).toBe(0)
    expect(runShell('haven_masters ha3').status).toBe(1)
    expect(runShell('haven_masters ha').status).toBe(1)
    expect(runShell("haven_masters ''", ['', '', '60']).status).toBe(1)
  })

  it('go through the lists to their ends, and tell a failure', () => {
    const script =
      'one() { echo "$1 $2"; [ "$2" != ha1 ]; }\nhaven_for_each_mastered one with || echo failed\nhaven_for_each_not_mastered one without'
    expect(runShell(script)).toMatchObject({ lines: ['with ha1', 'with ha2', 'failed', 'without ha3'], status: 0 })
    expect(runShell(script, ['', '', '60'])).toMatchObject({ lines: [], status: 0 })
  })

  it('start a daemon once, stop it once, and share pid files with the other kit', () => {
    const started = runShell(
      'haven_start_daemon pid log sleep 1000; haven_start_daemon pid log sleep 1000; echo $haven_pid',
    )
    const pid = readPidFile(join(directory, 'pid'))
    expect(started).toMatchObject({ lines: [String(pid)], status: 0 })
    expect(runShell('haven_stop_daemon pid 10; haven_stop_daemon pid 10')).toMatchObject({ status: 0, stderr: '' })
    expect(readProcess(pid ?? 0)).toBeUndefined()
  })

  it('leave no daemon that nobody would find again, and say why', () => {
    const { lines, stderr, status } = runShell('haven_start_daemon nowhere/pid log sleep 1000 || echo $haven_pid')
    expect({ stderr, status }).toEqual({
      stderr: expect.stringContaining('sleep was ended, as nowhere/pid cannot be written'),
      status: 0,
    })
    expect(readProcess(Number(lines[0]))).toBeUndefined()
  })

  it('do not believe a pid file of another boot or process', () => {
    writePidFile(join(directory, 'pid'), process.pid)
    expect(runShell('haven_running pid').status).toBe(0)
    writeFileSync(join(directory, 'pid'), `${process.pid} 1 boot\n`)
    expect(runShell('haven_running pid').status).toBe(1)
    expect(runShell('haven_running nowhere')).toMatchObject({ status: 1, stderr: '' })
  })

  it('wait with a bound', () => {
    expect(runShell('haven_wait 0 false').status).toBe(1)
    expect(runShell('haven_wait 5 true').status).toBe(0)
  })
})

/** Effects whose time passes only by waiting. */
function passingTime(): Effects {
  let nowMs = 0
  return {
    nowMonotonicMs: () => nowMs,
    nowBootMs: () => nowMs,
    nowWallMs: () => nowMs,
    random: () => 0,
    sleep: async (ms) => {
      nowMs += ms
    },
  }
}
