import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ran, run as runAnywhere } from './cli-world.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'haven-offline-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const rootOf = (host: string): string => join(directory, host)
const on = (host: string, line: string): Promise<Ran> => runAnywhere(line, { root: rootOf(host) })

const setUp = (host: string, cluster = 'demo'): Promise<Ran> =>
  on(host, `scadmin setup --cluster ${cluster} --host ${host} --database file:${directory}/db`)

const databaseFiles = (): readonly string[] => readdirSync(directory).filter((name) => name.startsWith('db'))

describe('scadmin setup', () => {
  it('makes the database, enters the host and writes its own file; a second time nothing is left to do', async () => {
    const first = await setUp('alpha')
    expect(first).toMatchObject({ exitCode: 0, err: '' })
    expect(first.out.split('\n')).toEqual([
      `Made the cluster database of demo in ${directory}/db.`,
      'Added the physical host alpha to the cluster demo.',
      'Made the keys and certificates of demo.',
      `Wrote ${rootOf('alpha')}/etc/haven/host.json.`,
      'alpha is set up for the cluster demo. Start it with: scadmin startcluster alpha demo',
      '',
    ])
    const second = await on('alpha', 'scadmin setup --cluster demo --host alpha')
    expect(second.out).toBe('alpha is set up for the cluster demo. Start it with: scadmin startcluster alpha demo\n')
    expect((await setUp('beta')).out).not.toContain('Made the cluster database')
  })

  it('refuses the database of another cluster, and leaves everything as it was', async () => {
    await setUp('alpha')
    const { exitCode, out, err } = await setUp('beta', 'other')
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toContain('is that of the cluster demo, not of other (CONFIG_INVALID)')
    expect((await on('beta', 'scadmin database check')).exitCode).toBe(3)
    expect((await on('alpha', 'scadmin database backup -')).out).not.toContain('beta')
  })

  it('refuses names and places that are none', async () => {
    expect((await setUp('alpha', 'a,b')).err).toContain('(NAME_INVALID)')
    const { exitCode, err } = await on('alpha', 'scadmin setup --cluster demo --host alpha --database etcd:x')
    expect(exitCode).toBe(2)
    expect(err).toContain("'etcd:x' is no place of a cluster database")
    expect(databaseFiles()).toEqual([])
  })

  it('does not make a database when it cannot write its own file', async () => {
    mkdirSync(rootOf('alpha'))
    writeFileSync(join(rootOf('alpha'), 'etc'), 'a file where a directory has to be')
    const { exitCode, err } = await setUp('alpha')
    expect(exitCode).toBe(2)
    expect(err).toContain('etc/haven cannot be written')
    expect(databaseFiles()).toEqual([])
  })
})

describe('a host that is not set up', () => {
  it.each(['scadmin startcluster alpha demo', 'scadmin startnode', 'scadmin database check'])(
    '%s says how to set it up',
    async (line) => {
      const { exitCode, out, err } = await on('alpha', line)
      expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' })
      expect(err).toContain('(NOT_SET_UP)\n  What to do: Set it up with: scadmin setup')
    },
  )

  it('is started by its own name only', async () => {
    await setUp('alpha')
    expect((await on('alpha', 'scadmin startcluster beta demo')).err).toContain('this host is called alpha, not beta')
    expect((await on('alpha', 'scadmin startnode other')).err).toContain('belongs to the cluster demo, not to other')
  })
})

describe('the database without clustd', () => {
  const logs = (): readonly string[] =>
    readdirSync(join(directory, 'db')).filter((name) => name.startsWith('checkpoint'))

  it('is checked, backed up and restored', async () => {
    await setUp('alpha')
    expect((await on('alpha', 'scadmin database check')).out).toMatch(/is sound: revision 1, 4 records/)
    const file = join(directory, 'backup')
    expect((await on('alpha', `scadmin database backup ${file}`)).exitCode).toBe(0)
    await setUp('beta')
    const { exitCode, out } = await on('alpha', `scadmin database restore ${file}`)
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: expect.stringContaining('revision 1') })
    expect((await on('alpha', 'scadmin database backup -')).out).not.toContain('beta')
  })

  it('is put aside and made anew from a backup when it is damaged', async () => {
    await setUp('alpha')
    const file = join(directory, 'backup')
    await on('alpha', `scadmin database backup ${file}`)
    for (const name of logs()) writeFileSync(join(directory, 'db', name), 'rubbish')
    const checked = await on('alpha', 'scadmin database check')
    expect(checked).toMatchObject({ exitCode: 8, out: '' })
    expect(checked.err).toContain('not sound (DATABASE_CORRUPT)')
    const { exitCode, out } = await on('alpha', `scadmin database restore ${file}`)
    expect(exitCode).toBe(0)
    expect(out).toMatch(/The database was damaged; its files are kept in .*db\.damaged-\d+\.\n/)
    expect((await on('alpha', 'scadmin database check')).exitCode).toBe(0)
    expect(databaseFiles()).toHaveLength(2)
  })

  it('stays as it is when the backup is none, or of another cluster', async () => {
    await setUp('alpha')
    const before = (await on('alpha', 'scadmin database backup -')).out
    const file = join(directory, 'backup')
    writeFileSync(file, before.replaceAll('"cluster":"demo"', '"cluster":"other"'))
    expect((await on('alpha', `scadmin database restore ${file}`)).err).toContain('(BACKUP_INVALID)')
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20))
    expect((await on('alpha', `scadmin database restore ${file}`)).err).toContain('(BACKUP_INVALID)')
    const records = (text: string): string => text.slice(text.indexOf('"records"'))
    expect(records((await on('alpha', 'scadmin database backup -')).out)).toBe(records(before))
  })

  it('that is not there is told', async () => {
    await setUp('alpha')
    rmSync(join(directory, 'db'), { recursive: true })
    expect((await on('alpha', 'scadmin database check')).err).toContain('(DATABASE_ABSENT)')
    expect((await on('alpha', 'scadmin database backup -')).exitCode).toBe(8)
  })
})
