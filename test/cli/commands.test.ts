import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { CliWorld, keepText, type Ran } from './cli-world.ts'

let world: CliWorld
let directory: string
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'haven-cli-files-'))
  world = await CliWorld.make()
})
afterEach(async () => {
  await world.close()
  rmSync(directory, { recursive: true })
})

const REGISTER = ['hareg', '-r', 'web', '-b', '/opt/it is here', '-m', 'START=start,STOP_NET=/opt/stop']

/** Runs a command that has to succeed, and returns what it printed. */
async function ok(line: string | readonly string[]): Promise<string> {
  const { exitCode, out, err } = await world.run(line)
  expect({ line, exitCode, err }).toEqual({ line, exitCode: 0, err: '' })
  return out
}

async function json(line: string): Promise<unknown> {
  return JSON.parse(await ok(`${line} --json`))
}

/** Splits a shell command as a shell does, as far as `hareg -q` prints one. */
function splitShell(text: string): readonly string[] {
  const words = text.replaceAll('\\\n', ' ').matchAll(/'((?:[^']|'\\'')*)'|[^\s']+/g)
  return [...words].map(([whole, quoted]) => (quoted === undefined ? whole : quoted.replaceAll("'\\''", "'")))
}

describe('hareg', () => {
  it('registers, lists, switches on and off, unregisters', async () => {
    expect(await ok([...REGISTER, '-v', '1.0'])).toContain('added data service web')
    expect(await ok('hareg')).toBe('web  off\n')
    expect(await ok('hareg -y web')).toMatch(
      /web switched on.*\n[\s\S]*ha1 is mastered by alpha \(reconfiguration \d+, /,
    )
    expect(await ok('hareg')).toBe('web  on\n')
    expect(await ok('hareg -y web')).toBe('Nothing had to be done.\n')
    const refused = await world.run('hareg -u web')
    expect(refused).toMatchObject({ exitCode: 6, out: '' })
    await ok('hareg -N')
    await ok('hareg -u web')
    expect(await ok('hareg')).toBe('')
  })

  it('warns of a standby that would fail, with its name and the path', async () => {
    world.api.missing.add('beta /opt/stop')
    await ok(REGISTER)
    await world.api.clock.pass(500)
    const warning = '/opt/stop is missing, not a file, or not executable on beta.'
    expect(await ok('hareg -y web --plan')).toContain(`  WARNING: ${warning}\n`)
    expect(await ok('hastat')).toMatch(/^All well\./)
    expect(await ok('hareg -y web')).toMatch(new RegExp(`^warning: ${warning}\n`))
    expect(await json('hareg -y web')).toMatchObject({ reconfiguration: null, warnings: [warning] })
    const needy = await ok('hastat')
    expect(needy).toMatch(/^1 thing needs you:\n {2}! programs of web are missing on beta, a possible master of ha1\n/)
    expect(needy).toContain('      /opt/stop is missing, not a file, or not executable on beta\n')
  })

  it('prints with -q a command that registers the same again', async () => {
    await ok([...REGISTER, '-t', 'START=7', '-h', '', '-v', "it's 1", '-a', '2.2', '-p', 'p1,p2'])
    const before = await ok('hareg -q web')
    expect(before.split('\n')[0]).toBe('hareg -r web \\')
    const asJson = await json('hareg -q web')
    await ok('hareg -u web')
    await ok(splitShell(before))
    expect(await ok('hareg -q web')).toBe(before)
    expect(await json('hareg -q web')).toEqual(asJson)
  })

  it('prints one part of a registration', async () => {
    await ok([...REGISTER, '-t', 'START=7'])
    expect(await ok('hareg -q web -M START')).toBe('/opt/it is here/start\n')
    expect(await ok('hareg -q web -T START')).toBe('7\n')
    expect(await ok('hareg -q web -T STOP_NET')).toBe('60\n')
    expect(await ok('hareg -q web -D')).toBe('')
    expect(await ok('hareg -q web -B')).toBe('/opt/it is here\n')
    expect(await ok('hareg -q web -V')).toBe('')
    expect(await world.run('hareg -q web -M ABORT')).toMatchObject({ exitCode: 7, out: '' })
    expect(await world.run('hareg -q nothing')).toMatchObject({ exitCode: 7, out: '' })
  })

  it('registers what comes with Haven', async () => {
    await ok('hareg -s -r http -h ha1')
    expect(await ok('hareg -q http -M START_NET')).toMatch(/\/dataservices\/http\/start-net\n$/)
  })
})

describe('haswitch', () => {
  it('shows a plan, carries it out, and refuses it when the state has moved', async () => {
    const shown = await ok('haswitch --plan beta ha1')
    expect(shown).toMatch(/^Plan \S+: switchover of ha1 to beta/)
    expect(shown).toContain('ha1: moves from alpha to beta, as asked')
    const id = /haswitch --apply (\S+)/.exec(shown)?.[1] ?? ''
    expect(await ok('haget -f master -h ha1')).toBe('alpha\n')
    expect(await ok(`haswitch --apply ${id}`)).toMatch(/ha1 is mastered by beta \(reconfiguration \d+, .*\)\.\n$/)
    const stale = /--apply (\S+)/.exec(await ok('haswitch --plan alpha ha1'))?.[1] ?? ''
    await ok('haswitch -m ha1')
    expect(await world.run(`haswitch --apply ${stale}`)).toMatchObject({ exitCode: 4, out: '' })
    expect(await world.run('haswitch --apply nonsense')).toMatchObject({ exitCode: 7, out: '' })
  })

  it('puts into maintenance, which shows with its owner, and back', async () => {
    await ok('haswitch -m ha1')
    const shown = await ok('hastat')
    expect(shown).toMatch(/^All well\.\nIn maintenance, as asked: ha1\./)
    expect(shown).toMatch(/LOGICAL HOSTS IN MAINTENANCE STATE\n {5}ha1 {3}since .* by anna \(reconfiguration \d+\)\n/)
    expect(await ok('haget -f is_maint -h ha1')).toBe('1\n')
    expect(await ok('haswitch alpha ha1')).toMatch(/ha1 is mastered by alpha/)
  })

  it('prints one JSON value, how it ended', async () => {
    expect(await json('haswitch beta ha1')).toMatchObject({
      reconfiguration: expect.any(Number),
      outcome: 'reached',
      why: [],
      logicalHosts: [{ logicalHost: 'ha1', sentence: 'mastered by beta' }],
    })
    expect(await json('haswitch beta ha1')).toMatchObject({ reconfiguration: null, outcome: 'reached' })
    expect(await json('haswitch --plan alpha ha1')).toMatchObject({ nothingToDo: false })
  })

  it('tells what failed, the last output, how it is now, and what to do', async () => {
    await ok(REGISTER)
    world.api.answer = (_, action) =>
      action.kind === 'method' && action.method === 'START'
        ? Promise.resolve({ kind: 'failed', message: 'exit code 3', output: ['port 80 is in use'], leftovers: [] })
        : undefined
    const { exitCode, out, err } = await world.run('hareg -y web')
    expect(exitCode).toBe(5)
    expect(out).toContain('reconfiguration')
    expect(err).toMatch(/^hareg: reconfiguration \d+ ended, but not with what was asked for \(GOAL_NOT_REACHED\)\n/)
    const count = (text: string): number => `${out}${err}`.split(text).length - 1
    expect(out).toContain('    START web failed: exit code 3\n      | port 80 is in use\n')
    // One for each host that it was tried on.
    expect([count('START web failed: exit code 3\n'), count('| port 80 is in use\n')]).toEqual([2, 2])
    expect(err).toContain('ha1 is without web: START failed on')
    expect(err).toMatch(
      /What to do: See every step with 'scadmin timeline \d+', and why with 'scadmin explain ha1'\.\n$/,
    )
    const needy = await ok('hastat')
    expect(needy).toMatch(/^1 thing needs you:\n {2}! web is on but does not run on ha1/)
    expect(needy).toContain('scadmin clear ha1\n')
    expect(await ok('scadmin timeline')).toContain('ha1')
    world.api.answer = () => undefined
    await ok('scadmin clear ha1')
    expect(await ok('hastat')).toMatch(/^All well \(data services are not probed yet\)\.\n\nHIGH AVAILABILITY/)
  })

  it('prints the error as JSON, and nothing else, with --json', async () => {
    const { exitCode, out, err } = await world.run('haswitch --json gamma ha1')
    expect({ exitCode, out }).toEqual({ exitCode: 7, out: '' })
    expect(JSON.parse(err)).toMatchObject({ code: 'NOT_FOUND', details: [] })
  })

  it('stops watching on Ctrl-C, and says that it goes on and how to see it', async () => {
    let goOn = (): void => undefined
    const stopped = new Promise<void>((resolve) => {
      goOn = resolve
    })
    world.api.answer = (_, action) =>
      action.kind === 'export' ? stopped.then(() => ({ kind: 'done', output: [] })) : undefined
    const ran = world.run('haswitch beta ha1')
    await eventually('the command to watch', 5_000, () => (world.interrupt() ? true : undefined))
    const { exitCode, err } = await ran
    expect(exitCode).toBe(130)
    expect(err).toMatch(/^Reconfiguration (\d+) goes on without being watched\. See it with 'scadmin timeline \1'/)
    goOn()
    await world.api.rest()
    expect(await ok('haget -f master -h ha1')).toBe('beta\n')
  })
})

describe('haget', () => {
  it('prints one value per line, and takes the logical host with and without -h', async () => {
    expect(await ok('haget -f physical_hosts -h ha1')).toBe('alpha\nbeta\n')
    expect(await ok('haget -f physical_hosts ha1')).toBe('alpha\nbeta\n')
    expect(await ok('haget -S -a 2.2 -f pathprefix ha1')).toMatch(/ha1\n$/)
    expect(await json('haget -f master -h ha1')).toEqual({ field: 'master', values: ['alpha'] })
    expect(await world.run('haget -f master -h nothing')).toMatchObject({ exitCode: 7, out: '' })
    expect((await world.run('haget -f master')).exitCode).toBe(2)
  })

  it('lists its fields, and knows all of them', async () => {
    await ok(REGISTER)
    await ok('scconf test --network pub --role client')
    const lines = (await ok('haget -f')).trim().split('\n')
    expect(lines[0]).toMatch(/^syslog_facility +the syslog facility/)
    for (const line of lines) {
      const [field = ''] = line.split(' ')
      const host = line.includes('-h LOGICALHOST') ? ' -h ha1' : ''
      const service = line.includes('-s SERVICE') ? ' -s web' : ''
      await ok(`haget -f ${field}${host}${service}${line.includes('--network') ? ' --network pub' : ''}`)
    }
  })
})

describe('scadmin', () => {
  it('tells the history, the timeline and why', async () => {
    await ok('scadmin switch test beta ha1')
    const history = await ok('scadmin history --last 2')
    expect(history.trim().split('\n')).toHaveLength(3)
    expect(history).toContain('switchover of ha1 to beta')
    const timeline = await ok('scadmin timeline')
    expect(timeline).toMatch(/├─ alpha gives it up/)
    expect(timeline).toMatch(/└─ beta takes it on/)
    expect(timeline).toMatch(/ha1 in all/)
    expect(timeline.split('\n').filter((line) => line.length > 100)).toEqual([])
    const number = /Reconfiguration (\d+)/.exec(timeline)?.[1]
    expect(await ok(`scadmin timeline ${number}`)).toBe(timeline)
    expect((await world.run('scadmin timeline 99999')).exitCode).toBe(7)
    expect(await ok('scadmin explain ha1')).toMatch(/beta is the master/)
  })

  it('refuses another cluster than this one', async () => {
    const { exitCode, err } = await world.run('scadmin switch other beta ha1')
    expect(exitCode).toBe(7)
    expect(err).toContain('this host belongs to the cluster test, not to other')
    expect((await world.run('scconf other -p')).exitCode).toBe(7)
    expect((await world.run('scadmin stopnode other')).exitCode).toBe(7)
  })

  it('lets the host leave, and shows how', async () => {
    const out = await ok('scadmin stopnode test')
    expect(out).toMatch(/alpha has left the cluster/)
  })

  it('checks, backs up and restores the database', async () => {
    const file = join(directory, 'backup')
    expect(await ok('scadmin database check')).toContain('sound')
    expect(await ok(`scadmin database backup ${file}`)).toContain(file)
    expect(readFileSync(file, 'utf8')).toContain('haven-backup')
    expect(await ok('scadmin database backup -')).toContain('haven-backup')
    expect(await world.run(`scadmin database backup ${file}`)).toMatchObject({ exitCode: 6, out: '' })
    expect((await world.run(`scadmin database restore ${file}`)).exitCode).toBe(6)
    await ok('haswitch -m ha1')
    expect(await ok(`scadmin database restore ${file}`)).toContain('The configuration is that of the backup again')
    writeFileSync(file, 'nonsense')
    expect((await world.run(`scadmin database restore ${file}`)).exitCode).toBe(2)
    expect((await world.run(`scadmin database restore ${join(directory, 'none')}`)).exitCode).toBe(7)
  })
})

describe('scconf', () => {
  const refused = async (line: string): Promise<Ran> => world.run(line)

  it('defines, changes and removes', async () => {
    await ok('scconf test --disk-group dg2 --define directory:/srv/dg2')
    await ok('scconf test -L ha2 -n beta,alpha -g dg2 -i lo,lo,127.0.0.9 -m')
    expect(await ok('scconf test -p')).toMatch(
      /Logical Host ha2:\n +Possible masters: beta alpha\n[\s\S]*switchback: no/,
    )
    expect(await ok('scconf test -L ha2 --change --switchback automatic')).toContain('changed logical host ha2')
    await world.api.rest()
    await ok('haswitch -m ha2')
    await ok('scconf test -L ha2 -r')
    await ok('scconf test --disk-group dg2 -r')
    await ok('scconf test --physical-host gamma --public-names gamma-pub')
    expect(await ok('haget -f names_on_subnets -h gamma')).toBe('gamma-pub\n')
    await ok('scconf test --physical-host gamma -r')
    expect((await refused('scconf test --physical-host alpha -r')).exitCode).toBe(6)
  })

  it('sets timeouts, timings, budgets and the facility', async () => {
    await ok('scconf test -l 100 -T 800')
    await ok('scconf test -T 900')
    await ok('scconf test --timings fast')
    await ok('scconf test --takeovers-max 5 --parallel-moves-max 9')
    await ok('scconf test --syslog-facility local7')
    expect(await json('scconf test -p')).toMatchObject({
      cluster: {
        logicalHostTimeoutS: 100,
        stepTimeoutS: 900,
        timings: { stampMs: 150 },
        budgets: { takeoversMax: 5, parallelMovesMax: 9 },
        syslogFacility: 'local7',
      },
    })
    expect(await ok('haget -f syslog_facility')).toBe('local7\n')
  })

  it('adds a data service to a logical host and takes it away', async () => {
    await ok([...REGISTER, '-h', ''])
    await ok('scconf test -s web ha1')
    expect(await ok('haget -f services -h ha1')).toBe('web\n')
    await ok('scconf test -s -r web ha1')
    expect(await ok('haget -f services -h ha1')).toBe('')
  })

  it('writes the configuration into a file, shows and makes the changes of one', async () => {
    const file = join(directory, 'cluster.yaml')
    const text = await ok('scconf export')
    writeFileSync(file, text)
    expect(await ok(`scconf diff -f ${file}`)).toContain('nothing would change')
    expect(await ok(`scconf apply -f ${file}`)).toBe('Nothing had to be changed.\n')
    writeFileSync(file, text.replace('switchback: automatic', 'switchback: manual'))
    expect(await ok(`scconf diff -f ${file}`)).toMatch(
      /^~ change logical host ha1\n {4}switchback: automatic -> manual\n/,
    )
    expect(await ok(`scconf apply -f ${file}`)).toMatch(/^changed logical host ha1\n/)
    writeFileSync(file, text.replace('diskGroups: [dg1]', 'diskGroups: [dg9]'))
    const { exitCode, err } = await world.run(`scconf apply -f ${file}`)
    expect(exitCode).toBe(2)
    expect(err).toMatch(/cluster\.yaml:\d+:\d+/)
    expect((await world.run(`scconf diff -f ${join(directory, 'none')}`)).exitCode).toBe(7)
  })
})

describe('hastat', () => {
  it('prints the classic headings, in their order', async () => {
    const lines = (await ok('hastat')).split('\n')
    const headings = lines.filter((line) => /^[A-Z]{2,}[A-Z <>a-z]*$/.test(line))
    expect(headings).toEqual([
      'HIGH AVAILABILITY CONFIGURATION AND STATUS',
      'LIST OF NODES CONFIGURED IN <test> CLUSTER',
      'CURRENT MEMBERS OF THE CLUSTER',
      'CONFIGURATION STATE OF THE CLUSTER',
      'UPTIME OF NODES IN THE CLUSTER',
      'LOGICAL HOSTS MASTERED BY THE CLUSTER MEMBERS',
      'LOGICAL HOSTS IN MAINTENANCE STATE',
      'STATUS OF PRIVATE NETS IN THE CLUSTER',
      'STATUS OF PUBLIC NETS IN THE CLUSTER',
      'STATUS OF SERVICES RUNNING ON LOGICAL HOSTS IN THE CLUSTER',
    ])
    expect(lines[0]).toBe('All well.')
    expect(lines).toContain('Logical Hosts Mastered on alpha:')
    expect(lines).toContain('Loghost Hosts for which beta is Backup Node:')
  })

  it('adds messages with -m, and is JSON with --json', async () => {
    expect(await ok('hastat -m 1')).toMatch(/RECENT ERROR MESSAGES FROM THE CLUSTER\n.*\n.*hello\n$/)
    expect(await json('hastat')).toMatchObject({ cluster: 'test', answeredBy: 'alpha' })
  })

  it('repeats itself with -i until Ctrl-C', async () => {
    const stdout = keepText()
    const ran = world.run('hastat -i 1 --json', { stdout })
    await eventually('three lines', 20_000, () => (stdout.text().split('\n').length > 3 ? true : undefined))
    expect(world.interrupt()).toBe(true)
    const { exitCode, out } = await ran
    expect(exitCode).toBe(0)
    for (const line of out.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ cluster: 'test' })
  })
})
