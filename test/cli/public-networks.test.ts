import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { classicStatus, groupNeeds, publicNetworkLines } from '../../src/cli/print/public-network-lines.ts'
import type { PublicGroupJson } from '../../src/framework/api/wire.ts'
import { HaError } from '../../src/framework/errors/ha-error.ts'
import { CliWorld } from './cli-world.ts'

let world: CliWorld
beforeEach(async () => {
  world = await CliWorld.make()
})
afterEach(() => world.close())

async function ok(line: string): Promise<string> {
  const { exitCode, out, err } = await world.run(line)
  expect({ line, exitCode, err }).toEqual({ line, exitCode: 0, err: '' })
  return out
}

async function connect(): Promise<void> {
  await ok('scconf test --network pub --role client')
  await ok('scconf test --physical-host alpha --interface pub:eth1:10.0.0.1')
}

describe('pnmset', () => {
  it('makes, changes and removes groups', async () => {
    await connect()
    expect(await ok('pnmset -c nafo0 -o eth1,eth2')).toMatch(/nafo0: pub \(eth1, eth2\)/)
    expect(await ok('pnmset -c nafo0 -o eth1,eth2')).toMatch(/so already|Nothing/i)
    expect(await ok('pnmset -c nafo0 -o eth1,eth2,eth3')).toMatch(/nafo0: pub \(eth1, eth2, eth3\)/)
    expect(await ok('scconf export')).toMatch(/nafo0:\n\s+network: pub\n\s+adapters: \[eth1, eth2, eth3\]/)
    expect(await ok('pnmset -d nafo0')).toMatch(/backupGroups/)
  })

  it('refuses what makes no sense, with everything that is wrong', async () => {
    await connect()
    const refused = await world.run('pnmset -c nafo0 -o eth2 --network pub')
    expect(refused).toMatchObject({ exitCode: 2, out: '' })
    expect(refused.err).toMatch(/is on eth1, which is not in its backup group nafo0/)
    expect((await world.run('pnmset -d nafo7')).exitCode).toBe(7)
    expect((await world.run('pnmset --switch nafo7 eth1')).exitCode).toBe(7)
    expect((await world.run('pnmset -c nafo0')).exitCode).toBe(2)
  })
})

describe('pnmset with adapters that are not there', () => {
  const adapters = (): readonly string[] => ['lo', 'eth1']

  it('warns of them where it runs on their host, and does it', async () => {
    await connect()
    const { exitCode, out } = await world.run('pnmset -c nafo0 -o eth1,eth2', { adapters })
    expect(exitCode).toBe(0)
    expect(out).toMatch(/warning: this machine, alpha, has no adapter eth2 now\n/)
    expect(out).not.toContain('no adapter eth1')
    const json = await world.run('pnmset -c nafo0 -o eth1,eth3 --json', { adapters })
    expect(JSON.parse(json.out)).toMatchObject({ warnings: ['this machine, alpha, has no adapter eth3 now'] })
    expect((await world.run('pnmset -c nafo0 -o eth1,eth2 -h beta', { adapters })).out).not.toContain('warning')
  })
})

describe('pnmset at a terminal', () => {
  /** Types lines; one that is too few is a terminal that was closed. */
  const type = (lines: readonly string[]) => {
    const rest = [...lines]
    const asked: string[] = []
    const ask = async (question: string): Promise<string> => {
      asked.push(question)
      const line = rest.shift()
      if (line === undefined) throw new HaError('ABORTED', 'nothing was done')
      return line
    }
    return { ask, asked, rest }
  }

  it('asks for the groups one after the other', async () => {
    await connect()
    const { ask, asked, rest } = type(['y', '', '', 'eth1 eth2'])
    const { exitCode, out } = await world.run('pnmset', { ask, adapters: () => ['lo', 'eth1', 'eth2'] })
    expect({ exitCode, rest }).toEqual({ exitCode: 0, rest: [] })
    expect(out).toMatch(/nafo0: pub \(eth1, eth2\)/)
    expect(asked[0]).toBe(
      'Backup groups of alpha: none.\nAdapters of this machine: lo eth1 eth2\nGroups that are not named stay as they are. Do you want to continue? [y/n]: ',
    )
    expect(asked.slice(1)).toEqual([
      'How many backup groups do you want to configure? [1]: ',
      'Number or name of the backup group [0]: ',
      'All adapters of nafo0, the preferred one first: ',
    ])
    const again = type(['y', '1', '0', ''])
    expect((await world.run('pnmset', { ask: again.ask })).out).toMatch(/so already|Nothing/i)
    expect(again.asked[0]).toContain('alpha:\n  nafo0: eth1 eth2 (network pub)\n')
    expect(again.asked[3]).toContain('[eth1 eth2]')
  })

  it('asks again when an answer makes no sense, and for the network only where there are several', async () => {
    await connect()
    await ok('scconf test --network pub2 --role client')
    const { ask, rest } = type(['?', 'yes', '0', '2', 'nafo3', '', 'eth1,eth2', 'nowhere', '', '3', '', 'eth5', 'pub2'])
    const { exitCode, out } = await world.run('pnmset', { ask })
    expect({ exitCode, rest }).toEqual({ exitCode: 0, rest: [] })
    expect(out).toMatch(/nafo3: pub \(eth1, eth2\)/)
    expect(out).toMatch(/nafo0: pub2 \(eth5\)/)
  })

  it('does nothing when it is not wanted, not understood, or nobody is there', async () => {
    await connect()
    for (const lines of [['n'], ['?', '?', '?', '?', '?'], ['y', '2', '0', 'eth1']]) {
      const { exitCode, err } = await world.run('pnmset', { ask: type(lines).ask })
      expect(exitCode).not.toBe(0)
      expect(err).toContain('nothing was done')
    }
    expect(await world.run('pnmset')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('nobody can be asked'),
    })
    expect((await world.run('pnmset --json', { ask: type(['y']).ask })).exitCode).toBe(2)
    expect(await ok('scconf export')).not.toContain('backupGroups')
  })
})

describe('pnmstat', () => {
  it('shows the classic columns, for people and for scripts', async () => {
    await connect()
    await ok('pnmset -c nafo0 -o eth1,eth2')
    // Nothing has been told in this world, which has no adapters.
    const table = await world.run('pnmstat -l')
    expect(table.out).toBe('bkggrp  r_adp      status   fo_time  live_adp\nnafo0   eth1:eth2  UNKNOWN  -        -\n')
    expect(table.exitCode).toBe(1)
    expect((await world.run('pnmstat -c nafo0')).out).toBe('UNKNOWN\n-\n-\n')
    expect((await world.run('pnmstat -s -c nafo0')).out).toBe('UNKNOWN - -\n')
    expect((await world.run('pnmstat -s')).out).toBe('nafo0 UNKNOWN - -\n')
    const { groups } = JSON.parse((await world.run('pnmstat --json')).out) as { readonly groups: readonly object[] }
    expect(groups).toMatchObject([{ name: 'nafo0', network: 'pub', state: null, adapters: [{ name: 'eth1' }, {}] }])
  })

  it('says that nothing is configured, and which groups there are', async () => {
    expect(await ok('pnmstat')).toBe('No public adapters of alpha are configured.\n')
    expect(await ok('pnmstat -h beta')).toBe('No public adapters of beta are configured.\n')
    expect((await world.run('pnmstat -h nobody')).exitCode).toBe(7)
    const refused = await world.run('pnmstat -c nafo0')
    expect(refused).toMatchObject({ exitCode: 7, out: '' })
  })

  it('tells what is wrong with each adapter', () => {
    const group: PublicGroupJson = {
      name: 'nafo0',
      network: 'pub',
      state: 'ok',
      active: 'eth2',
      faulty: ['eth1', 'eth3'],
      secondsSinceMoved: 61,
      adapters: [
        { name: 'eth1', test: 'link-down' },
        { name: 'eth2', test: 'ok' },
        { name: 'eth3', test: null },
      ],
    }
    expect(classicStatus(group)).toEqual(['OK', '61', 'eth2'])
    expect(publicNetworkLines({ host: 'alpha', groups: [group] }).slice(2)).toEqual([
      'nafo0: eth1 has no link.',
      'nafo0: eth3 is faulty.',
    ])
    expect(groupNeeds({ host: 'alpha', groups: [group] })).toMatchObject([
      { what: 'adapter eth1, eth3 of alpha is faulty; eth2 has its addresses' },
    ])
    expect(classicStatus({ ...group, secondsSinceMoved: null })[1]).toBe('NEVER')
    const states = (['doubtful', 'failed', 'network-down', null] as const).map(
      (state) => classicStatus({ ...group, state })[0],
    )
    expect(states).toEqual(['DOUBT', 'DOWN', 'NETDOWN', 'UNKNOWN'])
  })
})
