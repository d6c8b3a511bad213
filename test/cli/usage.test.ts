import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMMAND_LOADERS, type CommandName } from '../../src/cli/commands/load.ts'
import { writeHostFile } from '../../src/framework/daemon/host-file.ts'
import { writeGuardReport } from '../../src/framework/failfast/guard-reports.ts'
import { parseName } from '../../src/framework/model/names.ts'
import { run } from './cli-world.ts'

const cluster = parseName('cluster', 'demo')
const alpha = parseName('physicalHost', 'alpha')

const names = Object.keys(COMMAND_LOADERS) as CommandName[]

describe.each(names)('%s', (name) => {
  it('explains every form and every option with --help, within 100 columns', async () => {
    const { exitCode, out, err } = await run([name, '--help'])
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    const command = await COMMAND_LOADERS[name]()
    for (const { summary } of command.forms) expect(out.replace(/\s+/g, ' ')).toContain(summary)
    for (const { letter, long } of Object.values(command.options))
      expect(out).toMatch(long === undefined ? `    -${letter} ` : `--${long}`)
    expect(out.split('\n').filter((line) => line.length > 100 && !line.includes('[-'))).toEqual([])
  })

  it('tells its version, also for -V alone', async () => {
    const told = await run([name, '--version'])
    expect(told.out).toMatch(new RegExp(`^${name} \\(Haven\\) \\d+\\.\\d+\\.\\d+\n$`))
    expect(await run([name, '-V'])).toEqual(told)
  })

  it('refuses what it does not know, shortly', async () => {
    const { exitCode, out, err } = await run([name, '--no-such-thing'])
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toBe(
      `${name}: there is no option --no-such-thing (USAGE)\n  What to do: '${name} --help' shows all forms.\n`,
    )
  })

  it('has options in its forms that are defined, and no option that no form takes', async () => {
    const { forms, options } = await COMMAND_LOADERS[name]()
    const taken = forms.flatMap((form) => [
      ...(form.selectedBy ?? []),
      ...(form.selectedByOneOf ?? []),
      ...(form.required ?? []),
      ...(form.optional ?? []),
      ...(form.atMostOneOf ?? []),
    ])
    expect([...new Set(taken)].sort()).toEqual(Object.keys(options).sort())
  })
})

describe('a command line that does not fit', () => {
  it.each([
    ['haswitch', 'HOST is missing'],
    ['haswitch beta', 'LOGICALHOST... is missing'],
    ['haswitch -m', 'LOGICALHOST... is missing'],
    ['haswitch -m -r ha1', '-r does not go with -m'],
    ['haswitch -r ha1', "'ha1' is one word too many"],
    ['haswitch --apply', '--apply needs a value: ID'],
    ['haswitch --apply --json', '--apply needs a value: ID'],
    ['haswitch --plan=yes beta ha1', '--plan takes no value'],
    ['haswitch --plna beta ha1', "there is no option --plna; did you mean '--plan'?"],
    ['haswitch --maintenance ha1', 'there is no option --maintenance'],
    ['hareg web', "'web' is one word too many"],
    ['hareg -r web', '-m METHOD=PATH,... is missing'],
    ['hareg -r web -m START', "-m takes METHOD=PATH, not 'START'"],
    ['hareg -r web -m START=a,START=b', '-m names START more than once'],
    ['hareg -r web -m START=a -t START=soon', '-t takes whole seconds, not START=soon'],
    ['hareg -r a -r b -m START=a', '-r is given more than once'],
    ['hareg -q web -M START -T START', '-M and -T exclude each other'],
    ['hareg -y web -n db', '-n does not go with -y'],
    ['hareg -s', '-s does not go with the rest'],
    ['hareg -s -r htpp', "no data service called 'htpp' comes with Haven; did you mean 'http'?"],
    ['scadmin', 'it is not said what to do'],
    ['scadmin stopnod', "cannot do 'stopnod'; did you mean 'stopnode'?"],
    ['scadmin database', "'database' needs to be told what"],
    ['scadmin database chek', "'database' cannot do 'chek'; did you mean 'check'?"],
    ['scadmin setup --cluster demo', '--host HOST is missing'],
    ['scadmin timeline soon', "NUMBER is that of a reconfiguration, not 'soon'"],
    ['scadmin history --last many', "--last takes a whole number, not 'many'"],
    ['scadmin explain', 'LOGICALHOST is missing'],
    ['scconf demo', 'it is not said what to do'],
    ['scconf demo -L ha1 -n alpha', '-g DISKGROUP,... is missing'],
    ['scconf demo -L ha1 --change', 'one of -n, -g, -i, --switchback, --on-stuck is needed'],
    ['scconf demo -L ha1 --change --switchback manul', "not 'manul'; did you mean 'manual'?"],
    ['scconf demo -l x', "-l takes a whole number, not 'x'"],
    ['scconf diff', '-f FILE is missing'],
    ['haget', '-f FIELD is missing'],
    ['haget -f mastr', "there is no field 'mastr'; did you mean 'master'?"],
    ['hastat -i', '-i needs a value: SECONDS'],
    ['hastat -m 5000', '-m takes at most 1000'],
  ])('%s: %s', async (line, message) => {
    const { exitCode, out, err } = await run(line)
    expect(out).toBe('')
    expect(err.split('\n')[0]).toContain(message)
    expect(exitCode).toBe(line.includes('htpp') ? 7 : 2)
    expect(err.split('\n').length).toBeLessThanOrEqual(7)
  })

  it('is JSON on stderr with --json, and stdout stays empty', async () => {
    const { exitCode, out, err } = await run('haswitch --json')
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(JSON.parse(err)).toMatchObject({ code: 'USAGE', message: 'HOST is missing', retryable: false })
  })
})

describe('without a running clustd', () => {
  it.each([
    'haget -f master -h ha1',
    'hareg',
    'hareg -y web',
    'hareg -u web',
    'hastat',
    'haswitch beta ha1',
    'haswitch --plan beta ha1',
    'scadmin stopnode',
    'scadmin history',
    'scadmin clear ha1',
    'scadmin switch demo beta ha1',
    'scconf demo -p',
    'scconf export',
  ])('%s says so and how to start it, or to set the host up', async (line) => {
    const root = mkdtempSync(join(tmpdir(), 'haven-usage-'))
    try {
      const unset = await run(line, { root })
      expect(unset).toMatchObject({ exitCode: 3, out: '' })
      expect(unset.err).toMatch(/\(NOT_SET_UP\)\n {2}What to do: Set it up with: scadmin setup --cluster/)
      const database = { kind: 'file', directory: join(root, 'database') } as const
      writeHostFile(root, { cluster, physicalHost: alpha, database, rebootCommand: [] })
      const { exitCode, out, err } = await run(line, { root })
      expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' })
      expect(err).toMatch(/No clustd answers .*\(CLUSTD_NOT_RUNNING\)\n {2}What to do: .*scadmin startnode; /)
      expect(err).toMatch(/scadmin startcluster alpha demo\n$/)
      expect(err).not.toContain('guard')
      await writeGuardReport(root, {
        firedWallMs: 0,
        why: 'the deadline passed',
        tookMs: 1,
        stopped: [],
        leftovers: [],
      })
      expect((await run(line, { root })).err).toMatch(
        /The guard stopped this host last at \S+ \S+: the deadline passed\n/,
      )
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
